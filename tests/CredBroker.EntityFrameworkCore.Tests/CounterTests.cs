using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>What a batch counts is written once, and is what each of its changes alone would have come to.</summary>
[TestFixture(DatabaseKind.Sqlite)]
[TestFixture(DatabaseKind.Postgres)]
public sealed class CounterTests(DatabaseKind kind)
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public async Task Those_of_a_batch_see_each_other_and_who_fails_leaves_nothing()
    {
        await using var database = await StoreDatabase.CreateAsync(kind);
        await using var node = await database.StartAsync(_time);
        var writer = node.Services.GetRequiredService<BrokerWriter>();
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var blocking = WriteAsync(writer, async _ =>
        {
            begun.SetResult();
            await go.Task;
        });
        await begun.Task;
        var charges = new[] { new QuotaCharge("task:a", 3, "leases of this task") };

        // All of these wait, and are committed together; because two of them fail, they run again, each in a savepoint.
        var runs = 0;
        var adding = Enumerable.Range(0, 5).Select(_ => WriteAsync(writer, async session =>
        {
            runs++;
            var exceeded = await Counters.ExceededAsync(session, charges) is not null;
            if (!exceeded) await Counters.AddAsync(session, ["task:a", "workload:b"], 1);
            return exceeded;
        })).ToList();
        var failing = WriteAsync(writer, async session =>
        {
            await Counters.AddAsync(session, ["task:a", "workload:c"], 7);
            throw new ArgumentException("It failed after it had counted.");
        });
        var below = WriteAsync(writer, session => Counters.AddAsync(session, ["workload:b"], -4));
        var less = WriteAsync(writer, session => Counters.AddAsync(session, ["workload:b"], -2));
        go.SetResult();

        await Task.WhenAll(blocking, less);
        var refused = await Task.WhenAll(adding);
        Assert.That(async () => await failing, Throws.ArgumentException);
        Assert.That(async () => await below, Throws.InvalidOperationException.With.Message.Contains("workload:b"));
        Assert.That(refused, Is.EqualTo(new[] { false, false, false, true, true }), "the fourth sees what the first three have added");
        Assert.That(runs, Is.EqualTo(10));
        Assert.That(await node.Registry.CountersAsync(["task:a", "workload:b", "workload:c"], CancellationToken.None), Is.EqualTo(new[] { 3L, 1L, 0L }));
    }

    private static Task WriteAsync(BrokerWriter writer, Func<WriteSession, Task> work) => WriteAsync(writer, async session =>
    {
        await work(session);
        return true;
    });

    private static Task<T> WriteAsync<T>(BrokerWriter writer, Func<WriteSession, Task<T>> work) =>
        writer.WriteAsync(new LockSet { Counters = ["task:a", "workload:b", "workload:c"] }, work, CancellationToken.None);
}
