using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Writing;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>The writer's queue and its commits.</summary>
public sealed class WriterTests
{
    private static readonly AuditDraft Event = new(AuditTypes.HookRefused, Actor.Broker);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public async Task A_full_queue_refuses_and_an_abandoned_change_is_not_written()
    {
        await using var database = new SqliteStoreDatabase();
        await using var node = await database.StartAsync(_time, options => options.QueueLength = 2);
        var writer = node.Services.GetRequiredService<BrokerWriter>();
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var blocking = writer.WriteAsync(
            LockSet.None,
            async _ =>
            {
                begun.SetResult();
                await go.Task;
                return true;
            },
            CancellationToken.None);
        await begun.Task;

        using var patience = new CancellationTokenSource();
        var waiting = node.Audit.AppendAsync(Event, CancellationToken.None);
        var abandoned = node.Audit.AppendAsync(Event, patience.Token);
        Assert.That(() => node.Audit.AppendAsync(Event, CancellationToken.None), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        await patience.CancelAsync();
        go.SetResult();

        await Task.WhenAll(blocking, waiting);
        Assert.That(async () => await abandoned, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await CountAsync(database), Is.EqualTo(1));
    }

    [Test]
    public async Task Every_commit_says_its_number_and_the_head_of_the_chain()
    {
        await using var database = new SqliteStoreDatabase();
        await using var node = await database.StartAsync(_time);
        var before = Convert.ToInt64(await database.ScalarAsync("SELECT commits FROM writers"), null);
        await node.Audit.AppendAsync(Event, CancellationToken.None);
        await node.Audit.AppendAsync(Event, CancellationToken.None);
        Assert.That(Convert.ToInt64(await database.ScalarAsync("SELECT commits FROM writers"), null), Is.EqualTo(before + 2));
        var head = (byte[])(await database.ScalarAsync("SELECT audit_hash FROM writers"))!;
        var events = await node.Audit.ListAsync(new AuditQuery(), new Core.PageRequest(100, null), CancellationToken.None);
        Assert.That(AuditChain.Verify(events.Items, new AuditHead(events.Items.Count, head)), Is.InstanceOf<AuditFinding.Sound>());
    }

    [Test]
    public async Task A_commit_whose_answer_is_lost_is_looked_up()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(_time);
        await node.Audit.AppendAsync(Event, CancellationToken.None);
        // A deferred trigger runs inside COMMIT: there the connection ends.
        await database.ExecuteAsync("""
            CREATE FUNCTION public.cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON credbroker.audit_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.cut();
            """);
        Assert.That(() => node.Audit.AppendAsync(Event, CancellationToken.None), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        await database.ExecuteAsync("DROP TRIGGER cut ON credbroker.audit_events");

        await node.Audit.AppendAsync(Event, CancellationToken.None);
        var events = await node.Audit.ListAsync(new AuditQuery(), new Core.PageRequest(100, null), CancellationToken.None);
        Assert.That(events.Items.Count(found => found.Draft.Type == AuditTypes.HookRefused), Is.EqualTo(2));
        Assert.That(AuditChain.Verify(events.Items), Is.InstanceOf<AuditFinding.Sound>());
    }

    [Test]
    public async Task A_connection_that_was_cut_is_replaced()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(_time);
        await node.Audit.AppendAsync(Event, CancellationToken.None);
        await database.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        Assert.That(() => node.Audit.AppendAsync(Event, CancellationToken.None), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        await node.Audit.AppendAsync(Event, CancellationToken.None);
    }

    [Test]
    public async Task Nobody_waits_for_ever_for_a_lock_that_a_frozen_node_holds()
    {
        await using var database = (PostgresStoreDatabase)await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(_time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node);
        await using var frozen = new Npgsql.NpgsqlConnection(database.Database.ConnectionString);
        await frozen.OpenAsync();
        await using var transaction = await frozen.BeginTransactionAsync();
        await using (var command = new Npgsql.NpgsqlCommand("SELECT 1 FROM credbroker.tasks FOR UPDATE", frozen)) await command.ExecuteNonQueryAsync();

        var reserving = node.Leases.ReserveAsync(world.Reservation(world.NewLease(task)), CancellationToken.None);
        Assert.That(async () => await reserving.WaitAsync(TimeSpan.FromSeconds(60)), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        await transaction.RollbackAsync();
        await world.ReserveAsync(node, task);
    }

    [Test]
    public async Task A_server_that_could_lose_what_was_answered_is_refused()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await database.ExecuteAsync("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$");
        Assert.That(() => database.StartAsync(_time), Throws.InstanceOf<StoreUnavailableException>().With.Message.Contains("synchronous_commit"));
    }

    private static async Task<long> CountAsync(StoreDatabase database) =>
        Convert.ToInt64(await database.ScalarAsync($"SELECT count(*) FROM {database.Schema}audit_events WHERE type = '{AuditTypes.HookRefused}'"), null);
}
