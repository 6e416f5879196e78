using CredBroker.Core;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.Testing.Scripted;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Stores;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>A version and the next one on one database: what only adds lets the older one go on, what takes away shuts it out.</summary>
public sealed class UpgradeTests
{
    private readonly List<BrokerHarness> _nodes = [];
    private readonly FakeTimeProvider _time = new(Start);
    private ScriptedProviderType _scripted = null!;
    private StoreDatabase _database = null!;

    private static CancellationToken None => CancellationToken.None;

    [TearDown]
    public async Task StopAsync()
    {
        await CloseAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task A_version_goes_on_while_the_next_one_adds_to_the_schema_and_can_be_started_beside_it()
    {
        var before = await FirstAsync(DatabaseKind.Postgres);
        using var enough = new CancellationTokenSource();
        var working = Enumerable.Range(0, 4).Select(number => Task.Run(() => WorkAsync(before, $"agent-{number}", enough.Token))).ToList();
        var kept = await IssueAsync(before, "keeper");
        var next = await JoinAsync(typeof(Adds));
        await enough.CancelAsync();
        var done = await Task.WhenAll(working);
        Assert.That(done.Sum(), Is.GreaterThan(0));
        Assert.That(await _database.ScalarAsync("SELECT count(*) FROM credbroker.leases WHERE counted_by_the_next <> 7"), Is.EqualTo(0L));

        // What one has issued, the other renews, sees and revokes.
        var again = await JoinAsync();
        foreach (var (issuer, other) in new[] { (before, next), (next, before), (again, next), (next, again) })
        {
            var lease = await IssueAsync(issuer, "agent");
            var agent = await other.CallerAsync();
            Ok(await other.Get<Renewal>().RenewAsync(agent, null, lease.Id, TimeSpan.FromMinutes(40), "", None));
            Ok(await other.Get<LeaseService>().RevokeAsync(agent, null, lease.Id, None));
            await UntilProvenAsync(issuer);
            Assert.That((await other.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        }

        Ok(await next.Get<LeaseService>().RevokeAsync(await next.CallerAsync("keeper"), null, kept.Id, None));
        await UntilProvenAsync(again);
        Assert.That(_scripted.Target("one").Credentials, Is.Empty, "nothing is left");
    }

    [Test]
    public async Task A_version_is_shut_out_by_what_the_one_after_the_next_takes_away_and_loses_nothing()
    {
        var before = await FirstAsync(DatabaseKind.Postgres);
        using var enough = new CancellationTokenSource();
        var working = Enumerable.Range(0, 4).Select(number => Task.Run(() => WorkAsync(before, $"agent-{number}", enough.Token))).ToList();
        var next = await JoinAsync(typeof(Adds));
        var held = await IssueAsync(before, "keeper");
        var after = await JoinAsync(typeof(Adds), typeof(TakesAway));
        enough.CancelAfter(TimeSpan.FromSeconds(30));
        foreach (var ended in working)
        {
            // Whoever was between its reservation and its answer hears that the answer could not be recorded.
            Assert.That(
                async () => await ended,
                Throws.InstanceOf<StoreUnavailableException>().With.Message.Contains("upgrade this server").Or.InstanceOf<InvalidOperationException>().With.Message.Contains("could not be recorded"),
                "it writes nothing");
        }

        var agent = await after.CallerAsync("keeper");
        Assert.Multiple(() =>
        {
            Assert.That(async () => await before.Leases.FindAsync(held.Id, None), Throws.InstanceOf<StoreUnavailableException>(), "it reads nothing");
            Assert.That(async () => await before.Leases.ListAsync(new LeaseQuery(), new PageRequest(10, null), None), Throws.InstanceOf<StoreUnavailableException>());
            Assert.That(async () => await JoinAsync(), Throws.InstanceOf<StoreUnavailableException>().With.Message.Contains("too old"), "nor does it start");
        });
        Assert.That(await _database.ScalarAsync("SELECT count(*) FROM credbroker.writers WHERE NOT retired"), Is.EqualTo(2L));

        // Whatever it was in the middle of is taken up by the others, of both versions that are left.
        Ok(await next.Get<LeaseService>().RevokeAsync(await next.CallerAsync("keeper"), null, held.Id, None));
        var open = (await after.Get<ITaskStore>().ListAsync(new TaskQuery(), new PageRequest(1000, null), None)).Items.Where(task => task.EndedAt is null).ToList();
        foreach (var task in open) await after.Get<ITaskStore>().EndAsync(new(task.Id, TaskOutcome.Failed, TaskEndReason.Ended, Core.Audit.Actor.Broker), None);
        for (var i = 0; i < 3; i++)
        {
            // Past the deadlines of issuing, late effects and claims of the one that was shut out.
            _time.Advance(TimeSpan.FromMinutes(2));
            await UntilProvenAsync(i == 0 ? next : after);
        }

        Assert.That(_scripted.Target("one").Credentials, Is.Empty, "nothing is left");
        Assert.That((await after.Leases.ListAsync(new LeaseQuery(), new PageRequest(1000, null), None)).Items.Where(view => view.Lease.State < LeaseState.Revoked).Select(view => view.Lease.State), Is.Empty);
    }

    [Test]
    public async Task A_migration_that_cannot_get_its_locks_stands_in_nobodys_way_for_long_and_is_tried_again()
    {
        var before = await FirstAsync(DatabaseKind.Postgres);
        Task<BrokerHarness> joining;
        await using (var backup = new NpgsqlConnection(((PostgresStoreDatabase)_database).Database.ConnectionString))
        {
            await backup.OpenAsync();
            await using (var reads = new NpgsqlCommand("BEGIN; LOCK TABLE credbroker.leases IN ACCESS SHARE MODE", backup)) await reads.ExecuteNonQueryAsync();
            joining = JoinAsync(typeof(Adds));
            while (await _database.ScalarAsync("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted AND relation = 'credbroker.leases'::regclass") is 0L) Assert.That(joining.IsCompleted, Is.False);
            // As a long backup: who issues waits behind the migration, which gives up and comes again.
            await IssueAsync(before, "agent");
            Assert.That(joining.IsCompleted, Is.False);
        }

        await joining;
        Assert.That(await _database.ScalarAsync("SELECT count(*) FROM credbroker.leases WHERE counted_by_the_next = 7"), Is.EqualTo(1L));
    }

    [TestCase(DatabaseKind.Sqlite)]
    [TestCase(DatabaseKind.Postgres)]
    public async Task A_version_starts_on_what_the_next_one_added_to_and_refuses_what_the_one_after_took_away(DatabaseKind kind)
    {
        var first = await FirstAsync(kind);
        var lease = await IssueAsync(first, "agent");
        await CloseAsync();
        await JoinAsync(typeof(Adds));
        await CloseAsync();
        var again = await JoinAsync();
        Assert.That((await again.LeaseAsync(lease.Id)).Effective.Live, Is.True);
        await CloseAsync();
        await JoinAsync(typeof(Adds), typeof(TakesAway));
        await CloseAsync();
        Assert.That(async () => await JoinAsync(), Throws.InstanceOf<StoreUnavailableException>().With.Message.Contains("too old"));
        var next = await JoinAsync(typeof(Adds));
        Assert.That((await next.LeaseAsync(lease.Id)).Effective.Live, Is.True, "the version between them goes on");
    }

    private static async Task<Lease> IssueAsync(BrokerHarness node, string agent)
    {
        var caller = await node.CallerAsync(agent);
        return Ok(await node.IssueAsync(caller, await node.TaskAsync(caller), ttl: TimeSpan.FromMinutes(20))).Lease.Lease;
    }

    /// <summary>Issues, renews, revokes and ends, one after the other. How often.</summary>
    private static async Task<int> WorkAsync(BrokerHarness node, string name, CancellationToken enough)
    {
        var agent = await node.CallerAsync(name);
        var rounds = 0;
        for (; !enough.IsCancellationRequested; rounds++)
        {
            var task = await node.TaskAsync(agent);
            var lease = Ok(await node.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(20), cancellationToken: None)).Lease.Lease;
            Ok(await node.Get<Renewal>().RenewAsync(agent, null, lease.Id, TimeSpan.FromMinutes(30), "", None));
            if (rounds % 2 == 0) Ok(await node.Get<LeaseService>().RevokeAsync(agent, null, lease.Id, None));
            Ok(await node.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        }

        return rounds;
    }

    private async Task UntilProvenAsync(BrokerHarness node)
    {
        do await node.LookAsync();
        while ((await node.Leases.ListAsync(new LeaseQuery { States = [LeaseState.Revoking] }, new PageRequest(1000, null), None)).Items.Any(view => view.Lease.DueAt <= _time.GetUtcNow()));
    }

    private async Task<BrokerHarness> FirstAsync(DatabaseKind kind)
    {
        _database = await StoreDatabase.CreateAsync(kind);
        _scripted = new ScriptedProviderType(_time);
        return await OpenAsync(register: true);
    }

    /// <summary>A node of this version, or of one that has more migrations.</summary>
    private Task<BrokerHarness> JoinAsync(params Type[] migrations) => OpenAsync(register: false, migrations);

    private async Task CloseAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        _nodes.Clear();
    }

    private async Task<BrokerHarness> OpenAsync(bool register, params Type[] migrations)
    {
        var node = await StoreHarness.StartAsync(
            options =>
            {
                _database.Use(options);
                if (_database.TakesSeveralNodes) options.DatabaseTime = _time.GetUtcNow;
                if (migrations.Length > 0) options.ForMigration = NextVersion.With(migrations);
            },
            register: register, time: _time, scripted: _scripted);
        _nodes.Add(node);
        return node;
    }
}
