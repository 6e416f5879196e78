using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Tests.Manifests;

public sealed class ManifestReaderTests
{
    [Test]
    public void Reads_every_kind_and_orders_them_as_they_can_be_created()
    {
        var set = Read(Samples.All).OrThrow();

        Assert.That(set.Manifests.Select(m => m.Name), Is.EqualTo(new[]
        {
            "identitySources/ci", "providers/books", "providers/books/roles/reader", "providers/books/roles/writer", "hooks/runs", "policySets/base",
        }));
        var source = (IdentitySource)set.Manifests[0].Resource;
        Assert.That(source.Oidc.MaxTokenLife.Seconds, Is.EqualTo(5400));
        Assert.That(source.Oidc.Attributes["repository"], Is.EqualTo("repository"));
        Assert.That(source.ReviewBy.ToDateTimeOffset(), Is.EqualTo(new DateTimeOffset(2030, 1, 31, 0, 0, 0, TimeSpan.Zero)));
        var provider = (Provider)set.Manifests[1].Resource;
        Assert.That(provider.Config.Fields["port"].NumberValue, Is.EqualTo(5432));
        Assert.That(provider.Config.Fields["note"].StringValue, Is.EqualTo("no"));
        var role = (Role)set.Manifests[2].Resource;
        Assert.That(role.Parameters[0].Type, Is.EqualTo(RoleParameter.Types.Type.Enum));
        Assert.That(((PolicySet)set.Manifests[5].Resource).Text, Is.EqualTo("permit(principal, action, resource);\n"));
    }

    [Test]
    public void Reads_a_source_that_leaves_all_to_its_preset_and_one_that_accepts_tokens_without_typ()
    {
        var set = Read("kind: IdentitySource\nname: ci\nspec:\n  type: oidc\n  preset: github\n---\nkind: IdentitySource\nname: own\nspec:\n  type: oidc\n  oidc: {issuer: \"https://own.example\", typ: [JWT, \"\"]}\n").OrThrow();
        Assert.That(((IdentitySource)set.Manifests[0].Resource).Oidc, Is.Null);
        Assert.That(((IdentitySource)set.Manifests[1].Resource).Oidc.Typ, Is.EqualTo(new[] { "JWT", "" }));
        var written = ManifestWriter.Write(set.Manifests[1].Resource);
        Assert.That(((IdentitySource)Read(written).OrThrow().Manifests[0].Resource).Oidc.Typ, Is.EqualTo(new[] { "JWT", "" }));
    }

    [Test]
    public void Reports_all_errors_at_once_with_line_column_and_path()
    {
        var errors = Read(
            """
            kind: Provider
            name: Books
            spec:
              typo: postgresql
              maxTtl: soon
              max_active_leases: 3
              config:
                flag: yes
            ---
            kind: Rolle
            """).Errors.Select(e => e.ToString()).ToArray();

        Assert.That(errors, Is.EqualTo(new[]
        {
            "m.yaml:2:7: name: 'providers/Books' is not a name: 1 to 63 lower-case letters, digits and hyphens, the first a letter and the last no hyphen.",
            "m.yaml:4:3: spec.typo: There is no such key. Did you mean 'type'?",
            "m.yaml:4:3: spec.type: This is required.",
            "m.yaml:5:11: spec.maxTtl: 'soon' is no duration such as 90s, 15m or 1h30m.",
            "m.yaml:6:3: spec.max_active_leases: There is no such key. Did you mean 'maxActiveLeases'?",
            "m.yaml:8:11: spec.config.flag: 'yes' means different things to different readers of YAML: quote it, or write true, false, null or a decimal number.",
            "m.yaml:10:7: kind: 'Rolle' is no kind. Did you mean 'Role'?",
        }));
    }

    [TestCase("kind: Hook\nkind: Hook\nname: a\nspec: {}", "2:1: kind: This key was given before, in line 1.")]
    [TestCase("kind: Hook\nname: &a x\nspec: {}", "Anchors and aliases are not used")]
    [TestCase("kind: Hook\nname: *a\nspec: {}", "Anchors and aliases are not used")]
    [TestCase("kind: !!str Hook\nname: x\nspec: {}", "Tags are not used")]
    [TestCase("kind: Hook\nname: !<tag:evil> x\nspec: {}", "Tags are not used")]
    [TestCase("%TAG !e! tag:evil,2000:\n---\nkind: Hook\nname: x\nspec: {}", "YAML directives are not used")]
    [TestCase("kind: Provider\nname: a\nspec:\n  type: token\n  config:\n    <<: {a: 1}", "Merge keys are not used")]
    [TestCase("kind: Provider\nname: a\nspec:\n  type: token\n  config:\n    ? [a]\n    : 1", "A key is a text.")]
    [TestCase("kind: Hook\nname: x\nspec: [", "This is not YAML")]
    [TestCase("just text", "A mapping with kind, name and spec is expected.")]
    [TestCase("kind: Hook\nname: x\nspec:\n  secret:\n", "There is no value")]
    [TestCase("kind: Hook\nname: x\nspec: {}\nstatus: {uuid: a}", "status.uuid: There is no such key. Did you mean 'uid'?")]
    [TestCase("kind: Role\nname: reader\nspec: {kind: login}", "'reader' is not a name such as providers/x/roles/y")]
    [TestCase("kind: Hook\nname: x\nparent: providers/y\nspec: {}", "A Hook has no parent.")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, maxActiveLeases: 1.5}", "A whole number is expected.")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, maxActiveLeases: -1}", "At least 0.")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, maxTtl: 900d}", "At most 604800s.")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, reviewBy: 2030-02-31}", "is no date")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, reviewBy: '2030-01-31T10:00:00'}", "is no date")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, config: {n: 0x1F}}", "means different things")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, config: {n: 12345678901234567890}}", "larger than JSON's readers agree on")]
    [TestCase("kind: Provider\nname: a\nspec: {type: token, config: {n: }}", "There is no value")]
    [TestCase("kind: PolicySet\nname: a\nspec: {kind: SCOPED, textFile: base.cedar}", "There is no folder to read it from")]
    [TestCase("kind: Hook\nname: x\nspec: {}\n---\nkind: Hook\nname: x\nspec: {}", "hooks/x is in m.yaml:1:1 already.")]
    public void Refuses_what_could_be_read_in_two_ways(string yaml, string error) =>
        Assert.That(Read(yaml).Errors.Select(e => e.ToString()), Has.Some.Contains(error));

    [Test]
    public void Refuses_characters_that_hide_what_a_file_says([Values(0x1B, 0x202E, 0x2066, 0xE0041, 0x9B, 0x2028)] int character)
    {
        var error = Read($"kind: Hook\nname: a{char.ConvertFromUtf32(character)}b\nspec: {{}}").Errors.Single();

        Assert.That(error.Source, Is.EqualTo(new SourceMark("m.yaml", 2, 8)));
        Assert.That(error.ToString(), Does.Contain($"U+{character:X4}"));
    }

    [Test]
    public void Shows_hostile_values_escaped_in_errors()
    {
        var error = Read("kind: \"Ho\\e[31mok\\u202e\"\nname: x\nspec: {}").Errors.Single();

        Assert.That(error.ToString(), Does.Contain(@"'Ho\u001b[31mok\u202e' is no kind"));
    }

    [Test]
    public void Never_expands_a_bomb_of_aliases()
    {
        var bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + string.Concat("bcdefghi".Select(c => $"{c}: &{c} [{string.Join(',', Enumerable.Repeat($"*{(char)(c - 1)}", 9))}]\n"));

        Assert.That(Read(bomb).Errors.Select(e => e.Message), Has.Some.Contains("Anchors and aliases"));
    }

    [Test]
    public void Stops_at_the_limits_of_depth_size_and_number()
    {
        Assert.That(Read(new string('[', 200_000)).Errors.Single().Message, Does.Contain("Nested deeper than 24"));
        Assert.That(Read(string.Concat(Enumerable.Repeat("- - - - - - - - - - - - - ", 40))).Errors.Single().Message, Does.Contain("Nested deeper"));
        Assert.That(Read($"[{string.Join(',', Enumerable.Repeat("1", 200_000))}]").Errors.Single().Message, Does.Contain("More than 100000 values"));
        Assert.That(Read(string.Concat(Enumerable.Repeat("---\na\n", 2000))).Errors.Select(e => e.Message), Has.Some.Contains("at most 1000 documents"));
        Assert.That(Read(new string('x', 5_000_000)).Errors.Single().Message, Does.Contain("larger than"));
        Assert.That(Read(string.Concat(Enumerable.Repeat("a: 1\n", 5000))).Errors, Has.Count.LessThan(205));
    }

    [Test]
    public void Takes_a_role_by_its_parent_too()
    {
        var manifest = Read("kind: Role\nname: reader\nparent: books\nspec: {kind: login}").OrThrow().Manifests.Single();

        Assert.That(manifest.Name, Is.EqualTo("providers/books/roles/reader"));
    }

    private static ManifestSet Read(string yaml) => ManifestReader.Read(yaml, "m.yaml");
}
