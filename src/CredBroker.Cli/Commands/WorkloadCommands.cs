using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Commands;

internal static class WorkloadCommands
{
    private static readonly Column<Workload>[] Columns =
    [
        new("NAME", w => w.Name), new("IDENTITY SOURCE", w => w.IdentitySource), new("SUBJECT", w => w.Subject), new("LAST SEEN", w => Show.Time(w.LastSeenTime)),
        new("LEASES", w => Show.Number(w.ActiveLeaseCount)), new("STATE", w => w.Suspended ? "suspended" : w.RefusedStableIds.Count > 0 ? "refused: other stable ids" : "active"),
    ];

    public static Command Build(CliHost host) => new("workloads", "Callers that were seen, and what they hold.")
    {
        Aliases = { "workload" },
        Subcommands = { List(host), Get(host), Accept(host) },
    };

    private static Command List(CliHost host)
    {
        var filter = Options.Filter("'identity_source = \"identitySources/ci\"'");
        var limit = Options.Limit();
        return new Command("list", "Lists all, in the order in which they were first seen.") { filter, limit }.Does(host, async context => context.Printer.List(
            "workloads",
            await context.ListAsync<Workload>(context.Get(limit), async (token, size) =>
            {
                var page = await context.Client.Workloads.ListWorkloadsAsync(new() { Filter = context.Get(filter) ?? "", PageToken = token, PageSize = size }, cancellationToken: context.Cancellation);
                return (page.Workloads, page.NextPageToken);
            }),
            Columns));
    }

    private static Command Get(CliHost host)
    {
        var name = Options.Name("The workload's name.", "workload");
        return new Command("get", "Shows one.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Workloads.GetWorkloadAsync(new() { Name = Options.Full("workloads", context.Get(name)) }, cancellationToken: context.Cancellation)));
    }

    private static Command Accept(CliHost host)
    {
        var name = Options.Name("The workload's name.", "workload");
        var ids = Options.Pairs("--stable-id", "An id to accept, as get shows it; may be given several times.");
        ids.Required = true;
        return new Command("accept-identity", "Accepts that a subject whose stable ids changed may call again, as a new workload that inherits nothing.") { name, ids }.Does(host, async context =>
        {
            var request = new AcceptWorkloadIdentityRequest { Name = Options.Full("workloads", context.Get(name)) };
            request.StableIds.Add(Options.ToPairs(context.Get(ids)));
            context.Printer.Item(await context.Client.Workloads.AcceptWorkloadIdentityAsync(request, cancellationToken: context.Cancellation));
        });
    }
}
