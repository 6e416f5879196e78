using System.CommandLine;
using System.Net;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Cli.PolicyTools;
using CredBroker.Manifests;
using CredBroker.Manifests.Yaml;
using CredBroker.Policies;

namespace CredBroker.Cli.Commands;

/// <summary>Shows how policy comes to its answer to one request: a row of a table, a recorded decision, or one that is put together by options.</summary>
internal sealed class ExplainCommand
{
    private readonly Argument<string[]> _paths = new("path") { Description = "With --test the table; else Cedar files, manifests, and folders with such files. With --decision they replace the broker's sets of their names.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _test = Options.Text("--test", "The name of a row of the table.", "name");
    private readonly Option<string?> _decision = Options.Text("--decision", "A decision that the broker recorded. For auditors.", "decision");
    private readonly Option<bool> _all = Options.Flag("--all", "Also show the policies that are about something else.");
    private readonly Option<string?> _kind = PolicyToolCommands.Kind();
    private readonly Option<string?> _principal = Options.Text("--principal", "Who asks, as source/subject.", "workload");
    private readonly Option<string?> _action = Options.Text("--action", "What is asked; issue without it.", "action");
    private readonly Option<string?> _role = Options.Text("--role", "The role, as provider/role.", "role");
    private readonly Option<string[]> _attributes = Options.Pairs("--attribute", "What the token proves, named without the source. May be given several times.");
    private readonly Option<string[]> _teams = Options.Many("--team", "A team, named without the source. May be given several times.", "team");
    private readonly Option<string[]> _parameters = Options.Pairs("--param", "A parameter of the role. May be given several times.");
    private readonly Option<string[]> _labels = Options.Pairs("--label", "A label of the task. May be given several times.");
    private readonly Option<string?> _sensitivity = Options.Text("--sensitivity", "The role's sensitivity.");
    private readonly Option<string?> _environment = Options.Text("--environment", "The environment of the source and the provider.", "name");
    private readonly Option<string?> _revocability = Options.Text("--revocability", $"What revoking means: {string.Join(", ", RevocabilityNames.All)}.", "name");
    private readonly Option<string?> _audience = Options.Text("--audience", "The audience, for introspect.");
    private readonly Option<TimeSpan?> _ttl = Options.Duration("--ttl", "The life asked for; 15m without it.");
    private readonly Option<string?> _now = Options.Text("--now", "When it is asked, such as 2030-01-31T22:00:00Z; now without it.", "time");
    private readonly Option<string?> _sourceIp = Options.Text("--source-ip", "From which address; 127.0.0.1 without it.", "address");

    public static Command Build(CliHost host)
    {
        var explain = new ExplainCommand();
        explain._revocability.AcceptOnlyFromAmong([.. RevocabilityNames.All]);
        // What is about a task, a role or nothing can be put together here; what is administered cannot.
        explain._action.AcceptOnlyFromAmong("createTask", "actOnTask", "endTask", "issue", "renew", "introspect", "audit");
        return new Command("explain", "Shows which policies decide a request, which conditions fail, and why: of a row of a table, of a recorded decision, or of a request made of options.")
        {
            explain._paths, explain._test, explain._decision, explain._all, explain._kind, explain._principal, explain._action, explain._role, explain._attributes, explain._teams, explain._parameters,
            explain._labels, explain._sensitivity, explain._environment, explain._revocability, explain._audience, explain._ttl, explain._now, explain._sourceIp,
        }.Does(host, explain.Run);
    }

    private async Task Run(CliContext context)
    {
        var (book, line) = (context.Get(_test), context.Get(_decision)) switch
        {
            ({ } name, null) => OfTable(context.Get(_paths), name),
            (null, { } decision) => await OfDecisionAsync(context, decision),
            (null, null) => OfOptions(context),
            _ => throw new CliException(ExitCodes.Usage, "Either a row of a table is explained, or a decision."),
        };
        Print(context, book, line, context.Get(_all));
    }

    /// <summary>Prints the answer to the last question that was asked of a line: the one that decided.</summary>
    public static void Print(CliContext context, PolicyBook book, IEnumerable<Question> line, bool all)
    {
        var (verdict, decided) = book.Ask(line, PolicySource.Schema);
        if (context.Printer.Format == OutputFormat.Json) context.Host.Out.WriteLine(MessageJson.Text(ExplanationText.Json(book, decided, verdict)));
        else foreach (var text in ExplanationText.Lines(book, decided, verdict, all)) context.Host.Out.WriteLine(SafeText.Line(text));
    }

    private static (PolicyBook, IEnumerable<Question>) OfTable(string[] paths, string name)
    {
        if (paths is not [var path]) throw new CliException(ExitCodes.Usage, "With --test one table is given.");
        var errors = new List<ManifestError>();
        var tables = TableReader.Load(path, errors);
        if (errors.Count > 0) throw new ManifestException(errors);
        var found = tables.SelectMany(table => table.Tests.Where(test => test.Name == name).Select(test => (table, test))).ToList();
        if (found.Count == 0) throw new CliException(ExitCodes.Usage, $"There is no test '{name}'.{StrictYaml.Suggest(name, [.. tables.SelectMany(table => table.Tests.Select(test => test.Name))])}");
        var (ofTable, row) = found[0];
        return (PolicyTests.BookOf(ofTable), TestQuestions.LineOf(row, ofTable.Given));
    }

    private async Task<(PolicyBook, IEnumerable<Question>)> OfDecisionAsync(CliContext context, string name)
    {
        var recorded = await context.Client.Decisions.GetDecisionAsync(new() { Name = Options.Full("decisions", name) }, cancellationToken: context.Cancellation);
        if (recorded.Question.Length == 0 || RecordedLine.Read(recorded.Question) is not { } line)
            throw new CliException(ExitCodes.NotFound, "What was asked for this decision was erased, was not kept, or is not for you to see.");
        if (line.OfNothing) context.Printer.Note("There was no such role: this was denied, whatever policy says.");
        if (line.WithoutWords) context.Printer.Note("What the caller merely said was not kept: intent, labels and declared are empty here.");
        var book = await ServerSets.BookAsync(context, context.Get(_paths), context.Get(_kind), only: false);
        if (book.Hash != recorded.PolicyHash) context.Printer.Note("These are not the policies that it was decided by.");
        return (line.AnyParameters ? book.ForAnyParameters : book, line.Questions);
    }

    private (PolicyBook, IEnumerable<Question>) OfOptions(CliContext context)
    {
        if (context.Get(_paths).Length == 0) throw new CliException(ExitCodes.Usage, "Say where the policies are.");
        var errors = new List<ManifestError>();
        List<PolicySource> sources = [.. context.Get(_paths).SelectMany(path => PolicySource.Load(path, context.Get(_kind), errors))];
        if (errors.Count > 0) throw new ManifestException(errors);
        var asked = new AdHoc
        {
            Principal = context.Get(_principal) ?? throw new CliException(ExitCodes.Usage, "Say who asks by --principal, or name a row of a table by --test."),
            Action = context.Get(_action) ?? "issue",
            Role = context.Get(_role),
            Attributes = Options.ToPairs(context.Get(_attributes)),
            Teams = context.Get(_teams) ?? [],
            Parameters = Options.ToPairs(context.Get(_parameters)),
            Labels = Options.ToPairs(context.Get(_labels)),
            Sensitivity = context.Get(_sensitivity) ?? "",
            Environment = context.Get(_environment) ?? "",
            Revocability = context.Get(_revocability) ?? RevocabilityNames.All[0],
            Audience = context.Get(_audience) ?? "",
            Ttl = context.Get(_ttl),
            Now = context.Get(_now) is { } now ? StrictYaml.Time(now) ?? throw new CliException(ExitCodes.Usage, $"'{now}' is no time such as 2030-01-31T22:00:00Z.") : context.Host.Time.GetUtcNow(),
            SourceIp = IPAddress.TryParse(context.Get(_sourceIp) ?? "127.0.0.1", out var address) ? address : throw new CliException(ExitCodes.Usage, $"'{context.Get(_sourceIp)}' is no IP address."),
        };
        return (PolicyTests.ToBook(sources.Select(source => source.Set)), [asked.ToQuestion()]);
    }
}
