using CredBroker.Core.Leases;
using CredBroker.Core.Pressure;
using CredBroker.Core.Tasks;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>A store that has no time, or no room, for what is new.</summary>
public sealed class PressureTests : EngineTests
{
    [Test]
    public async Task Nothing_new_is_taken_or_told_and_ends_go_on()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        var pressure = Broker.Get<StorePressure>();
        var story = await Broker.StoryAsync(task);

        pressure.QueueAge = () => TimeSpan.FromSeconds(2);
        var refused = Refused(await Broker.IssueAsync(agent, task));
        Assert.That((refused.Reason, refused.RetryAfter), Is.EqualTo((Reasons.BrokerUnavailable, (TimeSpan?)TimeSpan.FromSeconds(1))));
        pressure.QueueAge = () => TimeSpan.Zero;
        pressure.WasFull();
        Assert.That(Refused(await Broker.IssueAsync(agent, task, role: "absent")).RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(30)), "a denial is not recorded either");
        var command = new CreateTaskCommand { Caller = agent, Intent = task.Intent };
        Assert.That(Refused(await Broker.Get<TaskService>().CreateAsync(command, CancellationToken.None)).Reason, Is.EqualTo(Reasons.BrokerUnavailable));
        Assert.That(await Broker.StoryAsync(task), Is.EqualTo(story));

        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        Broker.Time.Advance(TimeSpan.FromSeconds(10));
        Ok(await Broker.IssueAsync(agent, await Broker.TaskAsync(agent)));
    }
}
