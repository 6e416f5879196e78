using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>Nodes whose clocks are wrong, on one PostgreSQL.</summary>
public sealed class NodeClockTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task The_database_is_asked_for_the_time()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        await using var node = await database.StartAsync(new FakeTimeProvider(new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero)), options => options.DatabaseTime = null);
        var time = node.Services.GetRequiredService<StoreTime>();
        var told = Instants.FromMicros(Convert.ToInt64(await database.ScalarAsync("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"), null));
        Assert.That(time.GetUtcNow(), Is.EqualTo(told).Within(TimeSpan.FromMinutes(1)), "this machine says 2040");
        Assert.That(time.State.WhyNoIssue, Does.Contain("off the store's time"));
        Assert.That(time.State.TimeHolds, Is.False);
    }

    [Test]
    public async Task A_node_90_s_ahead_kills_nothing_before_its_time_and_none_of_its_jumps_do()
    {
        await using var database = await StoreDatabase.CreateAsync(DatabaseKind.Postgres);
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var clock = new SteppedClock(time) { Ahead = TimeSpan.FromSeconds(90) };
        await using var right = await database.StartAsync(time);
        await using var ahead = await database.StartAsync(time, machine: clock);
        var world = await StoreWorld.CreateAsync(right);
        var task = await world.CreateTaskAsync(right);
        var lease = await world.IssueAsync(right, task, TimeSpan.FromSeconds(60));
        foreach (var jump in (double[])[90, 3600, -3600])
        {
            clock.Ahead = TimeSpan.FromSeconds(jump);
            Assert.That(await world.ClaimAsync(ahead), Is.Empty);
            Assert.That(await ahead.Tasks.EndOverdueAsync(500, None), Is.Empty);
            Assert.That((await StoreWorld.FindAsync(ahead, lease)).Effective.Live, Is.True);
        }

        time.Advance(TimeSpan.FromSeconds(61));
        Assert.That((await StoreWorld.FindAsync(ahead, lease)).Effective.Live, Is.False);
        var claimed = (await world.ClaimAsync(ahead)).Single();
        Assert.That(await world.ClaimAsync(right), Is.Empty, "a claim holds for both");

        // The node that holds the claim is suspended for longer than that; the other takes over, and the first can settle nothing when it wakes.
        time.Advance(TimeSpan.FromSeconds(61));
        var again = (await world.ClaimAsync(right)).Single();
        Assert.That(await ahead.Leases.ApplyAsync(new LeaseChange(lease.Id, world.Gone(), StoreWorld.Actor) { Fence = claimed.Fence }, None), Is.InstanceOf<ApplyOutcome.Fenced>());
        Assert.That((await StoreWorld.ApplyAsync(right, again, world.Gone(), again.Fence)).State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task What_was_committed_holds_a_clock_that_was_set_back_across_a_restart()
    {
        await using var database = new SqliteStoreDatabase();
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var clock = new SteppedClock(time);
        Lease lease;
        await using (var node = await database.StartAsync(time))
        {
            var world = await StoreWorld.CreateAsync(node);
            lease = await world.IssueAsync(node, await world.CreateTaskAsync(node), TimeSpan.FromMinutes(30));
            time.Advance(TimeSpan.FromMinutes(31));
            await world.ClaimAsync(node);
        }

        clock.Ahead = TimeSpan.FromHours(-1);
        await using var next = await database.StartAsync(time, machine: clock);
        Assert.That((await StoreWorld.FindAsync(next, lease)).Effective.Live, Is.False, "nothing dead revives");
        Assert.That(next.Services.GetRequiredService<StoreTime>().State.WhyNoIssue, Does.Contain("-3600 s off"));
    }
}
