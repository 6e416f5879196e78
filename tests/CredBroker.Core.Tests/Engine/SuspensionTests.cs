using System.Collections.Immutable;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Workloads;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

public sealed class SuspensionTests : EngineTests
{
    private SuspensionService Suspensions => Broker.Get<SuspensionService>();

    [TestCase("workload")]
    [TestCase("identitySources/ci")]
    [TestCase("providers/db")]
    [TestCase("providers/db/roles/read")]
    public async Task Kills_all_that_its_target_holds_and_refuses_more(string target)
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id;
        var responder = await ResponderAsync();
        var suspended = Ok(await Suspensions.SuspendAsync(responder, new SuspendCommand(target == "workload" ? $"workloads/{agent.Workload.Uid}" : target, "it leaks"), CancellationToken.None));
        Assert.Multiple(async () =>
        {
            Assert.That(suspended.Held, Is.EqualTo(1));
            Assert.That((await Broker.LeaseAsync(lease)).Effective.Reason, Is.EqualTo(EndReason.Suspended));
            Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.Suspended));
        });
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Is.Empty);

        Ok(await Suspensions.LiftAsync(responder, suspended.Suspension.Id, CancellationToken.None));
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.False, "lifting revives nothing");
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task Shows_what_would_die_and_changes_nothing_when_it_only_validates()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Ok(await Suspensions.SuspendAsync(await ResponderAsync(), new SuspendCommand("providers/db", "?", ValidateOnly: true), CancellationToken.None)).Held, Is.EqualTo(1));
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task A_repeat_answers_the_same_suspension_and_another_under_its_id_is_refused()
    {
        var responder = await ResponderAsync();
        var command = new SuspendCommand("providers/db", "it leaks", RequestId: "s-1");
        var made = Ok(await Suspensions.SuspendAsync(responder, command, CancellationToken.None)).Suspension;
        Broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(Ok(await Suspensions.SuspendAsync(responder, command, CancellationToken.None)).Suspension, Is.EqualTo(made));
        foreach (var other in new[] { command with { Reason = "it leaks again" }, command with { Target = "providers/db/roles/read" }, command with { Until = Broker.Time.Now().AddHours(1) } })
            Assert.That(Refused(await Suspensions.SuspendAsync(responder, other, CancellationToken.None)).Reason, Is.EqualTo(Reasons.RequestIdReused));
        var colleague = await Broker.CallerAsync("colleague");
        var theirs = Ok(await Suspensions.SuspendAsync(colleague with { IsRoot = true, Identity = colleague.Identity with { OperatorOwned = true } }, command, CancellationToken.None)).Suspension;
        Assert.That(theirs.Id, Is.Not.EqualTo(made.Id), "an id is its caller's own");
    }

    [Test]
    public async Task Lifts_itself_at_its_end()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Suspensions.SuspendAsync(await ResponderAsync(), new SuspendCommand("providers/db", "a maintenance", Broker.Time.Now().AddMinutes(5)), CancellationToken.None));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.Suspended));
        Broker.Time.Advance(TimeSpan.FromMinutes(5));
        await Broker.LookAsync();
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task Only_callers_of_the_operators_sources_may_suspend_whatever_policy_says()
    {
        Ok(await Broker.Get<RegistryService>().CreateAsync(
            RegistryAuthor.Operator, ResourceTypes.PolicySet, "loose", null,
            new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = "permit (principal, action, resource);" }, new ChangeOptions(), CancellationToken.None));
        var agent = await Broker.CallerAsync();
        Assert.That(Refused(await Suspensions.SuspendAsync(agent, new SuspendCommand("providers/db", "mischief"), CancellationToken.None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
    }

    private async Task<Caller> ResponderAsync()
    {
        var anyone = await Broker.CallerAsync("responder");
        return anyone with { IsRoot = true, Identity = anyone.Identity with { OperatorOwned = true, Teams = ImmutableSortedSet<string>.Empty } };
    }
}
