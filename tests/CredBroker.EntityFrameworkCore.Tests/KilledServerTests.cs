using System.Collections.Concurrent;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>PostgreSQL is killed under load: what was answered is there, what was not may be, and nothing else is.</summary>
public sealed class KilledServerTests
{
    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task What_was_answered_survives_and_the_node_goes_on_when_the_server_is_back()
    {
        var server = await KillableServer.StartAsync();
        var database = new PostgresStoreDatabase(await server.CreateDatabaseAsync());
        await using var node = await database.StartAsync(new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        var world = await StoreWorld.CreateAsync(node);
        var task = await world.CreateTaskAsync(node);
        var (answered, unknown) = (new ConcurrentBag<Lease>(), new ConcurrentBag<Lease>());
        using var enough = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 8).Select(_ => Task.Run(() => WriteAsync(node, world, task, answered, unknown, enough.Token))).ToList();
        for (var round = 1; round <= 2; round++)
        {
            await GrowAsync(answered, 40);
            server.Kill();
            await server.StartAgainAsync();
        }

        await GrowAsync(answered, 40);
        await enough.CancelAsync();
        await Task.WhenAll(writers);

        var there = Convert.ToInt64(await database.ScalarAsync("SELECT count(*) FROM credbroker.leases"), null);
        await ReadAgainAsync(node, answered.First());
        foreach (var lease in answered) await StoreWorld.FindAsync(node, lease);
        Assert.That(there, Is.InRange(answered.Count, answered.Count + unknown.Count));
        Assert.That(await StoreWorld.CounterAsync(node, $"role:{world.Role}"), Is.EqualTo(there), "what is there is counted, and nothing else");
        Assert.That(Convert.ToInt64(await database.ScalarAsync("SELECT count(*) FROM credbroker.audit_events WHERE type = 'lease.reserved'"), null), Is.EqualTo(there), "and told");
        foreach (var chain in (await EventsAsync(node)).GroupBy(found => found.Writer))
            Assert.That(AuditChain.Verify(chain.OrderBy(found => found.Sequence)), Is.InstanceOf<AuditFinding.Sound>());
    }

    private static async Task WriteAsync(StoreNode node, StoreWorld world, AgentTask task, ConcurrentBag<Lease> answered, ConcurrentBag<Lease> unknown, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var lease = world.NewLease(task);
            try
            {
                await node.Leases.ReserveAsync(world.Reservation(lease), None);
                answered.Add(lease);
            }
            catch (StoreUnavailableException e)
            {
                if (e.OutcomeUnknown) unknown.Add(lease);
                // As a caller that is told to come back: not at once.
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, None);
            }
        }
    }

    /// <summary>Connections that were idle when the server was killed are found to be broken when they are used next.</summary>
    private static async Task ReadAgainAsync(StoreNode node, Lease lease)
    {
        for (var left = 20; ; left--)
        {
            try
            {
                await StoreWorld.FindAsync(node, lease);
                return;
            }
            catch (StoreUnavailableException) when (left > 0)
            {
                await Task.Yield();
            }
        }
    }

    private static async Task GrowAsync(ConcurrentBag<Lease> answered, int by)
    {
        var goal = answered.Count + by;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (answered.Count < goal) await timer.WaitForNextTickAsync(bound.Token);
    }

    private static async Task<List<AuditEvent>> EventsAsync(StoreNode node)
    {
        var events = new List<AuditEvent>();
        for (string? after = null; ;)
        {
            var page = await node.Audit.ListAsync(new AuditQuery(), new PageRequest(1000, after), None);
            events.AddRange(page.Items);
            if ((after = page.Next) is null) return events;
        }
    }
}
