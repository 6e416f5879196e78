using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace Quickstart;

/// <summary>An agent gets a database login for its task; its open session is cut when the task ends.</summary>
internal sealed class DatabaseStory(Installation installation, TargetDatabase target, Narrator narrator)
{
    public const string Provider = "reports-db";
    private const string Role = $"providers/{Provider}/roles/reader";

    private static readonly string Policy = $$"""
        @id("agents-open-tasks")
        permit (principal in IdentitySource::"{{Installation.Agents}}", action == Action::"createTask", resource);

        @id("agents-read-reports") @max_ttl("5m")
        permit (principal in IdentitySource::"{{Installation.Agents}}", action == Action::"issue", resource == Role::"{{Provider}}/reader")
        when { context.revocability != "expires" };
        """;

    /// <summary>The part of the operator's file that lets this provider have its password, towards this host alone.</summary>
    public static string SecretSources(Workplace place, TargetDatabase target) => $$"""
        secretSources:
          - name: reports-db
            file: {{place.Write("database.password", target.Password)}}
            consumers: [{provider: {{Provider}}, host: "{{target.Settings.Host}}"}]
        """;

    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        narrator.Step("As the administrator, register whom to trust, the database, its role, and who may have it");
        using var administrator = installation.Administrator();
        await Registration.RegisterAgentsAsync(administrator, installation.Identity.Issuer, narrator, cancellationToken);
        await administrator.Providers.CreateProviderAsync(new() { ProviderId = Provider, Provider = new Provider { Type = "postgresql", Config = Configuration(target) } }, cancellationToken: cancellationToken);
        var health = await administrator.Providers.CheckProviderAsync(new() { Name = $"providers/{Provider}" }, cancellationToken: cancellationToken);
        narrator.Say($"providers/{Provider}: {target.Settings.Host}:{target.Settings.Port}/{target.Settings.Database}");
        narrator.Expect(health.Healthy, "the database answers, and the broker's login may do what it needs");
        await Registration.RegisterRoleAsync(administrator, Provider, "reader", RoleOf(), narrator, cancellationToken);
        await Registration.RegisterPolicyAsync(administrator, "quickstart", Policy, narrator, cancellationToken);
    }

    public async Task TellAsync(CancellationToken cancellationToken)
    {
        using var agent = installation.Agent("agent-1");
        narrator.Step("As an agent, open a task and ask for a login");
        await using var task = await agent.StartTaskAsync("count this week's reports", new TaskSettings { Ttl = TimeSpan.FromMinutes(15) }, cancellationToken);
        var lease = await task.IssueAsync(Role, cancellationToken: cancellationToken);
        narrator.Say($"{lease.Name}: the login {lease["username"].Reveal()}, until {lease.ExpireTime:HH:mm:ss} UTC");

        narrator.Step("Use it, and keep the session open");
        var connection = ConnectionOf(lease);
        await using var session = new NpgsqlConnection(connection);
        await session.OpenAsync(cancellationToken);
        narrator.Expect(await CountAsync(session, cancellationToken) == 12, "the session reads the 12 reports");

        narrator.Step("End the task: the login and its open session die with it");
        var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(25), cancellationToken);
        narrator.Say($"{ended.Task.Name} has ended: {ended.Task.Outcome}");
        narrator.Expect(await FailsAsync(() => CountAsync(session, cancellationToken)), "the open session was cut");
        await using var again = new NpgsqlConnection(connection);
        narrator.Expect(await FailsAsync(async () => await again.OpenAsync(cancellationToken)), "a new session is refused");

        await ReceiptPrinter.PrintAsync(agent, task.Name, narrator, cancellationToken);
    }

    private async Task<long> CountAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {target.Schema}.reports", session);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<bool> FailsAsync(Func<Task> act)
    {
        try
        {
            await act();
            return false;
        }
        catch (NpgsqlException e)
        {
            narrator.Say(e.Message.Split('\n')[0]);
            return true;
        }
    }

    private string ConnectionOf(IssuedLease lease) => new NpgsqlConnectionStringBuilder
    {
        Host = lease["host"].Reveal(),
        Port = int.Parse(lease["port"].Reveal(), System.Globalization.CultureInfo.InvariantCulture),
        Database = lease["database"].Reveal(),
        Username = lease["username"].Reveal(),
        Password = lease["password"].Reveal(),
        SslMode = IsLoopback(target) ? Npgsql.SslMode.Prefer : Npgsql.SslMode.VerifyFull,
        Pooling = false,
    }.ConnectionString;

    private static bool IsLoopback(TargetDatabase target) => target.Settings.Host is "localhost" or "127.0.0.1" or "::1";

    /// <summary>The configuration of the provider.</summary>
    public static Struct Configuration(TargetDatabase target) => new()
    {
        Fields =
        {
            ["host"] = Value.ForString(target.Settings.Host),
            ["port"] = Value.ForNumber(target.Settings.Port),
            ["database"] = Value.ForString(target.Settings.Database ?? "postgres"),
            ["username"] = Value.ForString(target.BrokerLogin),
            ["password"] = Value.ForStruct(new Struct { Fields = { ["source"] = Value.ForString("reports-db") } }),
            ["sslMode"] = Value.ForString(IsLoopback(target) ? "disable" : "verify-full"),
            ["groups"] = Value.ForList(Value.ForString(target.Group)),
        },
    };

    private Role RoleOf() => new()
    {
        Kind = "login",
        MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)),
        Template = new Struct { Fields = { ["groups"] = Value.ForList(Value.ForString(target.Group)) } },
    };
}
