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
        var suspended = Ok(await Suspensions.SuspendAsync(responder, target == "workload" ? $"workloads/{agent.Workload.Uid}" : target, "it leaks", null, false, CancellationToken.None));
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
        Assert.That(Ok(await Suspensions.SuspendAsync(await ResponderAsync(), "providers/db", "?", null, true, CancellationToken.None)).Held, Is.EqualTo(1));
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task Lifts_itself_at_its_end()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Suspensions.SuspendAsync(await ResponderAsync(), "providers/db", "a maintenance", Broker.Time.Now().AddMinutes(5), false, CancellationToken.None));
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
        Assert.That(Refused(await Suspensions.SuspendAsync(agent, "providers/db", "mischief", null, false, CancellationToken.None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
    }

    private async Task<Caller> ResponderAsync()
    {
        var anyone = await Broker.CallerAsync("responder");
        return anyone with { IsRoot = true, Identity = anyone.Identity with { OperatorOwned = true, Teams = ImmutableSortedSet<string>.Empty } };
    }
}
