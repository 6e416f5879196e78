using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.TestSupport.Stores;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>The rows are what the pure function says, whatever happens in whatever order.</summary>
public sealed class LeaseRowsTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<(int Event, int Seconds)> Steps = Gen.Select(Gen.Int[0, 12], Gen.Int[0, 20]);

    [Test]
    public async Task The_store_keeps_what_the_machine_makes()
    {
        await using var database = new SqliteStoreDatabase();
        var time = new FakeTimeProvider(Start);
        await using var node = await database.StartAsync(time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node, life: TimeSpan.FromDays(1));

        await Steps.Array[1, 10].SampleAsync(
            async steps =>
            {
                var expected = await world.ReserveAsync(node, task);
                foreach (var (number, seconds) in steps)
                {
                    time.Advance(TimeSpan.FromSeconds(seconds));
                    var @event = EventOf(number, expected, time.Now());
                    var live = EffectiveState.Of(expected, null, [0, 0, 0, 0], time.Now()).Live;
                    var step = LeaseMachine.Apply(expected, @event, live, time.Now());
                    var outcome = await node.Leases.ApplyAsync(new LeaseChange(expected.Id, @event, Actor.Broker), CancellationToken.None);
                    Assert.That(outcome is ApplyOutcome.Refused, Is.EqualTo(step is LeaseStep.Refused));
                    if (step is LeaseStep.Moved { Lease: var moved }) expected = moved;
                    Assert.That((await StoreWorld.FindAsync(node, expected)).Lease, Is.EqualTo(expected));
                }

                // Whatever happened: proven dead or counted.
                foreach (var key in expected.QuotaKeys) Assert.That(await StoreWorld.CounterAsync(node, key), Is.EqualTo(await UnprovenAsync(database)));
            },
            iter: 40, threads: 1);
    }

    [Test]
    public async Task Ending_a_task_of_a_hundred_thousand_leases_holds_nobody_up()
    {
        await using var database = new SqliteStoreDatabase();
        var time = new FakeTimeProvider(Start);
        await using var node = await database.StartAsync(time);
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node, life: TimeSpan.FromDays(1));
        await world.IssueAsync(node, task);
        await MultiplyAsync(database, 100_000);

        var started = TimeProvider.System.GetTimestamp();
        await node.Tasks.EndAsync(new Core.Tasks.TaskEnd(task.Id, Core.Tasks.TaskOutcome.Succeeded, Core.Tasks.TaskEndReason.Ended, StoreWorld.Actor), CancellationToken.None);
        var took = TimeProvider.System.GetElapsedTime(started);
        Assert.That(await database.ScalarAsync("SELECT count(*) FROM leases WHERE state = 2"), Is.EqualTo(100_000));
        // The bound is 100 ms on an idle machine; touching the rows takes seconds on any.
        Assert.That(took, Is.LessThan(TimeSpan.FromSeconds(1)));

        await node.Leases.FanOutAsync(500, CancellationToken.None);
        Assert.That(await database.ScalarAsync("SELECT count(*) FROM leases WHERE state = 3"), Is.EqualTo(500));
        Assert.That(await world.ClaimAsync(node, 16), Has.Count.EqualTo(16));
        TestContext.Out.WriteLine($"End of a task with 100,000 leases took {took.TotalMilliseconds:F1} ms");
    }

    private static LeaseEvent EventOf(int number, Lease lease, DateTimeOffset now) => number switch
    {
        0 => new LeaseEvent.Issued(new Handle("h"), now + TimeSpan.FromMinutes(9)),
        1 => new LeaseEvent.HandleRecorded(new Handle("half")),
        2 => new LeaseEvent.NothingMade(new AttemptError(ProviderFault.Denied, "no", now)),
        3 => new LeaseEvent.IssueOutcomeUnknown(new AttemptError(ProviderFault.Unreachable, "lost", now)),
        4 => new LeaseEvent.IssueDeadlinePassed(),
        5 => new LeaseEvent.Ended(EndReason.Revoked),
        6 => new LeaseEvent.Claimed(now + TimeSpan.FromMinutes(1)),
        7 => new LeaseEvent.AttemptFailed(new AttemptError(ProviderFault.Throttled, "slower", now), now + TimeSpan.FromSeconds(9), lease.Attempts > 2),
        8 => new LeaseEvent.Settling(now + TimeSpan.FromSeconds(5), "the deny to spread", new Handle("new")),
        9 => new LeaseEvent.ProvenGone(new Evidence("role_absent", "gone", now)),
        10 => new LeaseEvent.ProvenExpired(new Evidence("expired", "past", now)),
        11 => new LeaseEvent.Reappeared("a listing"),
        _ => new LeaseEvent.RenewalIntended(now + TimeSpan.FromMinutes(20)),
    };

    private static async Task<long> UnprovenAsync(StoreDatabase database) => (long)(await database.ScalarAsync("SELECT count(*) FROM leases WHERE state <= 3"))!;

    private static async Task MultiplyAsync(StoreDatabase database, int count)
    {
        var columns = ((string)(await database.ScalarAsync("SELECT group_concat(name) FROM pragma_table_info('leases')"))!).Split(',');
        var values = columns.Select(column => column switch { "id" => "randomblob(16)", "external_name" => "'x' || n", _ => column });
        await database.ExecuteAsync($"""
            WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
            INSERT INTO leases ({string.Join(',', columns)}) SELECT {string.Join(',', values)} FROM leases, numbers
            """);
    }
}
