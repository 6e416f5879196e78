using System.CommandLine;
using System.Text.Json.Nodes;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Cli.PolicyTools;
using CredBroker.Contracts;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.Commands;

/// <summary>Policies as code: what can be done with them before a broker has them.</summary>
internal static class PolicyToolCommands
{
    public static IEnumerable<Command> Build(CliHost host) => [Check(host), Test(host), ExplainCommand.Build(host), ReplayCommand.Build(host), Format(host), Schema(host)];

    /// <summary>The kind of the sets that do not say theirs.</summary>
    public static Option<string?> Kind()
    {
        var kind = Options.Text("--kind", "ceiling, scoped or operator: the kind of Cedar files that no manifest names.", "kind");
        kind.AcceptOnlyFromAmong([.. PolicySetKinds.All]);
        return kind;
    }

    private static Command Check(CliHost host)
    {
        var paths = new Argument<string[]>("path") { Description = "Cedar files, manifests, and folders with such files.", Arity = ArgumentArity.OneOrMore };
        var kind = Kind();
        var strict = Options.Flag("--strict", "Warnings are errors.");
        return new Command("check", "Checks policies without a broker, by the rules and the schema of this command's version. Exit code 8 when something is wrong.") { paths, kind, strict }.Does(host, context =>
        {
            var (problems, sets) = FindProblems(context.Get(paths), context.Get(kind));
            if (context.Printer.Format == OutputFormat.Json) context.Host.Out.WriteLine(MessageJson.Text(new JsonObject { ["problems"] = new JsonArray([.. problems.Select(problem => (JsonNode)problem.ToJson())]) }));
            else foreach (var line in problems.SelectMany(problem => problem.Lines)) context.Host.Out.WriteLine(SafeText.Line(line));
            var (errors, warnings) = (problems.Count(problem => !problem.IsWarning), problems.Count(problem => problem.IsWarning));
            context.Printer.Note($"{Count(sets, "policy set", "policy sets")}: {Count(errors, "error", "errors")}, {Count(warnings, "warning", "warnings")}.");
            return Task.FromResult(errors > 0 || (context.Get(strict) && warnings > 0) ? ExitCodes.Findings : ExitCodes.Ok);
        });
    }

    private static (List<Problem> Problems, int Sets) FindProblems(IEnumerable<string> paths, string? kind)
    {
        var check = new PolicySetCheck(PolicySource.Schema);
        var (problems, sets) = (new List<Problem>(), 0);
        foreach (var path in paths)
        {
            var faults = new List<ManifestError>();
            foreach (var source in PolicySource.Load(path, kind, faults))
            {
                sets++;
                problems.AddRange(source.Check(check).Select(fault => Problem.Of(source, fault)));
            }

            problems.AddRange(faults.Select(Problem.Of));
        }

        return (problems, sets);
    }

    private static Command Test(CliHost host)
    {
        var paths = new Argument<string[]>("path") { Description = "Tables of tests, called *.test.yaml, and folders with such tables.", Arity = ArgumentArity.OneOrMore };
        var quiet = Options.Flag("--quiet", "Show only what fails.");
        return new Command("test", "Asks policies what tables of tests ask, without a broker, and compares. Exit code 8 when an answer is another than expected.") { paths, quiet }.Does(host, context =>
        {
            var errors = new List<ManifestError>();
            List<PolicyTable> tables = [.. context.Get(paths).SelectMany(path => TableReader.Load(path, errors))];
            if (errors.Count > 0) throw new ManifestException(errors);
            var report = new TestReport(context.Host.Out, context.Get(quiet), context.Printer.Format == OutputFormat.Json);
            foreach (var table in tables) report.Add(table, PolicyTests.BookOf(table));
            report.End(context.Printer);
            return Task.FromResult(report.Failed > 0 ? ExitCodes.Findings : ExitCodes.Ok);
        });
    }

    private static Command Format(CliHost host)
    {
        var files = new Argument<string[]>("path") { Description = "Cedar files, folders with such files, or - for standard input, whose layout goes to standard output.", Arity = ArgumentArity.OneOrMore };
        var check = new Option<bool>("--check") { Description = "Change nothing; only say what would change. Exit code 8 when something would." };
        return new Command("format", "Lays out Cedar files in place; comments and meaning stay as they are.") { files, check }.Does(host, context =>
        {
            var results = new List<PolicyFormat>();
            foreach (var path in context.Get(files))
            {
                if (path == "-") results.Add(PolicyFormat.OfText(context.Host.In.ReadToEnd(), context.Get(check)));
                else results.AddRange(PolicyFormat.FilesOf(path).Select(file => PolicyFormat.Run(file, write: !context.Get(check))));
            }

            foreach (var line in results.SelectMany(result => result.Lines)) context.Host.Out.WriteLine(SafeText.Line(line));
            var isWrong = results.Any(result => result.IsInvalid || (context.Get(check) && result.WouldChange));
            return Task.FromResult(isWrong ? ExitCodes.Findings : ExitCodes.Ok);
        });
    }

    private static Command Schema(CliHost host)
    {
        var broker = Options.Flag("--broker", "Ask the broker for its own instead, which may be of another version. As text only.");
        return new Command("schema", "Prints the schema that policies are checked against, for editors and other tools: Cedar's text, or its JSON with --output json.") { broker }.Does(host, async context =>
        {
            if (context.Get(broker)) context.Printer.Text((await context.Client.PolicySets.GetPolicySchemaAsync(new(), cancellationToken: context.Cancellation)).Text);
            else context.Printer.Text(context.Printer.Format == OutputFormat.Json ? PolicySource.Schema.Schema.ToJson() + "\n" : BrokerSchema.ReadText());
        });
    }

    public static string Count(int count, string one, string many) => FormattableString.Invariant($"{count} {(count == 1 ? one : many)}");
}
