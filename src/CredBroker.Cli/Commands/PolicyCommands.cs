using System.CommandLine;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;

namespace CredBroker.Cli.Commands;

internal static class PolicyCommands
{
    private static readonly Column<PolicySet>[] Columns =
    [
        new("NAME", s => s.Name), new("KIND", s => Show.Name(s.Kind)), new("ACTIVE", s => Show.YesNo(s.Active)), new("HASH", s => s.Hash.Length > 12 ? s.Hash[..12] : s.Hash),
        new("OWNER", s => s.Owner), new("REVIEW BY", s => Show.Time(s.ReviewBy)), new("UPDATED", s => Show.Time(s.UpdateTime)),
    ];

    public static Command Build(CliHost host)
    {
        var noun = AdminCommands.Noun(host, ResourceKind.PolicySet, "policies", "policy", "Policy sets, in Cedar.", Columns);
        foreach (var tool in PolicyToolCommands.Build(host)) noun.Add(tool);
        noun.Add(Set(host));
        return noun;
    }

    private static Command Set(CliHost host)
    {
        var name = Options.Name("The set's name.");
        var text = Options.Text("--text-file", "The policies: a Cedar file.", "file", required: true);
        var kind = Options.Text("--kind", "ceiling, scoped or operator, for a new set.", "kind");
        kind.AcceptOnlyFromAmong("ceiling", "scoped", "operator");
        return new Command("set", "Puts a Cedar file in force: changes the set's text, or creates the set.") { name, text, kind }.Does(host, async context =>
        {
            var full = AdminCommands.FullName(ResourceKind.PolicySet, context.Get(name));
            var target = new BrokerTarget(context.Client);
            var policies = await File.ReadAllTextAsync(context.Get(text)!, context.Cancellation);
            var current = (PolicySet?)await target.GetAsync(ResourceKind.PolicySet, full, context.Cancellation);
            var api = AdminApi.For(ResourceKind.PolicySet, context.Client);
            if (current is null)
            {
                if (context.Get(kind) is not { } given) throw new CliException(ExitCodes.Usage, $"{full} isn't there yet: say its --kind.");
                var created = new PolicySet { Name = full, Kind = Enum.Parse<PolicySet.Types.Kind>(given, ignoreCase: true), Text = policies };
                context.Printer.Item(await api.CreateAsync(created, reuseName: false, context.Cancellation));
                return;
            }

            context.Printer.Item(await api.UpdateAsync(new PolicySet(current) { Text = policies }, current.Etag, context.Cancellation));
        });
    }
}
