using System.Text.Json.Nodes;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>What came of one row of a table.</summary>
/// <param name="Test">The row.</param>
/// <param name="Answer">What policy says.</param>
/// <param name="Differences">What was expected and what came, where they differ.</param>
internal sealed record TestResult(PolicyTest Test, Answer Answer, IReadOnlyList<(string What, string Expected, string Actual)> Differences)
{
    public bool Passed => Differences.Count == 0;
}

/// <summary>Asks what tables ask.</summary>
internal static class PolicyTests
{
    /// <summary>The policies that a table is about.</summary>
    /// <exception cref="ManifestException">A manifest is wrong.</exception>
    public static PolicyBook BookOf(PolicyTable table)
    {
        var folder = Path.GetDirectoryName(table.File) ?? "";
        var errors = new List<ManifestError>();
        string[] paths = table.Policies.Count > 0 ? [.. table.Policies.Select(path => Path.Combine(folder, path))] : [folder.Length == 0 ? "." : folder];
        List<PolicySource> sources = [.. paths.SelectMany(path => PolicySource.Load(path, table.Kind, errors))];
        if (errors.Count > 0) throw new ManifestException(errors);
        if (sources.Count == 0) throw new CliException(ExitCodes.Usage, $"{table.File}: there are no policies beside it.");
        return ToBook(sources.Select(source => source.Set));
    }

    /// <summary>Compiles sets, each name once.</summary>
    public static PolicyBook ToBook(IEnumerable<PolicySetDefinition> sets)
    {
        var compiled = new List<CompiledPolicySet>();
        var check = new PolicySetCheck(PolicySource.Schema);
        foreach (var set in sets)
        {
            if (compiled.Exists(other => other.Name == set.Name)) throw new CliException(ExitCodes.Usage, $"Two policy sets are called {set.Name}.");
            // What the broker would not load must not pass for what it decides by.
            var faults = check.Check(set);
            if (faults.Count > 0) throw new CliException(ExitCodes.Findings, $"The broker would refuse {set.Name}:\n{string.Join('\n', faults.Select(fault => fault.At is null ? fault.ToString() : fault.At.Show(set.Text)))}");
            compiled.Add(new PolicySource(set, KindIsKnown: true).Compile());
        }

        return new PolicyBook(compiled);
    }

    public static TestResult Run(PolicyTest test, Given given, PolicyBook book)
    {
        var answer = book.Ask(TestQuestions.LineOf(test, given), PolicySource.Schema);
        return new TestResult(test, answer, [.. Compare(test.Expected!, answer.Verdict)]);
    }

    public static JsonObject ToJson(TestResult result) => new()
    {
        ["name"] = result.Test.Name,
        ["line"] = result.Test.Mark.Line,
        ["passed"] = result.Passed,
        ["decision"] = Word(result.Answer.Verdict),
        ["by"] = new JsonArray([.. result.Answer.Verdict.Determining.Select(policy => JsonValue.Create(policy.Id))]),
        ["maxTtl"] = result.Answer.Verdict.MaxTtl is { } life ? Show.Span(life) : null,
        ["refusedAbove"] = result.Answer.Verdict.RefusedAbove,
        ["errors"] = new JsonArray([.. result.Answer.Verdict.Errors.Select(error => JsonValue.Create(error))]),
        ["differences"] = new JsonArray([.. result.Differences.Select(difference => (JsonNode)new JsonObject
        {
            ["what"] = difference.What, ["expected"] = difference.Expected, ["actual"] = difference.Actual,
        })]),
    };

    private static IEnumerable<(string, string, string)> Compare(Expected expected, Verdict verdict)
    {
        if (expected.Allow != verdict.Allowed || (expected.Approval && !verdict.AwaitsApproval)) yield return ("decision", Word(expected.Allow, expected.Approval), Word(verdict));
        if (expected.By is { } by && !IsBy(by, verdict)) yield return ("by", List(by.Order(StringComparer.Ordinal)), List(verdict.Determining.Select(policy => policy.Id)));
        if (expected.MaxTtl is { } life && (verdict.MaxTtl ?? TimeSpan.Zero) != life) yield return ("maxTtl", Life(life), Life(verdict.MaxTtl ?? TimeSpan.Zero));
        // A policy that fails denies: a row that does not say so did not mean it.
        if (expected.Errors != verdict.Errors.Count > 0) yield return ("errors", expected.Errors ? "some" : "none", List(verdict.Errors));
        if (expected.RefusedAbove is { } above && above != verdict.RefusedAbove) yield return ("refusedAbove", above, verdict.RefusedAbove ?? "none");
    }

    private static bool IsBy(IReadOnlyList<string> expected, Verdict verdict) => expected.Count == verdict.Determining.Count
        && expected.All(name => verdict.Determining.Any(policy => policy.Id == name || policy.Id[(policy.Id.IndexOf('/', StringComparison.Ordinal) + 1)..] == name));

    private static string Word(Verdict verdict) => Word(verdict.Allowed, verdict.AwaitsApproval);

    private static string Word(bool allow, bool approval) => allow ? "allow" : approval ? "approval" : "deny";

    private static string List(IEnumerable<string> items) => string.Join(", ", items) is { Length: > 0 } list ? list : "none";

    private static string Life(TimeSpan life) => life == TimeSpan.Zero ? "none" : Show.Span(life);
}
