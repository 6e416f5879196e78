using System.CommandLine;
using System.Globalization;
using CredBroker.Cli.Administration;
using CredBroker.Cli.Hosting;
using CredBroker.Cli.Output;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Cli.Commands;

internal static class SuspensionCommands
{
    private static readonly Column<Suspension>[] Columns =
    [
        new("NAME", s => s.Name), new("TARGET", s => s.Target), new("ACTIVE", s => Show.YesNo(s.Active)), new("REASON", s => s.Reason), new("SINCE", s => Show.Time(s.CreateTime)),
        new("UNTIL", s => Show.Time(s.ExpireTime)), new("NOT PROVEN DEAD", s => Show.Number((int)s.UnprovenLeases)),
    ];

    public static Command Build(CliHost host) => new("suspensions", "Who and what holds nothing until it's lifted.")
    {
        Aliases = { "suspension" },
        Subcommands = { List(host), Get(host), Suspend(host), Lift(host) },
    };

    private static Command List(CliHost host)
    {
        var filter = Options.Filter("'active = true'");
        var limit = Options.Limit();
        return new Command("list", "Lists all, oldest first.") { filter, limit }.Does(host, async context => context.Printer.List(
            "suspensions",
            await context.ListAsync<Suspension>(context.Get(limit), async (token, size) =>
            {
                var page = await context.Client.Suspensions.ListSuspensionsAsync(new() { Filter = context.Get(filter) ?? "", PageToken = token, PageSize = size }, cancellationToken: context.Cancellation);
                return (page.Suspensions, page.NextPageToken);
            }),
            Columns));
    }

    private static Command Get(CliHost host)
    {
        var name = Options.Name("The suspension's name.", "suspension");
        return new Command("get", "Shows one, with how much isn't proven dead yet.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Suspensions.GetSuspensionAsync(new() { Name = Options.Full("suspensions", context.Get(name)) }, cancellationToken: context.Cancellation)));
    }

    private static Command Suspend(CliHost host)
    {
        var target = Options.Name("workloads/…, identitySources/…, providers/… or providers/…/roles/….", "target");
        var reason = Options.Text("--reason", "Why.", required: true);
        var until = Options.Text("--until", "When it lifts by itself: a time, or a duration from now. Without it, somebody lifts it.", "time");
        var yes = AdminCommands.YesOption();
        return new Command("create", "Suspends: all that the target holds is dead at once, and nothing more is issued. Shows first what dies.") { target, reason, until, yes }.Named("suspend").Does(host, async context =>
        {
            var wanted = new Suspension { Target = context.Get(target), Reason = context.Get(reason), ExpireTime = Until(context, context.Get(until)) };
            var preview = await context.Client.Suspensions.CreateSuspensionAsync(new() { Suspension = wanted, ValidateOnly = true }, cancellationToken: context.Cancellation);
            context.Printer.Note($"{wanted.Target}: {preview.UnprovenLeases} leases die by this.");
            context.Confirm($"Suspend {wanted.Target}?", context.Get(yes));
            // A few may have come since they were shown.
            var most = preview.UnprovenLeases + Math.Max(10, preview.UnprovenLeases / 10);
            context.Printer.Item(await context.Client.SuspendAsync(wanted, most, cancellationToken: context.Cancellation));
        });
    }

    private static Command Lift(CliHost host)
    {
        var name = Options.Name("The suspension's name.", "suspension");
        return new Command("lift", "Lifts one. Nothing that died by it comes back; new credentials can be issued again.") { name }.Does(host, async context =>
            context.Printer.Item(await context.Client.Suspensions.LiftSuspensionAsync(
                new() { Name = Options.Full("suspensions", context.Get(name)) }, cancellationToken: context.Cancellation)));
    }

    private static Timestamp? Until(CliContext context, string? text)
    {
        if (text is null) return null;
        if (DurationText.TryParse(text, out var span) && span > TimeSpan.Zero) return Timestamp.FromDateTimeOffset(context.Host.Time.GetUtcNow() + span);
        if (text.EndsWith('Z') && DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return Timestamp.FromDateTimeOffset(time);
        throw new CliException(ExitCodes.Usage, $"'{text}' is neither a duration such as 2h nor a time such as 2030-01-31T12:00:00Z.");
    }

    private static Command Named(this Command command, string alias)
    {
        command.Aliases.Add(alias);
        return command;
    }
}
