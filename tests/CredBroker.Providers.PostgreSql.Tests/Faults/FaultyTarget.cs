using System.Diagnostics;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Core.Tasks;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Postgres;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>A database with a provider of its own, which reaches it by a way that a test can spoil.</summary>
internal sealed class FaultyTarget : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);
    private readonly RunningBroker _broker;
    private readonly string _provider;

    private FaultyTarget(RunningBroker broker, PostgresDatabase database, string group, PostgresLogin login)
    {
        (_broker, Database, Group, Login) = (broker, database, group, login);
        _provider = $"db-{Uid.New(TimeProvider.System)}";
        Way = new TargetWay(database.Port);
    }

    public PostgresDatabase Database { get; }

    public string Group { get; }

    /// <summary>The broker's own login there.</summary>
    public PostgresLogin Login { get; }

    public TargetWay Way { get; }

    private static CancellationToken None => CancellationToken.None;

    public static async Task<FaultyTarget> CreateAsync(RunningBroker broker) => await CreateAsync(broker, await PostgresServer.CreateDatabaseAsync());

    /// <summary>On a database of the test's own server: whatever is made there goes with the server.</summary>
    public static async Task<FaultyTarget> CreateAsync(RunningBroker broker, PostgresDatabase database, ReconciliationMode reconciliation = ReconciliationMode.Report)
    {
        var group = await database.CreateGroupAsync();
        var target = new FaultyTarget(broker, database, group, await database.CreateBrokerLoginAsync(group));
        await target.RegisterAsync(reconciliation);
        return target;
    }

    public Task<AgentTask> OpenTaskAsync() => _broker.Harness.TaskAsync(_broker.Agent);

    public async Task EndAsync(AgentTask task) => BrokerHarness.Ok(await _broker.Harness.Get<TaskService>().EndAsync(_broker.Agent, task.Id, TaskOutcome.Succeeded, None));

    public Task<Result<IssuedLease>> AskAsync(AgentTask task) =>
        _broker.Harness.Issuance.IssueAsync(new IssueCommand { Caller = _broker.Agent, Task = task.Id, Provider = _provider, Role = "reader", Ttl = TimeSpan.FromMinutes(10) }, None);

    public async Task<IssuedLease> IssueAsync(AgentTask task) => BrokerHarness.Ok(await AskAsync(task));

    public async Task<Lease> LeaseAsync(Uid lease) => (await _broker.Harness.LeaseAsync(lease)).Lease;

    /// <summary>The leases of a task that nothing has proven dead.</summary>
    public async Task<IReadOnlyList<Lease>> LeasesAsync(AgentTask task) => [.. (await _broker.Harness.LeasesOfAsync(task)).Select(view => view.Lease)];

    /// <summary>Waits until an attempt has failed so; answers the lease, which nothing has proven dead.</summary>
    public async Task<Lease> UntilFailedAsync(Uid lease, ProviderFault fault)
    {
        await UntilAsync(async () => (await LeaseAsync(lease)).LastError?.Fault == fault, async () => $"an attempt fails by {fault}, but {Show(await LeaseAsync(lease))}");
        var failed = await LeaseAsync(lease);
        Assert.That((failed.State, failed.Evidence), Is.EqualTo((LeaseState.Revoking, (Evidence?)null)), Show(failed));
        return failed;
    }

    /// <summary>Waits until it is proven dead, and holds that against the server itself.</summary>
    public async Task<Lease> UntilProvenAsync(Uid lease, PostgresDatabase? at = null)
    {
        await UntilAsync(async () => (await LeaseAsync(lease)).State == LeaseState.Revoked, async () => $"it is proven dead, but {Show(await LeaseAsync(lease))}");
        var dead = await LeaseAsync(lease);
        Assert.That(dead.Evidence!.Kind, Is.EqualTo("role_absent"));
        Assert.That(dead.Evidence.Text, Does.Contain(dead.ExternalName).And.EndWith($"at {dead.TargetIdentity}."));
        Assert.That(await RolesAsync($"rolname = '{dead.ExternalName}'", at), Is.Zero, "the server has no such role");
        return dead;
    }

    /// <summary>What a lease's login carries.</summary>
    public string MarkOf(Lease lease) => _broker.Harness.Get<LeaseMarks>().Make(lease.Id, lease.MarkKeyId).ToString();

    /// <summary>The same database as another broker has it, with a login of its own there.</summary>
    public async Task<FaultyTarget> ShareAsync(RunningBroker other)
    {
        var target = new FaultyTarget(other, Database, Group, await Database.CreateBrokerLoginAsync(Group));
        await target.RegisterAsync(ReconciliationMode.Sweep);
        return target;
    }

    public async Task<long> RolesAsync(string condition, PostgresDatabase? at = null) => await (at ?? Database).ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE {condition}");

    /// <summary>Whether the server itself lets a credential in, past the way.</summary>
    public async Task<bool> IsAcceptedAsync(IssuedLease issued, string? name = null)
    {
        try
        {
            await using var session = await OpenAsync(issued, name);
            return true;
        }
        catch (PostgresException)
        {
            return false;
        }
    }

    public async Task<NpgsqlConnection> OpenAsync(IssuedLease issued, string? name = null)
    {
        var session = new NpgsqlConnection(Database.ConnectionStringFor(name ?? issued.Lease.Lease.ExternalName, issued.Credential["password"].Value.Reveal()));
        await session.OpenAsync();
        return session;
    }

    /// <summary>Holds what the target lists against the database.</summary>
    public async Task<ReconciliationReport> ReconcileAsync() =>
        (await _broker.Harness.Get<Reconciler>().RunNowAsync(_broker.Harness.Get<Catalog>().Current.Providers[_provider], None))!;

    public static async Task UntilAsync(Func<Task<bool>> holds, Func<Task<string>> what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > Bound) throw new TimeoutException($"In {Bound.TotalSeconds:0} s it should have come true that {await what()}");
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Way.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static string Show(Lease lease) => $"it is {lease.State} after {lease.Attempts} attempts, due at {lease.DueAt:O}: {lease.LastError}";

    private async Task RegisterAsync(ReconciliationMode reconciliation)
    {
        _broker.Keep(_provider, Login.Password);
        var config = JsonSerializer.SerializeToElement(new
        {
            host = "127.0.0.1",
            port = Way.Port,
            database = Database.Name,
            username = Login.Username,
            password = new { source = _provider },
            sslMode = "disable",
            groups = new[] { Group },
            connectTimeout = "2s",
            commandTimeout = "4s",
        });
        var registry = _broker.Harness.Get<RegistryService>();
        BrokerHarness.Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, _provider, null, new ProviderSpec { Type = "postgresql", Config = config, Reconciliation = reconciliation }, new ChangeOptions(), None));
        var template = JsonSerializer.SerializeToElement(new { groups = new[] { Group } });
        BrokerHarness.Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "reader", _provider, new RoleSpec { Kind = "login", Template = template }, new ChangeOptions(), None));
    }
}
