using System.Diagnostics;
using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>The broker comes back after a day in which everything ran out. <c>CREDBROKER_TEST_DUE</c> says how many leases; a benchmark's number by default would take CI's time.</summary>
public sealed class DownForADayTests : EngineTests
{
    private const int PerTask = 250;

    private static int Due => Environment.GetEnvironmentVariable("CREDBROKER_TEST_DUE") is { Length: > 0 } set ? int.Parse(set, CultureInfo.InvariantCulture) : 1000;

    private static CancellationToken None => CancellationToken.None;

    protected override BrokerLimits Limits => new()
    {
        LeasesPerTask = PerTask,
        LeasesPerWorkload = 1_000_000,
        LeasesPerRole = 1_000_000,
        LeasesPerProvider = 1_000_000,
        LeasesPerWorkloadAndProvider = 1_000_000,
        TasksPerWorkload = 1_000_000,
        IssuesPerMinutePerTask = 1_000_000,
        IssuesPerMinutePerWorkload = 1_000_000,
        IssuesPerMinutePerRole = 1_000_000,
        IssuesPerMinutePerProvider = 1_000_000,
        IssueSlots = 64,
    };

    [Test]
    public async Task All_that_was_due_is_proven_dead_by_one_attempt_each_and_told_once()
    {
        var agent = await Broker.CallerAsync();
        var living = await Broker.TaskAsync(agent, ttl: TimeSpan.FromHours(24) - TimeSpan.FromMinutes(1), heartbeat: TimeSpan.FromHours(1));
        await FillAsync(agent);
        await Broker.Get<BrokerLife>().LookAsync(None);
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, ScriptedStep.Fails(ProviderFault.Unreachable));

        Broker.Time.Advance(TimeSpan.FromHours(23.9));
        var started = Stopwatch.GetTimestamp();
        await Broker.Get<BrokerLife>().LookAsync(None);
        for (var i = 0; i < 5; i++) await Broker.LookAsync();
        var failed = Broker.Target.Calls.Count(ScriptedOperation.Revoke);
        Assert.That(failed, Is.LessThanOrEqualTo(Limits.RevokeSlots), "the target is down: it is not stormed");
        Assert.That(Ok(await Broker.Get<TaskService>().GetAsync(agent, living.Id, None)).EndedAt, Is.Null, "being down ends nobody's task");

        Broker.Target.Calls.Always(ScriptedOperation.Revoke, null);
        Broker.Time.Advance(TimeSpan.FromMinutes(2));
        while (await UnprovenAsync() > 0) await Broker.LookAsync();
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Due} leases proven dead in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s"));

        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Revoke), Is.EqualTo(Due + failed), "one attempt each, but for those that found it down");
        foreach (var type in (string[])[AuditTypes.LeaseRevoked, AuditTypes.LeaseRevoking])
            Assert.That(await CountAsync(type), Is.EqualTo(Due), type);
    }

    private async Task FillAsync(Caller agent)
    {
        for (var left = Due; left > 0; left -= PerTask)
        {
            var task = await Broker.TaskAsync(agent);
            var issued = Enumerable.Range(0, Math.Min(left, PerTask)).Chunk(50);
            foreach (var chunk in issued)
                foreach (var result in await Task.WhenAll(chunk.Select(_ => Broker.IssueAsync(agent, task)))) Ok(result);
        }
    }

    private async Task<long> UnprovenAsync() =>
        (await Broker.Leases.ListAsync(new LeaseQuery { States = [LeaseState.Pending, LeaseState.Active, LeaseState.Revoking] }, new PageRequest(1, null), None)).Items.Count;

    private async Task<int> CountAsync(string type)
    {
        var count = 0;
        for (string? after = null; ;)
        {
            var page = await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [type] }, new PageRequest(1000, after), None);
            count += page.Items.Count;
            if ((after = page.Next) is null) return count;
        }
    }
}
