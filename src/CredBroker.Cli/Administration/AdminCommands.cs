using System.CommandLine;
using CredBroker.Cli.Commands;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Manifests;
using Google.Protobuf;

namespace CredBroker.Cli.Administration;

/// <summary>The verbs that every administered kind has: list, get, create, delete.</summary>
internal static class AdminCommands
{
    public static Command Noun<T>(CliHost host, ResourceKind kind, string plural, string singular, string description, Column<T>[] columns)
        where T : IMessage
    {
        var noun = new Command(plural, description) { Aliases = { singular } };
        noun.Add(List(host, kind, columns));
        noun.Add(Get(host, kind));
        noun.Add(Create(host, kind));
        noun.Add(Delete(host, kind));
        return noun;
    }

    /// <summary>What people write for a name, made whole; a usage error when that can't be.</summary>
    public static string FullName(ResourceKind kind, string given)
    {
        var full = kind.FullName(given);
        // `books/reader` is enough for a role.
        if (kind.Child is { } child && full.Split('/') is [var parent, var name]) full = $"{kind.Collection}/{parent}/{child}/{name}";
        if (kind.IsName(full)) return full;
        throw new CliException(ExitCodes.Usage, $"'{given}' is no name of a {kind}, such as {(kind.Child is null ? $"x or {kind.Collection}/x" : $"x/y or {kind.Collection}/x/{kind.Child}/y")}.");
    }

    private static Command List<T>(CliHost host, ResourceKind kind, Column<T>[] columns)
        where T : IMessage
    {
        var command = new Command("list", "Lists all, in the order of their names.");
        var provider = Options.Text("--provider", "Only roles of this provider.", "name");
        var mine = Options.Flag("--mine", "Only roles that you yourself could get, with what that depends on.");
        if (kind.Child is not null) command.Add(provider);
        if (kind == ResourceKind.Role) command.Add(mine);
        return command.Does(host, async context =>
        {
            if (kind == ResourceKind.Role && context.Get(mine))
            {
                await RoleCommands.ListMineAsync(context);
                return;
            }

            var items = kind.Child is not null && context.Get(provider) is { } name
                ? await OfParentAsync(context, kind, ResourceKind.Provider.FullName(name))
                : await new BrokerTarget(context.Client).ListAsync(kind, context.Cancellation);
            context.Printer.List(kind.Child ?? kind.Collection, [.. items.Cast<T>()], columns);
        });
    }

    private static Task<IReadOnlyList<IMessage>> OfParentAsync(CliContext context, ResourceKind kind, string parent) => context.ListAsync(
        1_000_000, (token, size) => AdminApi.For(kind, context.Client).ListAsync(parent, token, size, context.Cancellation));

    private static Command Get(CliHost host, ResourceKind kind)
    {
        var name = Options.Name($"The {kind}'s name.");
        return new Command("get", "Shows one. As YAML it has the shape that apply takes.") { name }.Does(host, async context =>
            context.Printer.Item(await AdminApi.For(kind, context.Client).GetAsync(FullName(kind, context.Get(name)), context.Cancellation)));
    }

    private static Command Create(CliHost host, ResourceKind kind)
    {
        var file = ManifestInput.FileOption();
        var reuse = ReuseOption();
        return new Command("create", $"Creates from manifests of kind {kind}; fails where there is one of that name.") { file, reuse }.Does(host, async context =>
        {
            var manifests = ManifestInput.Load(context, context.Get(file)!).Manifests;
            if (manifests.FirstOrDefault(manifest => manifest.Kind != kind) is { } other) throw new CliException(ExitCodes.Usage, $"{other.Source}: This is a {other.Kind}, not a {kind}.");
            foreach (var manifest in manifests) context.Printer.Item(await AdminApi.For(kind, context.Client).CreateAsync(manifest.Resource, context.Get(reuse), context.Cancellation));
        });
    }

    private static Command Delete(CliHost host, ResourceKind kind)
    {
        var name = Options.Name($"The {kind}'s name.");
        var etag = Options.Text("--etag", "Only if it is still this one.", "etag");
        var force = Options.Flag("--force", "Drain it first: it issues nothing more, its leases are revoked, and it's gone with the last.");
        var yes = YesOption();
        var command = new Command("delete", "Deletes one.") { name, etag, yes };
        var expect = ExpectOption();
        if (kind == ResourceKind.Provider) command.Add(force);
        if (kind == ResourceKind.PolicySet) command.Add(expect);
        return command.Does(host, async context =>
        {
            var full = FullName(kind, context.Get(name));
            context.Confirm($"Delete {full}?", context.Get(yes));
            await AdminApi.For(kind, context.Client, kind == ResourceKind.PolicySet ? context.Get(expect) ?? 0 : 0).DeleteAsync(full, context.Get(etag) ?? "", kind == ResourceKind.Provider && context.Get(force), context.Cancellation);
            context.Printer.Note($"{full} is deleted.");
        });
    }

    public static Option<int?> ExpectOption() => new("--expect-revoked") { Description = "How many live leases a change of policies may revoke. More than a few must be named.", HelpName = "number" };

    public static Option<bool> YesOption() => Options.Flag("--yes", "Don't ask.");

    public static Option<bool> ReuseOption() => Options.Flag("--reuse-names", "Names that belonged to something deleted may be used again. Nothing is inherited from it.");
}
