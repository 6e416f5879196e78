using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.Cli.Commands;

internal static class TaskCommands
{
    private static readonly Column<AgentTask>[] Columns =
    [
        new("NAME", t => t.Name), new("STATE", t => Show.Name(t.State)), new("WHAT", t => t.Intent?.What ?? ""), new("PERFORMER", t => t.Performer?.Subject ?? ""),
        new("OPENED", t => Show.Time(t.CreateTime)), new("DEADLINE", t => Show.Time(t.Deadline)), new("OUTCOME", t => Show.Name(t.Outcome)), new("ENDED BY", t => Show.Name(t.EndReason)),
    ];

    public static Command Build(CliHost host) => new("tasks", "Bounded pieces of work: every credential belongs to one.")
    {
        Aliases = { "task" },
        Subcommands = { List(host), Get(host), Create(host), Heartbeat(host), KeepAlive(host), End(host), EraseTexts(host) },
    };

    private static Command List(CliHost host)
    {
        var filter = Options.Filter("'state = RUNNING'");
        var limit = Options.Limit();
        return new Command("list", "Lists those that the caller may see, oldest first.") { filter, limit }.Does(host, async context => context.Printer.List(
            "tasks",
            await context.ListAsync<AgentTask>(context.Get(limit), async (token, size) =>
            {
                var page = await context.Client.Tasks.ListTasksAsync(new() { Filter = context.Get(filter) ?? "", PageToken = token, PageSize = size }, cancellationToken: context.Cancellation);
                return (page.Tasks, page.NextPageToken);
            }),
            Columns));
    }

    private static Command Get(CliHost host)
    {
        var name = Options.Name("The task's name.", "task");
        return new Command("get", "Shows one.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Tasks.GetTaskAsync(new() { Name = Options.Full("tasks", context.Get(name)) }, cancellationToken: context.Cancellation)));
    }

    private static Command Create(CliHost host)
    {
        var what = Options.Text("--what", "What is to be done.", required: true);
        var forWhom = Options.Text("--for-whom", "For whom.");
        var data = Options.Text("--data", "On which data.");
        var labels = Options.Pairs("--label", "A word for machines; may be given several times.");
        var ttl = Options.Duration("--ttl", "How long it may run. An hour without it.");
        var heartbeat = Options.Duration("--heartbeat", "How often a heartbeat will come. None is expected without it.");
        var parent = Options.Text("--parent", "The task above it.", "task");
        var source = Options.Text("--performer-source", "The identity source of who performs it, if not the caller.", "name");
        var subject = Options.Text("--performer-subject", "Who performs it, there.", "subject");
        var requestId = Options.Text("--request-id", "Makes a repeat safe: the same id returns the same task.", "id");
        var command = new Command("create", "Opens a task.") { what, forWhom, data, labels, ttl, heartbeat, parent, source, subject, requestId };
        return command.Does(host, async context =>
        {
            var task = new AgentTask
            {
                Intent = new() { What = context.Get(what), ForWhom = context.Get(forWhom) ?? "", Data = context.Get(data) ?? "" },
                Parent = context.Get(parent) is { } above ? Options.Full("tasks", above) : "",
            };
            task.Intent.Labels.Add(Options.ToPairs(context.Get(labels)));
            if (context.Get(ttl) is { } life) task.Ttl = Duration.FromTimeSpan(life);
            if (context.Get(heartbeat) is { } interval) task.HeartbeatInterval = Duration.FromTimeSpan(interval);
            if (context.Get(source) is { } issuer) task.Performer = new() { IdentitySource = Options.Full("identitySources", issuer), Subject = context.Get(subject) ?? "" };
            context.Printer.Item(await context.Client.CreateTaskAsync(task, context.Get(requestId), context.Cancellation));
        });
    }

    private static Command Heartbeat(CliHost host)
    {
        var name = Options.Name("The task's name.", "task");
        return new Command("heartbeat", "Says that the task is still being worked on.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Tasks.HeartbeatAsync(new() { Name = Options.Full("tasks", context.Get(name)) }, cancellationToken: context.Cancellation)));
    }

    private static Command KeepAlive(CliHost host)
    {
        var name = Options.Name("The task's name.", "task");
        return new Command("keep-alive", "Holds a line that keeps the task alive: when it breaks, the task ends. Ends with the task.") { name }.Does(host, async context =>
        {
            var ended = false;
            while (!ended)
            {
                using var line = context.Client.Tasks.KeepTaskAlive(new() { Name = Options.Full("tasks", context.Get(name)) }, cancellationToken: context.Cancellation);
                var signal = KeepTaskAliveResponse.Types.Signal.Unspecified;
                await foreach (var message in line.ResponseStream.ReadAllAsync(context.Cancellation))
                {
                    if (message.Signal != signal) context.Printer.Note($"{Show.Name(message.Signal)} {Show.Time(message.AliveUntil)}".TrimEnd());
                    signal = message.Signal;
                }

                // `RECONNECT`, or the token's end: the line is taken up again, with a fresh token. Whoever hands out tokens may need a moment for that.
                ended = signal is KeepTaskAliveResponse.Types.Signal.TaskEnded or KeepTaskAliveResponse.Types.Signal.Unspecified;
                if (!ended) await Task.Delay(TimeSpan.FromSeconds(1), context.Host.Time, context.Cancellation);
            }
        });
    }

    private static Command End(CliHost host)
    {
        var name = Options.Name("The task's name.", "task");
        var outcome = Options.Text("--outcome", "succeeded, failed or cancelled.", "outcome", required: true);
        outcome.AcceptOnlyFromAmong("succeeded", "failed", "cancelled");
        var wait = Options.Duration("--wait", "Wait so long for the proof that everything is dead. Exit code 7 when something isn't.");
        return new Command("end", "Ends a task and all below it: everything that they hold is dead at once, and is then revoked.") { name, outcome, wait }.Does(host, async context =>
        {
            var answer = await context.Client.EndTaskAsync(
                Options.Full("tasks", context.Get(name)), System.Enum.Parse<Outcome>(context.Get(outcome)!, ignoreCase: true), context.Get(wait), context.Cancellation);
            context.Printer.Item(answer);
            return context.Get(wait) is not null && answer.Unproven > 0 ? ExitCodes.NotProven : ExitCodes.Ok;
        });
    }

    private static Command EraseTexts(CliHost host)
    {
        var name = Options.Name("The task's name.", "task");
        var yes = AdminCommands.YesOption();
        return new Command("erase-texts", "Erases the free texts of a task that has ended and of all below it: intent, labels, what providers said. What happened, and its proof, stays.") { name, yes }.Does(host, async context =>
        {
            var task = Options.Full("tasks", context.Get(name));
            context.Confirm($"Erase the texts of {task} and of all below it for good?", context.Get(yes));
            context.Printer.Item(await context.Client.Tasks.EraseTaskTextsAsync(new() { Name = task }, cancellationToken: context.Cancellation));
        });
    }
}
