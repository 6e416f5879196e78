using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

public sealed class IssuanceTests : EngineTests
{
    [Test]
    public async Task A_workload_gets_a_credential_for_its_task_and_it_dies_with_the_task()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issued = Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Broker.Target.Open(issued.Credential["username"].Value.Reveal(), issued.Credential["password"].Value), Is.Not.Null);

        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        Assert.That((await Broker.LeaseAsync(issued.Lease.Lease.Id)).Effective, Is.EqualTo(new EffectiveState(false, EndReason.TaskEnded, Broker.Time.Now())), "dead in effect at the commit");
        await Broker.LookAsync();
        var dead = await Broker.LeaseAsync(issued.Lease.Lease.Id);
        Assert.Multiple(() =>
        {
            Assert.That(dead.Lease.State, Is.EqualTo(LeaseState.Revoked));
            Assert.That(dead.Lease.Evidence!.Kind, Is.EqualTo("credential_absent"));
            Assert.That(Broker.Target.Credentials, Is.Empty);
        });
    }

    [Test]
    public async Task The_audit_trail_tells_the_whole_story_in_order()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await Broker.LookAsync();
        Assert.That(await Broker.StoryAsync(task), Is.EqualTo((string[])
        [
            AuditTypes.Decision, AuditTypes.TaskCreated, AuditTypes.Decision, AuditTypes.LeaseReserved, AuditTypes.LeaseActivated,
            AuditTypes.TaskEnded, AuditTypes.LeaseRevoking, AuditTypes.LeaseRevoked, AuditTypes.ReceiptClosed,
        ]));
    }

    [Test]
    public async Task A_definite_no_voids_the_lease_and_frees_its_quota()
    {
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { Acts = ScriptedActs.Never, Fault = ProviderFault.Denied, Effect = ProviderEffect.None });
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ProviderFailed));
        var lease = (await Broker.LeasesOfAsync(task)).Single().Lease;
        Assert.Multiple(() =>
        {
            Assert.That(lease.State, Is.EqualTo(LeaseState.Void));
            Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Issue), Is.EqualTo(1), "issue is never repeated");
        });
        Assert.That(await CountAsync($"task:{task.Id}"), Is.Zero);
    }

    [Test]
    public async Task An_unknown_outcome_is_revoked_only_past_the_late_effect()
    {
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { Acts = ScriptedActs.Later, ActsAfter = TimeSpan.FromSeconds(35), Fault = ProviderFault.Unreachable });
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ProviderUnavailable));
        await Broker.LookAsync();
        Assert.That((await Broker.LeasesOfAsync(task)).Single().Lease.State, Is.EqualTo(LeaseState.Revoking), "not there proves nothing yet");

        Broker.Time.Advance(TimeSpan.FromSeconds(41));
        Assert.That(Broker.Target.Credentials, Has.Count.EqualTo(1), "the late create has taken effect");
        await Broker.LookAsync();
        Assert.Multiple(async () =>
        {
            Assert.That((await Broker.LeasesOfAsync(task)).Single().Lease.State, Is.EqualTo(LeaseState.Revoked));
            Assert.That(Broker.Target.Credentials, Is.Empty);
        });
    }

    [Test]
    public async Task A_handle_that_was_recorded_half_way_is_revoked_though_the_call_failed()
    {
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { Acts = ScriptedActs.AtOnce, Fault = ProviderFault.Unreachable });
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Refused(await Broker.IssueAsync(agent, task, "two-steps"));
        Assert.That((await Broker.LeasesOfAsync(task)).Single().Lease.Handle, Is.Not.Null);
        Broker.Time.Advance(TimeSpan.FromSeconds(41));
        await Broker.LookAsync();
        Assert.That((await Broker.LeasesOfAsync(task)).Single().Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task A_task_that_ends_while_the_provider_works_leaves_nothing_alive()
    {
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { After = gate });
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issuing = Broker.IssueAsync(agent, task);
        await gate.Reached;
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Cancelled, CancellationToken.None));
        gate.Open();
        Assert.That(Refused(await issuing).Reason, Is.EqualTo(Reasons.TaskEnded), "no secret is delivered");
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Is.Empty);
    }

    [Test]
    public async Task A_caller_who_left_before_the_answer_leaves_nothing_alive()
    {
        using var caller = new CancellationTokenSource();
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { After = gate });
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issuing = Broker.IssueAsync(agent, task, cancellationToken: caller.Token);
        await gate.Reached;
        await caller.CancelAsync();
        gate.Open();
        await Assert.ThatAsync(() => issuing, Throws.InstanceOf<OperationCanceledException>());
        Assert.That((await Broker.LeasesOfAsync(task)).Single().Lease.EndReason, Is.EqualTo(EndReason.Undelivered));
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Is.Empty);
    }

    [Test]
    public async Task A_provider_that_hangs_is_given_up_and_its_late_answer_is_still_revoked()
    {
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { After = gate, IgnoresCancellation = true });
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issuing = Broker.IssueAsync(agent, task);
        await gate.Reached;
        Broker.Time.Advance(TimeSpan.FromSeconds(36));
        Assert.That(Refused(await issuing).Reason, Is.EqualTo(Reasons.ProviderUnavailable));
        gate.Open();
        var lease = (await Broker.LeasesOfAsync(task)).Single().Lease.Id;
        await Until(() => Broker.LeaseAsync(lease).GetAwaiter().GetResult().Lease.IssueAnswered, "the late answer is taken");
        Broker.Time.Advance(TimeSpan.FromSeconds(1));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        Assert.That(Broker.Target.Credentials, Is.Empty);
    }

    [Test]
    public async Task A_repeated_request_supersedes_and_never_leaves_two_alive()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var first = Ok(await Broker.IssueAsync(agent, task, requestId: "r-1"));
        Assert.That(Refused(await Broker.IssueAsync(agent, task, requestId: "r-1")).Reason, Is.EqualTo(Reasons.RequestSuperseded), "the same attempt changes nothing");
        var second = Ok(await Broker.IssueAsync(agent, task, requestId: "r-1", attempt: 1));
        Assert.Multiple(() =>
        {
            Assert.That(second.Lease.Lease.Supersedes, Is.EqualTo(first.Lease.Lease.Id));
            Assert.That(second.Lease.Lease.MaxExpiresAt, Is.LessThanOrEqualTo(first.Lease.Lease.MaxExpiresAt), "superseding lengthens nothing");
        });
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(first.Lease.Lease.Id)).Lease.EndReason, Is.EqualTo(EndReason.Superseded));
        Assert.That(Broker.Target.Credentials.Select(made => made.Name), Is.EqualTo((string[])[second.Lease.Lease.ExternalName]));
    }

    [Test]
    public async Task A_request_id_with_another_request_is_an_error()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task, requestId: "r-1"));
        Assert.That(Refused(await Broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(1), requestId: "r-1", attempt: 1)).Reason, Is.EqualTo(Reasons.RequestIdReused));
    }

    [Test]
    public async Task A_request_past_its_window_is_not_repeated()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task, requestId: "r-1"));
        Broker.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.That(Refused(await Broker.IssueAsync(agent, task, requestId: "r-1", attempt: 1)).Reason, Is.EqualTo(Reasons.RequestIdReused));
    }

    [Test]
    public async Task A_twin_of_the_same_name_cannot_use_anothers_task()
    {
        var task = await Broker.TaskAsync(await Broker.CallerAsync(instance: "run-1"));
        var twin = await Broker.CallerAsync(instance: "run-2");
        Assert.Multiple(async () =>
        {
            Assert.That(Refused(await Broker.IssueAsync(twin, task)).Reason, Is.EqualTo(Reasons.NotTaskInstance));
            Assert.That(Refused(await Broker.Get<TaskService>().EndAsync(twin, task.Id, TaskOutcome.Failed, CancellationToken.None)).Reason, Is.EqualTo(Reasons.NotTaskInstance));
        });
    }

    [Test]
    public async Task What_policy_does_not_permit_is_refused_recorded_and_explained()
    {
        var stranger = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(stranger);
        var error = Refused(await Broker.IssueAsync(stranger with { Workload = stranger.Workload with { SourceName = "elsewhere" } }, task));
        Assert.That(error.Reason, Is.EqualTo(Reasons.PolicyDenied));
        Assert.That(error.Metadata["decision"], Does.StartWith("decisions/"));
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Issue), Is.Zero);
    }

    [Test]
    public async Task A_credential_lives_no_longer_than_its_task()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, ttl: TimeSpan.FromMinutes(5));
        var issued = Ok(await Broker.IssueAsync(agent, task, ttl: TimeSpan.FromHours(1)));
        Assert.That(issued.Lease.Lease.ExpiresAt, Is.LessThanOrEqualTo(task.Deadline));
    }

    private async Task<long> CountAsync(string key) => (await Broker.Get<Registry.IRegistryStore>().CountersAsync([key], CancellationToken.None))[0];
}
