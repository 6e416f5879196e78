using System.CommandLine;
using System.Globalization;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Cli.PolicyTools;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

/// <summary>Asks recorded decisions again, under other policies.</summary>
internal static class ReplayCommand
{
    public static Command Build(CliHost host)
    {
        var paths = new Argument<string[]>("path") { Description = "Cedar files, manifests, and folders with such files: each set replaces the broker's set of its name.", Arity = ArgumentArity.OneOrMore };
        var since = Options.Duration("--since", "How far back, such as 24h or 7d; 24h without it.");
        var task = Options.Text("--task", "Only decisions for this task.", "task");
        var only = Options.Flag("--only", "Without the broker's other sets.");
        var kind = PolicyToolCommands.Kind();
        var limit = new Option<int>("--limit") { Description = "Most decisions to ask again.", HelpName = "number", DefaultValueFactory = _ => 100_000 };
        return new Command("replay", "Asks the broker's recorded decisions again under other policies, and says what would change. Exit code 8 when something would. For auditors.")
        {
            paths, since, task, only, kind, limit,
        }.Does(host, async context =>
        {
            var replay = new Replay(await ServerSets.BookAsync(context, context.Get(paths), context.Get(kind), context.Get(only)));
            var from = (context.Host.Time.GetUtcNow() - (context.Get(since) ?? TimeSpan.FromHours(24))).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            await ReadAsync(context, AuditCommands.WithTask($"create_time >= \"{from}\"", context.Get(task)), context.Get(limit), replay);
            if (context.Printer.Format == OutputFormat.Json) context.Host.Out.WriteLine(MessageJson.Text(replay.Json()));
            else foreach (var line in replay.Lines()) context.Host.Out.WriteLine(SafeText.Line(line));
            // Where nothing could be asked although something was decided, nothing was shown to stay as it is.
            return replay.Changed > 0 || (replay.Asked == 0 && replay.Unsaid > 0) ? ExitCodes.Findings : ExitCodes.Ok;
        });
    }

    // Page by page: what was asked is large, and none of it is needed any longer than it is looked at.
    private static async Task ReadAsync(CliContext context, string filter, int limit, Replay replay)
    {
        var read = 0;
        for (var token = ""; ;)
        {
            var request = new ListDecisionsRequest { Filter = filter, PageToken = token, PageSize = 50, WithQuestions = true };
            var page = await context.Client.Decisions.ListDecisionsAsync(request, cancellationToken: context.Cancellation);
            foreach (var decision in page.Decisions.Take(limit - read)) replay.Add(decision);
            read += page.Decisions.Count;
            token = page.NextPageToken;
            if (token.Length == 0) return;
            if (read < limit) continue;
            context.Printer.Note($"Only the first {limit} were asked again: there are more (--limit).");
            return;
        }
    }
}
