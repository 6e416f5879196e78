using CredBroker.Abstractions;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.Time.Testing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Clocks;

/// <summary>A broker on SQLite whose machine's clock is set.</summary>
public sealed class JumpTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-jumps-").FullName;
    private readonly FakeTimeProvider _time = new(Start);
    private SteppedClock _machine = null!;
    private BrokerHarness _broker = null!;

    private static CancellationToken None => CancellationToken.None;

    [SetUp]
    public async Task StartBroker()
    {
        _machine = new SteppedClock(_time);
        _broker = await StoreHarness.SqliteAsync(Path.Combine(_folder, $"{Uid.New(TimeProvider.System)}.db"), time: _time, machine: _machine);
    }

    [TearDown]
    public async Task StopBroker() => await _broker.DisposeAsync();

    [OneTimeTearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase(1)]
    [TestCase(-1)]
    public async Task A_jump_kills_nothing_that_lives_and_issues_nothing_but_ends_go_on(int hours)
    {
        var agent = await _broker.CallerAsync();
        var task = await _broker.TaskAsync(agent, heartbeat: TimeSpan.FromMinutes(1));
        var lease = Ok(await _broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(30))).Lease.Lease;
        var other = await _broker.TaskAsync(agent);
        var ended = Ok(await _broker.IssueAsync(agent, other, ttl: TimeSpan.FromMinutes(30))).Lease.Lease;
        await BeatAsync();

        _machine.Ahead = hours * Hour;
        Ok(await _broker.Get<TaskService>().EndAsync(agent, other.Id, TaskOutcome.Succeeded, None));
        await BeatAsync();
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(ended.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), "a person's word does not wait for the clock");
        Assert.That((await _broker.LeaseAsync(lease.Id)).Effective.Live, Is.True);
        var refused = Refused(await _broker.IssueAsync(agent, task));
        Assert.That((refused.Reason, refused.RetryAfter), Is.EqualTo((Reasons.BrokerUnavailable, (TimeSpan?)TimeSpan.FromSeconds(5))));

        _machine.Ahead = TimeSpan.Zero;
        await BeatAsync();
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(lease.Id)).Effective.Live, Is.True, "it was nothing");
        Ok(await _broker.IssueAsync(agent, task));
        Assert.That(Ok(await _broker.Get<TaskService>().GetAsync(agent, task.Id, None)).EndedAt, Is.Null);
    }

    [Test]
    public async Task A_jump_that_stands_is_believed_and_what_died_by_it_stays_dead_when_it_is_taken_back()
    {
        var agent = await _broker.CallerAsync();
        var task = await _broker.TaskAsync(agent, ttl: 3 * Hour, heartbeat: TimeSpan.FromSeconds(10));
        var lease = Ok(await _broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(30))).Lease.Lease;
        await BeatAsync();
        _machine.Ahead = Hour;
        await BeatAsync();
        var doubt = new BrokerLimits().ClockDoubt;
        for (var passed = TimeSpan.Zero; passed < doubt; passed += TimeSpan.FromSeconds(3))
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            await _broker.Get<TaskService>().HeartbeatAsync(agent, task.Id, None);
            await BeatAsync();
        }

        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), "by its end");
        Assert.That(Ok(await _broker.Get<TaskService>().GetAsync(agent, task.Id, None)).EndedAt, Is.Null, "over an hour that nobody lived through no heartbeat is lost");

        _machine.Ahead = TimeSpan.Zero;
        await BeatAsync();
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(lease.Id)).Effective.Live, Is.False);
        Assert.That(Refused(await _broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.BrokerUnavailable), "until the clock is where it was");
    }

    private Task BeatAsync() => _broker.Get<BrokerLife>().LookAsync(None);
}
