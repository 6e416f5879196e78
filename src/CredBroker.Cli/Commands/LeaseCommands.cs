using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Commands;

internal static class LeaseCommands
{
    private static readonly Column<Lease>[] Columns =
    [
        new("NAME", l => l.Name), new("ROLE", l => l.Role), new("STATE", l => Show.Name(l.State)), new("EFFECTIVE", l => Show.Name(l.EffectiveState)), new("EXPIRES", l => Show.Time(l.ExpireTime)),
        new("ENDED BY", l => Show.Name(l.EndReason)), new("PROVEN DEAD", l => Show.Time(l.DeadTime)), new("ATTEMPTS", l => l.Attempts == 0 ? "" : Show.Number(l.Attempts)), new("LAST ERROR", l => l.LastError?.Kind ?? ""),
    ];

    public static Command Build(CliHost host) => new("leases", "Credentials issued for tasks, from reservation to proven death.")
    {
        Aliases = { "lease" },
        Subcommands = { List(host), Get(host), IssueCommand.Build(host), RenewCommand.Build(host), Revoke(host), WriteOff(host) },
    };

    /// <summary>A lease's whole name; its id is enough.</summary>
    public static string FullName(string given) => given.Contains('/', StringComparison.Ordinal) ? given : $"tasks/-/leases/{given}";

    private static Command List(CliHost host)
    {
        var task = Options.Text("--task", "Only those of this task.", "task");
        var filter = Options.Filter("'state = REVOKING'");
        var limit = Options.Limit();
        return new Command("list", "Lists those that the caller may see, oldest first.") { task, filter, limit }.Does(host, async context => context.Printer.List(
            "leases",
            await context.ListAsync<Lease>(context.Get(limit), async (token, size) =>
            {
                var request = new ListLeasesRequest { Parent = Options.Full("tasks", context.Get(task) ?? "-"), Filter = context.Get(filter) ?? "", PageToken = token, PageSize = size };
                var page = await context.Client.Leases.ListLeasesAsync(request, cancellationToken: context.Cancellation);
                return (page.Leases, page.NextPageToken);
            }),
            Columns));
    }

    private static Command Get(CliHost host)
    {
        var name = Options.Name("The lease's name, or its id.", "lease");
        return new Command("get", "Shows one. Its credential is shown to nobody.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Leases.GetLeaseAsync(new() { Name = FullName(context.Get(name)) }, cancellationToken: context.Cancellation)));
    }

    private static Command Revoke(CliHost host)
    {
        var name = Options.Name("The lease's name, or its id.", "lease");
        var wait = Options.Duration("--wait", "Wait so long for the proof that it's dead. Exit code 7 when it isn't.");
        return new Command("revoke", "Ends one: dead at once, then revoked at its target.") { name, wait }.Does(host, async context =>
        {
            var lease = await context.Client.RevokeAsync(FullName(context.Get(name)), context.Get(wait), context.Cancellation);
            context.Printer.Item(lease);
            return context.Get(wait) is not null && lease.State is (Lease.Types.State.Active or Lease.Types.State.Pending or Lease.Types.State.Revoking) ? ExitCodes.NotProven : ExitCodes.Ok;
        });
    }

    private static Command WriteOff(CliHost host)
    {
        var name = Options.Name("The lease's name, or its id.", "lease");
        var reason = Options.Text("--reason", "What you know, and how.", required: true);
        return new Command("write-off", "Closes one whose target is gone for good, on your word. It is never shown as proven.") { name, reason }.Does(host, async context =>
            context.Printer.Item(await context.Client.Leases.WriteOffLeaseAsync(new() { Name = FullName(context.Get(name)), Reason = context.Get(reason) }, cancellationToken: context.Cancellation)));
    }
}
