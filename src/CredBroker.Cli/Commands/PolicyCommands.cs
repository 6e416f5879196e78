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
        noun.Add(Preview(host));
        return noun;
    }

    private static Command Set(CliHost host)
    {
        var name = Options.Name("The set's name.");
        var text = Options.Text("--text-file", "The policies: a Cedar file.", "file", required: true);
        var kind = KindOption();
        var expect = AdminCommands.ExpectOption();
        var yes = AdminCommands.YesOption();
        return new Command("set", "Puts a Cedar file in force: changes the set's text, or creates the set. Says first how many live leases would be revoked.") { name, text, kind, expect, yes }.Does(host, async context =>
        {
            var full = AdminCommands.FullName(ResourceKind.PolicySet, context.Get(name));
            var (next, etag) = await WithTextAsync(context, full, context.Get(text)!, context.Get(kind));
            var allowed = context.Get(expect) ?? await ConfirmedAsync(context, full, next, context.Get(yes));
            var api = AdminApi.For(ResourceKind.PolicySet, context.Client, allowed);
            context.Printer.Item(etag.Length == 0 ? await api.CreateAsync(next, reuseName: false, context.Cancellation) : await api.UpdateAsync(next, etag, context.Cancellation));
        });
    }

    private static Command Preview(CliHost host)
    {
        var name = Options.Name("The set's name.");
        var text = Options.Text("--text-file", "The policies: a Cedar file. Without one, the set would be deleted.", "file");
        var kind = KindOption();
        return new Command("preview", "Says how many live leases a change of a set would revoke, and names some. Exit code 8 when there are any.") { name, text, kind }.Does(host, async context =>
        {
            var full = AdminCommands.FullName(ResourceKind.PolicySet, context.Get(name));
            var next = context.Get(text) is { } file ? (await WithTextAsync(context, full, file, context.Get(kind))).Set : null;
            var preview = await context.Client.PolicySets.PreviewPolicySetAsync(new() { Name = full, PolicySet = next }, cancellationToken: context.Cancellation);
            context.Printer.Item(preview);
            return preview.Revoked > 0 ? ExitCodes.Findings : ExitCodes.Ok;
        });
    }

    /// <summary>The set with another text, and its etag; a new one has none.</summary>
    private static async Task<(PolicySet Set, string Etag)> WithTextAsync(CliContext context, string full, string file, string? kind)
    {
        var policies = await File.ReadAllTextAsync(file, context.Cancellation);
        if ((PolicySet?)await new BrokerTarget(context.Client).GetAsync(ResourceKind.PolicySet, full, context.Cancellation) is { } current) return (new PolicySet(current) { Text = policies }, current.Etag);
        if (kind is null) throw new CliException(ExitCodes.Usage, $"{full} isn't there yet: say its --kind.");
        return (new PolicySet { Name = full, Kind = Enum.Parse<PolicySet.Types.Kind>(kind, ignoreCase: true), Text = policies }, "");
    }

    /// <summary>How many live leases may be revoked: as many as the person was shown, and agreed to.</summary>
    private static async Task<long> ConfirmedAsync(CliContext context, string full, PolicySet next, bool yes)
    {
        var preview = await context.Client.PolicySets.PreviewPolicySetAsync(new() { Name = full, PolicySet = next }, cancellationToken: context.Cancellation);
        if (preview.Revoked == 0 && preview.Complete) return 0;
        var counted = preview.Complete ? $"{preview.Revoked} of {preview.Examined}" : $"At least {preview.Revoked}";
        context.Confirm($"{counted} live leases would be revoked by {full}.", yes);
        // Those that could not be looked at were agreed to as well.
        return preview.Complete ? preview.Revoked : long.MaxValue;
    }

    private static Option<string?> KindOption()
    {
        var kind = Options.Text("--kind", "ceiling, scoped or operator, for a new set.", "kind");
        kind.AcceptOnlyFromAmong("ceiling", "scoped", "operator");
        return kind;
    }
}
