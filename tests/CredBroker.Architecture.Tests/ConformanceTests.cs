using System.Text.RegularExpressions;

namespace CredBroker.Architecture.Tests;

/// <summary>No provider without the suite that every provider passes, and no database without the suite of the stores.</summary>
internal sealed partial class ConformanceTests
{
    private const string SuiteName = "ProviderConformance";

    [Test]
    public void Every_provider_runs_the_conformance_suite()
    {
        var providers = Repository.Projects.Where(project => project.Area == "providers").ToList();
        Assert.That(providers, Is.Not.Empty);
        Assert.That(providers.Where(provider => !RunsSuite(provider)).Select(provider => $"{provider.Name}: tests/CredBroker.{provider.Name}.Tests has no fixture that inherits {SuiteName}"), Is.Empty);
    }

    [Test]
    public void The_suite_itself_is_where_provider_authors_find_it() =>
        Assert.That(Repository.Files("*.cs").Where(file => file.StartsWith("src/CredBroker.Testing/", StringComparison.Ordinal)).Where(file => IsSuite().IsMatch(Repository.ReadText(file))), Is.Not.Empty);

    private static bool RunsSuite(Project provider)
    {
        var folder = $"tests/CredBroker.{provider.Name}.Tests/";
        return Repository.Files("*.cs").Where(file => file.StartsWith(folder, StringComparison.Ordinal)).Any(file => Inherits().IsMatch(Repository.ReadText(file)));
    }

    [GeneratedRegex($@"public abstract (partial )?class {SuiteName}\b")]
    private static partial Regex IsSuite();

    [GeneratedRegex($@"class \w+[^\n;{{]*:\s*{SuiteName}\b")]
    private static partial Regex Inherits();
}
