using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

internal static class ReconcileCommand
{
    private static readonly Column<ReconciliationFinding>[] Findings = [new("FINDING", f => Show.Name(f.Kind)), new("NAME AT THE TARGET", f => f.ExternalName), new("LEASE", f => f.Lease)];

    public static Command Build(CliHost host)
    {
        var name = Options.Name("The provider's name.", "provider");
        var last = Options.Flag("--last", "Shows what the last run found, and runs nothing.");
        return new Command("reconcile", "Holds what a provider's target lists against the database, and shows where they differ. Exit code 8 when they do, or when the listing isn't complete.") { name, last }.Does(host, async context =>
        {
            var full = AdminCommands.FullName(ResourceKind.Provider, context.Get(name));
            var found = context.Get(last)
                ? await context.Client.Operations.GetReconciliationAsync(new() { Name = $"{full}/reconciliation" }, cancellationToken: context.Cancellation)
                : await context.Client.Operations.ReconcileProviderAsync(new() { Name = full }, cancellationToken: context.Cancellation);
            if (context.Printer.Format != OutputFormat.Table)
            {
                context.Printer.Item(found);
            }
            else
            {
                foreach (var line in Sentences(full, found)) context.Printer.Note(line);
                if (found.Findings.Count > 0) context.Printer.Table(found.Findings, Findings);
            }

            return found.StartTime is null || (found.Complete && found.ReappearedCount + found.MissingCount + found.UnknownCount + found.ForgedCount + found.UnmarkedCount == 0)
                ? ExitCodes.Ok : ExitCodes.Findings;
        });
    }

    private static IEnumerable<string> Sentences(string provider, Reconciliation found)
    {
        if (found.StartTime is null)
        {
            yield return $"{provider} was never reconciled{(found.Running ? "; a node is at it" : "")}.";
            yield break;
        }

        yield return found.Complete
            ? $"{provider} listed {found.ListedCount} things at {Show.Time(found.StartTime)}; {found.ComparedCount} live leases were held against that, {found.OtherInstallationsCount} things belong to other installations."
            : $"{provider} could not be listed to the end: {found.Error}";
        if (found.ReappearedCount > 0) yield return $"{found.ReappearedCount} alive at the target that were taken for dead.";
        if (found.MissingCount > 0) yield return $"{found.MissingCount} not at the target that were taken for alive{(found.Doubted ? ": so many that the listing is doubted, and none was ended for it" : "")}.";
        if (found.UnknownCount > 0) yield return $"{found.UnknownCount} with our mark that no lease knows: was a backup restored? They are never revoked.";
        if (found.ForgedCount > 0) yield return $"{found.ForgedCount} with a mark that is not valid there: left alone.";
        if (found.UnmarkedCount > 0) yield return $"{found.UnmarkedCount} with our name and no mark: left alone.";
        if (found.ActedCount > 0) yield return $"{found.ActedCount} leases were changed for it.";
    }
}
