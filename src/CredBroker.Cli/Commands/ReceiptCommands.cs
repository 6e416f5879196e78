using System.CommandLine;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;

namespace CredBroker.Cli.Commands;

internal static class ReceiptCommands
{
    private static readonly Column<ReceiptLease>[] Leases =
    [
        new("LEASE", l => l.Lease), new("ROLE", l => l.Role), new("ISSUED", l => Show.Time(l.IssueTime)), new("USABLE UNTIL", l => Show.Time(l.UsableUntil)),
        new("PROVEN DEAD", l => l.Evidence?.Asserted == true ? "no: on a person's word" : Show.Time(l.ProvenDeadTime)), new("TIME TO DEAD", l => Show.Span(l.TimeToDead)),
        new("EVIDENCE", l => l.Evidence?.Kind ?? ""), new("MAY OUTLAST IT", l => l.CanMint ? $"credentials made with it; {l.Residual}" : l.Residual),
    ];

    private static readonly Column<Receipt>[] Revisions =
        [new("REVISION", r => Show.Number(r.Revision)), new("STATE", r => Show.Name(r.State)), new("MADE", r => Show.Time(r.CreateTime)), new("LEASES", r => Show.Number(r.Leases.Count))];

    public static Command Build(CliHost host) => new("receipts", "What tasks held, and when and how each thing died.")
    {
        Aliases = { "receipt" },
        Subcommands = { Get(host), List(host) },
    };

    private static Command Get(CliHost host)
    {
        var task = Options.Name("The task's name.", "task");
        return new Command("get", "Shows a task's receipt as it is now. Exit code 7 while something on it isn't proven dead.") { task }.Does(host, async context =>
        {
            var receipt = await context.Client.Receipts.GetReceiptAsync(new() { Name = NameOf(context.Get(task)) }, cancellationToken: context.Cancellation);
            if (context.Printer.Format == OutputFormat.Table) PrintTable(context, receipt);
            else context.Printer.Item(receipt);
            return receipt.State == Receipt.Types.State.Closed ? ExitCodes.Ok : ExitCodes.NotProven;
        });
    }

    private static Command List(CliHost host)
    {
        var task = Options.Name("The task's name.", "task");
        return new Command("list", "Lists all revisions of a task's receipt, oldest first.") { task }.Does(host, async context => context.Printer.List(
            "receipts",
            await context.ListAsync<Receipt>(10_000, async (token, size) =>
            {
                var page = await context.Client.Receipts.ListReceiptRevisionsAsync(new() { Name = NameOf(context.Get(task)), PageToken = token, PageSize = size }, cancellationToken: context.Cancellation);
                return (page.Receipts, page.NextPageToken);
            }),
            Revisions));
    }

    private static void PrintTable(CliContext context, Receipt receipt)
    {
        var head = new Receipt(receipt);
        head.Leases.Clear();
        context.Printer.Item(head);
        if (receipt.Leases.Count == 0) return;
        context.Host.Out.WriteLine();
        context.Printer.Table(receipt.Leases, Leases);
    }

    private static string NameOf(string given) => given.EndsWith("/receipt", StringComparison.Ordinal) ? given : $"{Options.Full("tasks", given)}/receipt";
}
