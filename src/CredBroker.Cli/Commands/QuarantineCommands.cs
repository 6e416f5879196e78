using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

internal static class QuarantineCommands
{
    private static readonly Column<QuarantinedProvider>[] Columns =
    [
        new("PROVIDER", p => p.Provider), new("REASON", p => Show.Name(p.Reason)), new("SINCE", p => Show.Time(p.Since)), new("NOT PROVEN DEAD", p => Show.Number(p.UnprovenLeases)),
        new("A RELEASE REVOKES", p => Show.Number(p.OverdueLeases)), new("A RELEASE ENDS", p => Show.Number(p.LocalLeases)),
    ];

    public static Command Build(CliHost host) => new("quarantine", "Providers of whose leases nothing is revoked on the word of stored time, as after a restored backup.")
    {
        Subcommands = { ShowAll(host), Start(host), Release(host) },
    };

    private static Command ShowAll(CliHost host) =>
        new Command("show", "Shows what is in quarantine, and what its release would do now. Exit code 8 when there is something.").Does(host, async context =>
        {
            var found = await context.Client.Operations.GetQuarantineAsync(new(), cancellationToken: context.Cancellation);
            if (context.Printer.Format == OutputFormat.Table && found.Providers.Count == 0) context.Printer.Note("Nothing is in quarantine.");
            else context.Printer.List("providers", found.Providers, Columns);
            return found.Providers.Count == 0 ? ExitCodes.Ok : ExitCodes.Findings;
        });

    private static Command Start(CliHost host)
    {
        var name = Options.Name("The provider's name.", "provider");
        var reason = Options.Text("--reason", "Why.", required: true);
        return new Command("start", "Puts a provider into quarantine, such as after a restore that the broker can't notice. It issues nothing until it's released.") { name, reason }.Does(host, async context =>
            context.Printer.Item(await context.Client.Operations.QuarantineProviderAsync(
                new() { Name = AdminCommands.FullName(ResourceKind.Provider, context.Get(name)), Reason = context.Get(reason) }, cancellationToken: context.Cancellation)));
    }

    private static Command Release(CliHost host)
    {
        var name = Options.Name("The provider's name.", "provider");
        var reason = Options.Text("--reason", "Why it is right.", required: true);
        var yes = AdminCommands.YesOption();
        return new Command("release", "Releases a provider, so that stored time counts again. Shows first what happens then.") { name, reason, yes }.Does(host, async context =>
        {
            var wanted = new ReleaseProviderRequest { Name = AdminCommands.FullName(ResourceKind.Provider, context.Get(name)), Reason = context.Get(reason) };
            var preview = await context.Client.Operations.ReleaseProviderAsync(new(wanted) { ValidateOnly = true }, cancellationToken: context.Cancellation);
            context.Printer.Note($"{preview.Provider} is in quarantine since {Show.Time(preview.Since)} ({Show.Name(preview.Reason)}), with {preview.UnprovenLeases} leases that are not proven dead.");
            if (preview.OverdueLeases > 0) context.Printer.Note($"{preview.OverdueLeases} of them are over by stored time, and are revoked at the target, even if they were renewed after the backup.");
            if (preview.LocalLeases > 0) context.Printer.Note($"{preview.LocalLeases} of them live nowhere but here, and end: nobody can know which had been revoked.");
            context.Confirm($"Release {preview.Provider}?", context.Get(yes));
            context.Printer.Item(await context.Client.Operations.ReleaseProviderAsync(wanted, cancellationToken: context.Cancellation));
        });
    }
}
