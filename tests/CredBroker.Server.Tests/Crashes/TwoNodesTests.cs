using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Server;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>Two real servers on one PostgreSQL: what one of them begins another finishes, once, whatever becomes of the first.</summary>
public sealed class TwoNodesTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private Cluster _cluster = null!;

    [SetUp]
    public async Task StartNodesAsync() => _cluster = await Cluster.StartAsync(
        2, "{attemptTimeout: 5s, claimFor: 6s, shortestHeartbeatGrace: 3s}", await PostgresServer.CreateDatabaseAsync(), await PostgresServer.CreateDatabaseAsync());

    [TearDown]
    public async Task StopNodesAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    [Test]
    public async Task What_both_issued_is_revoked_by_both_and_each_lease_proven_dead_once()
    {
        using var first = _cluster.Agent(0);
        using var second = _cluster.Agent(1);
        var task = await OpenTaskAsync(first, second);
        await IssueAsync(task, 10, first, second);
        await second.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded });
        await AssertDeadOnceAsync(first, task, 20);
    }

    [Test]
    public async Task What_one_node_had_claimed_when_it_was_killed_dies_by_the_other_once()
    {
        using var first = _cluster.Agent(0);
        using var second = _cluster.Agent(1);
        var task = await OpenTaskAsync(first, second);
        await IssueAsync(task, 3, first, second);
        Assert.That(await LoginsAsync(), Is.EqualTo(6));

        // The first stands still, so that whatever is claimed is the second's; and the target answers nothing, so that it keeps its claims.
        _cluster.Node(0).Freeze();
        await using (await HoldTheTargetAsync())
        {
            await second.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded });
            await UntilAsync(async () => await CountAsync("leases WHERE state = 3 AND first_attempt_at IS NOT NULL") == 6, "the second node has claimed all");
            await _cluster.KillNodeAsync(1);
        }

        Assert.That(await CountAsync("leases WHERE state = 3"), Is.EqualTo(6), "nothing of it is proven");
        _cluster.Node(0).Thaw();
        await AssertDeadOnceAsync(first, task, 6);
        Assert.That(await CountAsync("leases WHERE fence >= 3"), Is.EqualTo(6), "each was claimed again");
    }

    [Test]
    public async Task A_node_that_stood_still_longer_than_its_claims_settles_nothing_and_standing_still_ends_nobody()
    {
        using var first = _cluster.Agent(0);
        using var second = _cluster.Agent(1);
        var task = await OpenTaskAsync(first, second);
        await IssueAsync(task, 3, first, second);
        _cluster.Node(0).Freeze();
        await using (await HoldTheTargetAsync())
        {
            await second.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded });
            await UntilAsync(async () => await CountAsync("leases WHERE state = 3 AND first_attempt_at IS NOT NULL") == 6, "the second node has claimed all");
            _cluster.Node(1).Freeze();
        }

        _cluster.Node(0).Thaw();
        await AssertDeadOnceAsync(first, task, 6);
        _cluster.Node(1).Thaw();
        await UntilAsync(async () => (await second.Tasks.GetTaskAsync(new() { Name = task })).EndTime is not null, "the second node answers again");
        await AssertDeadOnceAsync(second, task, 6);

        // Both stand still for longer than the grace of a heartbeat.
        var living = await first.Tasks.CreateTaskAsync(
            new() { Task = new AgentTask { Intent = new Intent { What = "wait" }, HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) } });
        foreach (var node in (ServerProcess[])[_cluster.Node(0), _cluster.Node(1)]) node.Freeze();
        // Only real time passes for a process that stands still.
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        foreach (var node in (ServerProcess[])[_cluster.Node(0), _cluster.Node(1)]) node.Thaw();
        await first.Tasks.HeartbeatAsync(new() { Name = living.Name });
        Assert.That((await first.Tasks.GetTaskAsync(new() { Name = living.Name })).EndTime, Is.Null);
    }

    private async Task AssertDeadOnceAsync(BrokerClient agent, string task, int count)
    {
        await UntilAsync(
            async () => (await agent.Leases.ListLeasesAsync(new() { Parent = task, PageSize = 100 })).Leases is { } leases
                && leases.Count == count && leases.All(lease => lease.State == Lease.Types.State.Revoked),
            "everything is proven dead");
        Assert.That(await LoginsAsync(), Is.Zero, "nothing is left at the target");
        Assert.That((await agent.Receipts.GetReceiptAsync(new() { Name = $"{task}/receipt" })).State, Is.EqualTo(Receipt.Types.State.Closed));
        Assert.That(await CountAsync("audit_events WHERE type = 'lease.revoked'"), Is.EqualTo(count), "each is told to be dead once");
        Assert.That(await _cluster.Store.ScalarAsync<long>("SELECT count(DISTINCT lease_id) FROM credbroker.audit_events WHERE type = 'lease.revoked'"), Is.EqualTo(count));
        Assert.That(await CountAsync("audit_events WHERE type = 'receipt.closed'"), Is.EqualTo(1));
        var (chains, broken) = await Remains.ChainsAsync(_cluster);
        Assert.That(chains, Is.GreaterThanOrEqualTo(2), "both have written");
        Assert.That(broken, Is.Empty);
    }

    private static async Task IssueAsync(string task, int each, params BrokerClient[] agents)
    {
        for (var i = 0; i < each; i++)
            foreach (var agent in agents) await agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = Cluster.RoleName });
    }

    /// <summary>A task that the first node opened, once the second knows whom to trust.</summary>
    private static async Task<string> OpenTaskAsync(BrokerClient first, BrokerClient second)
    {
        var task = await first.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "count the reports" } } });
        await UntilAsync(
            async () =>
            {
                try
                {
                    return (await second.Tasks.GetTaskAsync(new() { Name = task.Name })).Name == task.Name;
                }
                catch (BrokerException)
                {
                    return false;
                }
            },
            "the second node knows the task");
        return task.Name;
    }

    /// <summary>Holds what changing a login must write to.</summary>
    private async Task<NpgsqlConnection> HoldTheTargetAsync()
    {
        var connection = new NpgsqlConnection(_cluster.Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE pg_catalog.pg_authid IN SHARE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private Task<long> CountAsync(string what) => _cluster.CountAsync(what);

    private Task<long> LoginsAsync() => _cluster.LoginsAsync();

    private static Task UntilAsync(Func<Task<bool>> holds, string what) => Cluster.UntilAsync(holds, what, Bound);
}
