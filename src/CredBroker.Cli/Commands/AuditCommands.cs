using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Commands;

internal static class DecisionCommands
{
    private static readonly Column<Decision>[] Columns =
    [
        new("NAME", d => d.Name), new("TIME", d => Show.Time(d.CreateTime)), new("PRINCIPAL", d => d.Principal), new("ACTION", d => d.Action), new("RESOURCE", d => d.Resource), new("EFFECT", d => Show.Name(d.Effect)),
        new("BY", d => string.Join(", ", d.Policies.Select(p => $"{p.PolicySet} {p.Policy}"))), new("ERRORS", d => string.Join("; ", d.Errors)),
    ];

    public static Command Build(CliHost host)
    {
        var task = Options.Text("--task", "Only those for this task.", "task");
        var filter = Options.Filter("'create_time > \"2030-01-31T00:00:00Z\"'");
        var limit = Options.Limit();
        var list = new Command("list", "Lists them, oldest first.") { task, filter, limit }.Does(host, async context => context.Printer.List(
            "decisions",
            await context.ListAsync<Decision>(context.Get(limit), async (token, size) =>
            {
                var request = new ListDecisionsRequest { Filter = AuditCommands.WithTask(context.Get(filter), context.Get(task)), PageToken = token, PageSize = size };
                var page = await context.Client.Decisions.ListDecisionsAsync(request, cancellationToken: context.Cancellation);
                return (page.Decisions, page.NextPageToken);
            }),
            Columns));
        var name = Options.Name("The decision's name.", "decision");
        var get = new Command("get", "Shows one, with the context that it was decided on.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Decisions.GetDecisionAsync(new() { Name = Options.Full("decisions", context.Get(name)) }, cancellationToken: context.Cancellation)));
        return new("decisions", "What policy said.") { Aliases = { "decision" }, Subcommands = { list, get } };
    }
}

internal static class AuditCommands
{
    private static readonly Column<AuditEvent>[] Columns =
    [
        new("TIME", e => Show.Time(e.Time)), new("TYPE", e => e.Type), new("PRINCIPAL", e => e.Principal), new("TASK", e => e.Task), new("LEASE", e => e.Lease), new("RESOURCE", e => e.Resource), new("NAME", e => e.Name),
    ];

    public static Command Build(CliHost host)
    {
        var task = Options.Text("--task", "Only this task's story.", "task");
        var filter = Options.Filter("'type = \"lease.activated\"'");
        var limit = Options.Limit();
        var list = new Command("list", "Lists events in the order in which they happened.") { task, filter, limit }.Does(host, async context => context.Printer.List(
            "auditEvents",
            await context.ListAsync<AuditEvent>(context.Get(limit), async (token, size) =>
            {
                var request = new ListAuditEventsRequest { Filter = WithTask(context.Get(filter), context.Get(task)), PageToken = token, PageSize = size };
                var page = await context.Client.AuditEvents.ListAuditEventsAsync(request, cancellationToken: context.Cancellation);
                return (page.AuditEvents, page.NextPageToken);
            }),
            Columns));
        var name = Options.Name("The event's name.", "event");
        var get = new Command("get", "Shows one.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.AuditEvents.GetAuditEventAsync(new() { Name = Options.Full("auditEvents", context.Get(name)) }, cancellationToken: context.Cancellation)));
        return new("audit", "What happened.") { Aliases = { "audit-events", "audit-event" }, Subcommands = { list, get } };
    }

    /// <summary>A filter that also wants the task.</summary>
    public static string WithTask(string? filter, string? task)
    {
        if (task is null) return filter ?? "";
        var ofTask = $"task = {Options.Quoted(Options.Full("tasks", task))}";
        return string.IsNullOrWhiteSpace(filter) ? ofTask : $"{ofTask} AND ({filter})";
    }
}
