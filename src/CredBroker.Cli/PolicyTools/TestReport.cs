using System.Text.Json.Nodes;
using CredBroker.Cli.Commands;
using CredBroker.Cli.Output;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>Runs tables and tells of them: what passed in a line, what failed with what was expected, what came, and why.</summary>
internal sealed class TestReport(TextWriter output, bool quiet, bool json)
{
    private readonly JsonArray _tables = [];

    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public void Add(PolicyTable table, PolicyBook book)
    {
        List<TestResult> results = [.. table.Tests.Select(test => PolicyTests.Run(test, table.Given, book))];
        Passed += results.Count(result => result.Passed);
        Failed += results.Count(result => !result.Passed);
        var decided = results.SelectMany(result => result.Answer.Verdict.Determining).Select(policy => policy.Id).ToHashSet(StringComparer.Ordinal);
        List<string> untouched = [.. book.Sets.SelectMany(set => set.Policies.Select(policy => PolicyBook.NameOf(set, policy))).Where(name => !decided.Contains(name))];
        if (json)
        {
            _tables.Add((JsonNode)new JsonObject
            {
                ["file"] = table.File,
                ["tests"] = new JsonArray([.. results.Select(result => (JsonNode)PolicyTests.ToJson(result))]),
                ["policiesThatDecideNothing"] = new JsonArray([.. untouched.Select(name => JsonValue.Create(name))]),
            });
            return;
        }

        if (!quiet || results.Exists(result => !result.Passed)) Line(table.File);
        foreach (var result in results) Tell(result, book);
        if (!quiet && untouched.Count > 0) Line($"  decided by no test: {string.Join(", ", untouched)}");
    }

    public void End(Printer printer)
    {
        if (json) output.WriteLine(MessageJson.Text(new JsonObject { ["tables"] = _tables, ["passed"] = Passed, ["failed"] = Failed }));
        printer.Note($"{PolicyToolCommands.Count(Passed + Failed, "test", "tests")}: {Passed} passed, {Failed} failed.");
    }

    private void Tell(TestResult result, PolicyBook book)
    {
        if (result.Passed)
        {
            if (!quiet) Line($"  ok    {result.Test.Name}");
            return;
        }

        Line($"  FAIL  {result.Test.Name}  (line {result.Test.Mark.Line})");
        foreach (var (what, expected, actual) in result.Differences)
        {
            Line($"        - {what}: {expected}");
            Line($"        + {what}: {actual}");
        }

        foreach (var line in ExplanationText.Lines(book, result.Answer.Question, result.Answer.Verdict, all: false)) Line(line.Length == 0 ? "" : $"          {line}");
    }

    private void Line(string text) => output.WriteLine(SafeText.Line(text));
}
