using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using CredBroker.Contracts;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Tests.Documentation;

/// <summary>What the documentation shows is what the broker takes.</summary>
public sealed partial class PolicyExamplesTests
{
    private static readonly PolicySetCheck Check = new(new PolicySchema(BrokerSchema.ReadText()));

    [TestCaseSource(nameof(Examples))]
    public void Accepts_every_policy_that_the_documentation_shows(string kind, string text)
    {
        Assert.That(Check.Check("example", new PolicySetSpec { Kind = kind, Text = text }), Is.Empty);
    }

    [Test]
    public void Finds_the_examples() => Assert.That(Examples().Count(), Is.GreaterThanOrEqualTo(10));

    private static IEnumerable<TestCaseData> Examples() => new[] { "docs/policy/reference.md", "docs/policy/README.md", "README.md" }
        .Select(name => Path.Combine(Root(), name))
        .Where(File.Exists)
        .SelectMany(path => ExamplesOf(Path.GetFileName(path), File.ReadAllText(path)));

    // "In a set of kind `operator`" in the paragraph before a block says which kind it is for.
    private static IEnumerable<TestCaseData> ExamplesOf(string file, string text) => Block().Matches(text).Select(block =>
    {
        var before = text[..block.Index].TrimEnd();
        var paragraph = before[Math.Max(0, before.LastIndexOf("\n\n", StringComparison.Ordinal))..];
        var kind = Kind().Match(paragraph) is { Success: true } said ? said.Groups[1].Value : PolicySetKinds.Scoped;
        var line = text[..block.Index].Count(character => character == '\n') + 1;
        return new TestCaseData(kind, block.Groups[1].Value).SetArgDisplayNames($"{file}:{line}");
    });

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));

    [GeneratedRegex(@"^```cedar\r?\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("set of kind `([a-z]+)`")]
    private static partial Regex Kind();
}
