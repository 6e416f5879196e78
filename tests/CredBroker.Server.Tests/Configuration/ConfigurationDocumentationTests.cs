using CredBroker.Server.Configuration;

namespace CredBroker.Server.Tests.Configuration;

/// <summary>What is documented is what there is.</summary>
internal sealed class ConfigurationDocumentationTests
{
    private static string Root => Ancestors(TestContext.CurrentContext.TestDirectory).First(folder => File.Exists(Path.Combine(folder, "CredBroker.sln")));

    [Test]
    public void Every_key_is_documented_and_nothing_else()
    {
        var documented = File.ReadLines(Path.Combine(Root, "docs", "configuration.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]).ToList();
        Assert.That(documented, Is.EquivalentTo(Shape.Of(typeof(ServerConfiguration)).Paths()));
    }

    [Test]
    public void The_example_is_valid()
    {
        using var folder = new TemporaryFolder();
        const string Key = "cWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=";
        Directory.CreateDirectory(Path.Combine(folder.Path, "manifests"));
        foreach (var name in new[] { "wrapping.key", "hook.secret" }) folder.Write(name, Key);
        var text = File.ReadAllText(Path.Combine(Root, "docs", "credbroker.example.yaml"))
            .Replace("/etc/credbroker", folder.Path, StringComparison.Ordinal).Replace("/var/lib/credbroker", folder.Path, StringComparison.Ordinal);
        var result = new ConfigurationReader(new Dictionary<string, string>()).Read(folder.Write("credbroker.yaml", text), create: false);
        Assert.That((result as ConfigurationResult.Invalid)?.Errors ?? [], Is.Empty);
    }

    [Test]
    public void Every_key_can_be_spelled_as_a_variable_and_back()
    {
        foreach (var key in Shape.Of(typeof(ServerConfiguration)).Paths().SelectMany(path => path.Replace("[]", "", StringComparison.Ordinal).Split('.')).Distinct())
            Assert.That(EnvironmentOverlay.Spell(key).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant(), Is.EqualTo(key.ToLowerInvariant()));
    }

    private static IEnumerable<string> Ancestors(string folder)
    {
        for (var at = folder; at is not null; at = Path.GetDirectoryName(at)) yield return at;
    }
}
