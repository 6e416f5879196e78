using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Pressure;
using CredBroker.Core.Tasks;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Writing;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>A store that is full, read-only or in trouble: what is answered is true, and what could not be done is done once it can be.</summary>
public sealed class StoreFaultTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task Below_what_is_kept_back_nothing_new_is_taken()
    {
        long free = 300;
        await using var database = new SqliteStoreDatabase();
        await using var node = await database.StartAsync(_time, options => (options.KeptBack, options.FreeSpace) = (200, () => free));
        var (pressure, life) = (node.Services.GetRequiredService<StorePressure>(), node.Services.GetRequiredService<IBrokerLife>());
        await life.BeatAsync(interval => interval, 1, None);
        Assert.That((pressure.Refusal, pressure.FreeBytes), Is.EqualTo(((BrokerError?)null, (long?)300)));
        free = 199;
        await life.BeatAsync(interval => interval, 1, None);
        Assert.That((pressure.Refusal!.Reason, pressure.Refusal.RetryAfter), Is.EqualTo((Reasons.BrokerUnavailable, (TimeSpan?)TimeSpan.FromSeconds(30))));
        free = 200;
        await life.BeatAsync(interval => interval, 1, None);
        Assert.That(pressure.Refusal, Is.Null);
    }

    [Test]
    public async Task A_full_file_takes_nothing_of_a_change_and_the_end_that_follows_has_what_is_left()
    {
        await using var database = new SqliteStoreDatabase();
        await using var node = await database.StartAsync(_time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node);
        var lease = await world.IssueAsync(node, task);
        // No page more than there are, until the connection is made again.
        await node.Services.GetRequiredService<BrokerWriter>().WriteAsync(
            LockSet.None,
            async session =>
            {
                await session.ControlAsync("PRAGMA max_page_count = 1");
                return true;
            },
            None);
        var padding = new string('x', 60_000);
        var big = world.NewTask() with { Audit = [new AuditDraft(AuditTypes.Decision, StoreWorld.Actor) { Texts = new Dictionary<string, string> { ["padding"] = padding } }] };
        await Assert.ThatAsync(() => node.Tasks.CreateAsync(big, None), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        Assert.That(await node.Tasks.FindAsync(big.Task.Id, None), Is.Null);
        var pressure = node.Services.GetRequiredService<StorePressure>();
        Assert.That(pressure.Refusal, Is.Not.Null);

        Assert.That(await node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Failed, TaskEndReason.Ended, StoreWorld.Actor), None), Is.InstanceOf<EndTaskOutcome.Ended>());
        await StoreWorld.FanOutAllAsync(node);
        var claimed = (await world.ClaimAsync(node)).Single();
        await StoreWorld.ApplyAsync(node, claimed, world.Gone(), claimed.Fence);
        Assert.That((await StoreWorld.FindAsync(node, lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(pressure.Refusal, Is.Null, "it is tried again");
        Assert.That(await SoundAsync(node), Is.True);
    }

    [Test]
    public async Task A_server_without_room_refuses_what_is_new_and_takes_ends()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(_time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node);
        await FailAsync(database, "leases", "53100", times: 1);
        await Assert.ThatAsync(() => node.Leases.ReserveAsync(world.Reservation(world.NewLease(task)), None), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        Assert.That(node.Services.GetRequiredService<StorePressure>().LowSpace, Is.True);
        Assert.That(await node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Failed, TaskEndReason.Ended, StoreWorld.Actor), None), Is.InstanceOf<EndTaskOutcome.Ended>());
    }

    [TestCase("40P01")]
    [TestCase("40001")]
    public async Task A_deadlock_or_a_lost_race_runs_the_whole_change_again(string state)
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(_time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node);
        await FailAsync(database, "leases", state, times: 3);
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => node.Leases.ReserveAsync(world.Reservation(world.NewLease(task)), None)));
        Assert.That(together, Is.All.InstanceOf<ReserveOutcome.Reserved>());
        Assert.That(await StoreWorld.CounterAsync(node, $"role:{world.Role}"), Is.EqualTo(8), "what was undone was not counted");
        await FailAsync(database, "leases", state, times: 1000);
        await Assert.ThatAsync(() => node.Leases.ReserveAsync(world.Reservation(world.NewLease(task)), None), Throws.InstanceOf<StoreUnavailableException>(), "not for ever");
        Assert.That(await SoundAsync(node), Is.True);
    }

    [Test]
    public async Task A_server_that_became_read_only_is_looked_for_anew()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(_time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node);
        // As after a failover: the connection stays, and can only read.
        await node.Services.GetRequiredService<BrokerWriter>().WriteAsync(
            LockSet.None,
            async session =>
            {
                await session.ControlAsync("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
                session.Audit(new AuditDraft(AuditTypes.HookRefused, Actor.Broker));
                return true;
            },
            None);
        await Assert.ThatAsync(() => world.CreateTaskAsync(node), Throws.InstanceOf<StoreUnavailableException>().With.Property("OutcomeUnknown").False);
        Assert.That(await node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Failed, TaskEndReason.Ended, StoreWorld.Actor), None), Is.InstanceOf<EndTaskOutcome.Ended>());
    }

    /// <summary>The next statements that write to a table fail, so many of them: a sequence counts, which no rollback takes back.</summary>
    private static Task<int> FailAsync(StoreDatabase database, string table, string state, int times) => database.ExecuteAsync($"""
        DROP SEQUENCE IF EXISTS public.fails CASCADE;
        CREATE SEQUENCE public.fails;
        CREATE OR REPLACE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''public.fails'') <= {times} THEN RAISE EXCEPTION ''injected'' USING ERRCODE = ''{state}''; END IF; RETURN NEW; END';
        CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON credbroker.{table} FOR EACH ROW EXECUTE FUNCTION public.fail();
        """);

    private static async Task<bool> SoundAsync(StoreNode node) =>
        AuditChain.Verify((await node.Audit.ListAsync(new AuditQuery(), new PageRequest(1000, null), None)).Items) is AuditFinding.Sound;
}
