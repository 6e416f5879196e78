using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

internal static class ProviderCommands
{
    private static readonly Column<Provider>[] Columns =
    [
        new("NAME", p => p.Name), new("TYPE", p => p.Type), new("ENVIRONMENT", p => p.Environment), new("TARGET", p => p.TargetIdentity),
        new("OWNER", p => p.Owner), new("REVIEW BY", p => Show.Time(p.ReviewBy)), new("MANAGED BY", p => p.ManagedBy), new("STATE", p => p.Draining ? "draining" : "active"),
    ];

    private static readonly Column<CheckFinding>[] Findings =
        [new("SEVERITY", f => Show.Name(f.Severity)), new("SUBJECT", f => f.Subject), new("FINDING", f => f.Message), new("FIX", f => f.Fix)];

    public static Command Build(CliHost host)
    {
        var noun = AdminCommands.Noun(host, ResourceKind.Provider, "providers", "provider", "Connections to systems that make credentials.", Columns);
        noun.Add(Check(host));
        noun.Add(AcceptIdentity(host));
        return noun;
    }

    private static Command Check(CliHost host)
    {
        var name = Options.Name("The provider's name.");
        return new Command("check", "Asks the target who it is and what is missing there. Exit code 8 when something needed is.") { name }.Does(host, async context =>
        {
            var full = AdminCommands.FullName(ResourceKind.Provider, context.Get(name));
            var answer = await context.Client.Providers.CheckProviderAsync(new() { Name = full }, cancellationToken: context.Cancellation);
            if (context.Printer.Format != OutputFormat.Table)
            {
                context.Printer.Item(answer);
            }
            else
            {
                context.Printer.Note($"{full} is {(answer.Healthy ? "healthy" : "not healthy")}. Its target: {(answer.TargetIdentity.Length > 0 ? answer.TargetIdentity : "unknown")}");
                if (answer.Findings.Count > 0) context.Printer.Table(answer.Findings, Findings);
            }

            return answer.Healthy ? ExitCodes.Ok : ExitCodes.Findings;
        });
    }

    private static Command AcceptIdentity(CliHost host)
    {
        var name = Options.Name("The provider's name.");
        var identity = Options.Text("--target-identity", "The identity to accept, as check shows it.", required: true);
        var reason = Options.Text("--reason", "Why it is right.", required: true);
        return new Command("accept-identity", "Accepts that the target is another one now (rebuilt, moved).") { name, identity, reason }.Does(host, async context =>
            context.Printer.Item(await context.Client.Providers.AcceptProviderIdentityAsync(
                new() { Name = AdminCommands.FullName(ResourceKind.Provider, context.Get(name)), TargetIdentity = context.Get(identity), Reason = context.Get(reason) },
                cancellationToken: context.Cancellation)));
    }
}
