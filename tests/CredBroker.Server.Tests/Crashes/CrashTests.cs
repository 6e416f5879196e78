using System.Diagnostics;
using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Server;
using Microsoft.Data.Sqlite;
using Npgsql;
using Quickstart;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>
/// The real server, killed without a word (SIGKILL) at the three places where an orphan could come from, on a real PostgreSQL. After a restart nothing that
/// was made is alive, and nothing of it is unknown.
/// </summary>
public sealed class CrashTests
{
    private const string Role = $"providers/{DatabaseStory.Provider}/roles/reader";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private PostgresDatabase _database = null!;
    private TargetDatabase _target = null!;
    private StallingProxy _proxy = null!;
    private Workplace _place = null!;
    private Installation _installation = null!;
    private ServerProcess? _restarted;

    [SetUp]
    public async Task StartBroker()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _target = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        _proxy = new StallingProxy(_target.Settings.Port);
        _target.Settings.Host = "127.0.0.1";
        _target.Settings.Port = _proxy.Port;
        _place = new Workplace();
        var more = $"{DatabaseStory.SecretSources(_place, _target)}\nlimits: {{issueDeadline: 3s, attemptTimeout: 5s, claimFor: 6s}}";
        _installation = await Installation.StartAsync(_place, more, new Narrator(TextWriter.Null), CancellationToken.None);
        await new DatabaseStory(_installation, _target, new Narrator(TextWriter.Null)).RegisterAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task StopBroker()
    {
        if (_restarted is not null) await _restarted.DisposeAsync();
        _restarted = null;
        await _installation.DisposeAsync();
        _place.Dispose();
        await _proxy.DisposeAsync();
        await _target.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task Killed_between_Reserve_and_the_providers_call_leaves_no_orphan()
    {
        var (agent, task) = await OpenTaskAsync();
        _proxy.Stall();
        var issuing = IssueAsync(agent, task);
        await _proxy.Held.WaitAsync(Bound);
        await KillAsync(issuing);
        await RestartOnTheTargetItselfAsync();
        await AssertNothingIsLeftAsync(task);
    }

    [Test]
    public async Task Killed_inside_the_providers_call_leaves_no_orphan()
    {
        var (agent, task) = await OpenTaskAsync();
        Task issuing;
        await using (await HoldTheTargetAsync())
        {
            issuing = IssueAsync(agent, task);
            await UntilAsync(async () => await WaitingAsync() > 0, "the statement waits at the target");
            await KillAsync(issuing);
        }

        // The statement was sent, and nobody waits for its answer: it may still take effect.
        await RestartAsync();
        await AssertNothingIsLeftAsync(task);
    }

    [Test]
    public async Task Killed_before_Activate_leaves_no_orphan()
    {
        var (agent, task) = await OpenTaskAsync();
        await using var store = new SqliteConnection($"Data Source={Path.Combine(_place.Folder, "credbroker.db")};Pooling=False");
        await store.OpenAsync();
        Task issuing;
        await using (await HoldTheTargetAsync())
        {
            issuing = IssueAsync(agent, task);
            await UntilAsync(async () => await WaitingAsync() > 0, "the statement waits at the target");
            await using var hold = new SqliteCommand("BEGIN IMMEDIATE", store);
            await hold.ExecuteNonQueryAsync();
        }

        await UntilAsync(async () => await LoginsAsync() == 1, "the login is made");
        await KillAsync(issuing);
        await using (var release = new SqliteCommand("ROLLBACK", store)) await release.ExecuteNonQueryAsync();
        await store.CloseAsync();
        Assert.That(await LoginsAsync(), Is.EqualTo(1), "the login outlived the broker");
        await RestartAsync();
        await AssertNothingIsLeftAsync(task);
    }

    private async Task<(BrokerClient Agent, string Task)> OpenTaskAsync()
    {
        var agent = _installation.Agent("agent-1");
        var task = await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "count the reports" } } });
        return (agent, task.Name);
    }

    private static async Task IssueAsync(BrokerClient agent, string task) => await agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = Role });

    private async Task KillAsync(Task issuing)
    {
        using var process = Process.GetProcessById(_installation.BrokerProcessId);
        process.Kill();
        await process.WaitForExitAsync();
        await Assert.ThatAsync(() => issuing, Throws.InstanceOf<Exception>(), "nobody got a secret");
    }

    private async Task RestartAsync() =>
        _restarted = await ServerProcess.StartReadyAsync(Path.Combine(_place.Folder, "credbroker.yaml"), _place.Http);

    // What was held back stays so: the provider is pointed at the same target by its own address.
    private async Task RestartOnTheTargetItselfAsync()
    {
        await RestartAsync();
        using var administrator = _installation.Administrator();
        var provider = await administrator.Providers.GetProviderAsync(new() { Name = $"providers/{DatabaseStory.Provider}" });
        provider.Config.Fields["port"] = Google.Protobuf.WellKnownTypes.Value.ForNumber(_database.Port);
        await administrator.Providers.UpdateProviderAsync(new() { Provider = provider, UpdateMask = new() { Paths = { "config" } } });
    }

    private async Task AssertNothingIsLeftAsync(string task)
    {
        using var agent = _installation.Agent("agent-1");
        await UntilAsync(
            async () => (await LeasesAsync(agent, task)) is [{ State: Lease.Types.State.Revoked or Lease.Types.State.Void }], "the one lease is proven dead");
        Assert.That(await LoginsAsync(), Is.Zero, "nothing is left at the target");
    }

    private static async Task<IReadOnlyList<Lease>> LeasesAsync(BrokerClient agent, string task) => [.. (await agent.Leases.ListLeasesAsync(new() { Parent = task })).Leases];

    /// <summary>Holds what CREATE ROLE must write to, so that its statement waits.</summary>
    private async Task<NpgsqlConnection> HoldTheTargetAsync()
    {
        var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE pg_catalog.pg_authid IN SHARE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private Task<long> WaitingAsync() => _database.ScalarAsync<long>("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted AND relation = 'pg_catalog.pg_authid'::pg_catalog.regclass");

    private Task<long> LoginsAsync() => _database.ScalarAsync<long>($"SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname LIKE 'cb\\_{Installation.Id}\\_%'");

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > Bound) throw new TimeoutException($"In {Bound.TotalSeconds:0} s it did not come true that {what}.");
            await timer.WaitForNextTickAsync();
        }
    }
}
