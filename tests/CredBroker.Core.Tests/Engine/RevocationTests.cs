using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

public sealed class RevocationTests : EngineTests
{
    [Test]
    public async Task Whatever_fails_is_tried_again_without_end_and_stays_visible()
    {
        var (agent, task, lease) = await IssuedAsync();
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, new ScriptedStep { Acts = ScriptedActs.Never, Fault = ProviderFault.Credential });
        await EndAsync(agent, task);
        for (var i = 0; i < 12; i++)
        {
            await Broker.LookAsync();
            Broker.Time.Advance(TimeSpan.FromMinutes(6));
        }

        var stuck = (await Broker.LeaseAsync(lease)).Lease;
        Assert.Multiple(() =>
        {
            Assert.That(stuck.State, Is.EqualTo(LeaseState.Revoking));
            Assert.That(stuck.Lane, Is.EqualTo(Lane.Slow));
            Assert.That(stuck.LastError!.Fault, Is.EqualTo(ProviderFault.Credential));
            Assert.That(stuck.Attempts, Is.GreaterThanOrEqualTo(12));
        });
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, null);
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task A_provider_at_fault_is_backed_off_and_its_first_success_opens_the_way()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 5; i++) Ok(await Broker.IssueAsync(agent, task));
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, new ScriptedStep { Acts = ScriptedActs.Never, Fault = ProviderFault.Unreachable });
        await EndAsync(agent, task);
        await Broker.LookAsync();
        var tried = Broker.Target.Calls.Count(ScriptedOperation.Revoke);
        await Broker.LookAsync();
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Revoke), Is.EqualTo(tried), "in the pause nothing is tried");
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, null);
        for (var i = 0; i < 4; i++)
        {
            Broker.Time.Advance(TimeSpan.FromMinutes(3));
            await Broker.LookAsync();
        }

        Assert.That((await Broker.LeasesOfAsync(task)).Select(view => view.Lease.State), Is.All.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task Another_target_that_knows_nothing_proves_nothing()
    {
        var (agent, task, lease) = await IssuedAsync();
        Broker.Target.Identity = "another-target";
        await EndAsync(agent, task);
        await Broker.LookAsync();
        var view = (await Broker.LeaseAsync(lease)).Lease;
        Assert.Multiple(() =>
        {
            Assert.That(view.State, Is.EqualTo(LeaseState.Revoking));
            Assert.That(view.LastError!.Fault, Is.EqualTo(ProviderFault.TargetMismatch));
        });
    }

    [Test]
    public async Task An_expired_lease_is_claimed_and_revoked_at_its_time()
    {
        var (_, _, lease) = await IssuedAsync(TimeSpan.FromMinutes(10));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True);
        Broker.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Reason, Is.EqualTo(EndReason.Expired), "dead in effect before any sweep");
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease, Has.Property(nameof(Lease.State)).EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task What_settles_is_looked_at_again_when_it_has_settled()
    {
        var (agent, task, lease) = await IssuedAsync();
        Broker.Target.SettlesWithin = TimeSpan.FromSeconds(5);
        await EndAsync(agent, task);
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoking));
        Broker.Time.Advance(TimeSpan.FromSeconds(5));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task An_attempt_that_hangs_keeps_its_slot_and_loses_its_claim()
    {
        var (agent, task, lease) = await IssuedAsync();
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Revoke, new ScriptedStep { Before = gate, IgnoresCancellation = true });
        await EndAsync(agent, task);
        var dispatcher = Broker.Get<Revocation.RevocationDispatcher>();
        await dispatcher.LookAsync(CancellationToken.None);
        await gate.Reached;
        Broker.Time.Advance(TimeSpan.FromSeconds(31));
        await Until(() => dispatcher.Running == 0, "the attempt is given up");
        Assert.That((await Broker.LeaseAsync(lease)).Lease.LastError!.Fault, Is.EqualTo(ProviderFault.Unreachable));
        gate.Open();
        Broker.Time.Advance(TimeSpan.FromMinutes(3));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task Revoking_twice_changes_nothing()
    {
        var (agent, _, lease) = await IssuedAsync();
        var service = Broker.Get<LeaseService>();
        Ok(await service.RevokeAsync(agent, null, lease, CancellationToken.None));
        await Broker.LookAsync();
        var again = Ok(await service.RevokeAsync(agent, null, lease, CancellationToken.None));
        Assert.That(again.Lease.State, Is.EqualTo(LeaseState.Revoked));
        await Broker.LookAsync();
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Revoke), Is.EqualTo(1));
    }

    [Test]
    public async Task A_renewal_is_stored_before_the_provider_is_asked()
    {
        var (agent, _, lease) = await IssuedAsync(TimeSpan.FromMinutes(10));
        Broker.Time.Advance(TimeSpan.FromMinutes(5));
        Broker.Target.Calls.Next(ScriptedOperation.Renew, new ScriptedStep { Fault = ProviderFault.Unreachable });
        Refused(await Broker.Get<Core.Issuance.Renewal>().RenewAsync(agent, null, lease, TimeSpan.FromMinutes(20), "", CancellationToken.None));
        var kept = (await Broker.LeaseAsync(lease)).Lease;
        Assert.Multiple(() =>
        {
            Assert.That(kept.ExpiresAt, Is.EqualTo(kept.ReservedAt + TimeSpan.FromMinutes(10)), "the old end still holds");
            Assert.That(kept.PossibleDeathAt, Is.EqualTo(kept.ReservedAt + TimeSpan.FromMinutes(25)), "and the longer life is known");
        });
        var renewed = Ok(await Broker.Get<Core.Issuance.Renewal>().RenewAsync(agent, null, lease, TimeSpan.FromMinutes(20), "", CancellationToken.None));
        Assert.That(renewed.Lease.ExpiresAt, Is.EqualTo(kept.ReservedAt + TimeSpan.FromMinutes(25)));
    }

    private async Task<(Caller Agent, AgentTask Task, Uid Lease)> IssuedAsync(TimeSpan? ttl = null)
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        return (agent, task, Ok(await Broker.IssueAsync(agent, task, ttl: ttl)).Lease.Lease.Id);
    }

    private async Task EndAsync(Caller agent, AgentTask task) => Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
}
