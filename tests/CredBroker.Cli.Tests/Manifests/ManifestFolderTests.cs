using CredBroker.Contracts.V1;
using CredBroker.Manifests;
using CredBroker.Manifests.Planning;

namespace CredBroker.Cli.Tests.Manifests;

public sealed class ManifestFolderTests
{
    private DirectoryInfo _folder = null!;

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("credbroker-manifests-");

    [TearDown]
    public void Remove() => _folder.Delete(recursive: true);

    [Test]
    public void Policies_can_live_in_files_of_their_own_and_count_in_the_hash()
    {
        Write("sets/base.yaml", "kind: PolicySet\nname: base\nspec: {kind: ceiling, textFile: cedar/base.cedar}\n");
        Write("sets/cedar/base.cedar", "forbid(principal, action, resource);\n");
        var before = Load().OrThrow();
        Assert.That(((PolicySet)before.Manifests.Single().Resource).Text, Is.EqualTo("forbid(principal, action, resource);\n"));

        Write("sets/cedar/base.cedar", "// other\n");

        Assert.That(Load().Hash, Is.Not.EqualTo(before.Hash).And.Length.EqualTo(64));
    }

    [Test]
    public void The_hash_is_of_names_and_contents_and_stable()
    {
        Write("a.yaml", "kind: Hook\nname: a\nspec: {}\n");
        var first = Load().Hash;
        Assert.That(Load().Hash, Is.EqualTo(first));
        File.Move(Full("a.yaml"), Full("b.yaml"));

        Assert.That(Load().Hash, Is.Not.EqualTo(first));
    }

    [TestCase("../outside.cedar")]
    [TestCase("/etc/passwd")]
    [TestCase("cedar/../../x")]
    [TestCase("./x.cedar")]
    [TestCase("a\\b")]
    [TestCase("C:x")]
    [TestCase("cedar//x")]
    public void A_text_file_stays_inside_the_folder(string path)
    {
        Write("base.yaml", $"kind: PolicySet\nname: base\nspec: {{kind: ceiling, textFile: '{path}'}}\n");

        Assert.That(Load().Errors.Select(e => e.ToString()), Has.Some.Contains("base.yaml:3:33: spec.textFile: A file beside the manifest"));
    }

    [Test]
    public void No_link_is_followed_to_a_text_a_manifest_or_a_folder()
    {
        Write("secret/hidden.cedar", "permit(principal, action, resource);");
        Write("in/base.yaml", "kind: PolicySet\nname: base\nspec: {kind: ceiling, textFile: link.cedar}\n");
        File.CreateSymbolicLink(Full("in/link.cedar"), Full("secret/hidden.cedar"));
        Assert.That(ManifestReader.Load(Full("in")).Errors.Single().Message, Does.Contain("symbolic link"));

        File.Delete(Full("in/link.cedar"));
        Directory.CreateSymbolicLink(Full("in/linked"), Full("secret"));
        Assert.That(ManifestReader.Load(Full("in")).Errors.Select(e => e.Message), Has.Some.Contains("linked is a symbolic link"));

        Directory.Delete(Full("in/linked"));
        File.CreateSymbolicLink(Full("in/other.yaml"), Full("in/base.yaml"));
        Assert.That(ManifestReader.Load(Full("in")).Errors.Select(e => e.Message), Has.Some.Contains("other.yaml is a symbolic link"));
        Assert.That(ManifestReader.Load(Full("in/other.yaml")).Errors.Select(e => e.Message), Has.Some.Contains("symbolic link"));
    }

    [Test]
    public void Files_that_are_no_text_or_too_many_are_errors()
    {
        File.WriteAllBytes(Full("a.yaml"), [0x6B, 0xC3, 0x28]);
        Assert.That(Load().Errors.Single().ToString(), Is.EqualTo("a.yaml: a.yaml is not UTF-8."));

        for (var i = 0; i < 5; i++) Write($"f{i}.yaml", "kind: Hook\nname: a\nspec: {}\n");
        Assert.That(ManifestReader.Load(_folder.FullName, new() { MaxFiles = 3 }).Errors.Single().Message, Does.Contain("More than 3 manifests"));
    }

    [Test]
    public void A_name_in_two_files_is_an_error_that_names_both()
    {
        const string Hook = "kind: Hook\nname: a\nspec: {identitySources: [identitySources/ci]}\n";
        Write("a.yaml", Hook);
        Write("b.yaml", Hook);

        Assert.That(Load().Errors.Single().ToString(), Is.EqualTo("b.yaml:1:1: name: hooks/a is in a.yaml:1:1 already."));
    }

    [Test]
    public void A_diff_is_what_turns_the_one_text_into_the_other()
    {
        var before = string.Concat(Enumerable.Range(1, 20).Select(i => $"line {i}\n"));
        var after = before.Replace("line 2\n", "", StringComparison.Ordinal).Replace("line 18\n", "line 18\nnew\n", StringComparison.Ordinal);

        Assert.That(UnifiedDiff.Make(before, after, "x"), Is.EqualTo(
            "--- current/x\n+++ desired/x\n@@ -1,5 +1,4 @@\n line 1\n-line 2\n line 3\n line 4\n line 5\n@@ -16,5 +15,6 @@\n line 16\n line 17\n line 18\n+new\n line 19\n line 20\n"));
        Assert.That(UnifiedDiff.Make("", "a\n", "x"), Is.EqualTo("--- /dev/null\n+++ desired/x\n@@ -0,0 +1,1 @@\n+a\n"));
        Assert.That(UnifiedDiff.Make(before, before, "x"), Is.Empty);
    }

    private ManifestSet Load() => ManifestReader.Load(_folder.FullName);

    private string Full(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(name))!);
        File.WriteAllText(Full(name), text);
    }
}
