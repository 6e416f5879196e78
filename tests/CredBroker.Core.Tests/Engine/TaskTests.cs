using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Receipts;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

public sealed class TaskTests : EngineTests
{
    private TaskService Tasks => Broker.Get<TaskService>();

    [Test]
    public async Task Ending_a_parent_ends_the_tree_and_all_that_it_holds()
    {
        var agent = await Broker.CallerAsync();
        var root = await Broker.TaskAsync(agent);
        var child = await Broker.TaskAsync(agent, root.Id);
        var grandchild = await Broker.TaskAsync(agent, child.Id);
        var lease = Ok(await Broker.IssueAsync(agent, grandchild)).Lease.Lease.Id;
        Ok(await Tasks.EndAsync(agent, root.Id, TaskOutcome.Succeeded, CancellationToken.None));
        Assert.Multiple(async () =>
        {
            Assert.That(Ok(await Tasks.GetAsync(agent, grandchild.Id, CancellationToken.None)).EndReason, Is.EqualTo(TaskEndReason.ParentEnded));
            Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.False);
            Assert.That(Refused(await Broker.IssueAsync(agent, child)).Reason, Is.EqualTo(Reasons.TaskEnded));
        });
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Is.Empty);
    }

    [Test]
    public async Task A_child_lives_no_longer_than_its_parent()
    {
        var agent = await Broker.CallerAsync();
        var root = await Broker.TaskAsync(agent, ttl: TimeSpan.FromMinutes(10));
        Assert.That((await Broker.TaskAsync(agent, root.Id, ttl: TimeSpan.FromHours(2))).Deadline, Is.EqualTo(root.Deadline));
    }

    [Test]
    public async Task A_task_ends_at_its_deadline()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, ttl: TimeSpan.FromMinutes(10));
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id;
        Broker.Time.Advance(TimeSpan.FromMinutes(10));
        await Broker.LookAsync();
        Assert.Multiple(async () =>
        {
            Assert.That(Ok(await Tasks.GetAsync(agent, task.Id, CancellationToken.None)).EndReason, Is.EqualTo(TaskEndReason.Deadline));
            Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        });
    }

    [Test]
    public async Task A_task_whose_heartbeat_is_lost_ends()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, heartbeat: TimeSpan.FromSeconds(10));
        Broker.Time.Advance(TimeSpan.FromSeconds(20));
        Ok(await Tasks.HeartbeatAsync(agent, task.Id, CancellationToken.None));
        Broker.Time.Advance(TimeSpan.FromSeconds(29));
        await Broker.LookAsync();
        Assert.That(Ok(await Tasks.GetAsync(agent, task.Id, CancellationToken.None)).EndedAt, Is.Null);
        Broker.Time.Advance(TimeSpan.FromSeconds(2));
        await Broker.LookAsync();
        Assert.That(Ok(await Tasks.GetAsync(agent, task.Id, CancellationToken.None)).EndReason, Is.EqualTo(TaskEndReason.HeartbeatLost));
    }

    [Test]
    public async Task A_child_gets_only_what_every_task_above_it_could_get()
    {
        const string OnlyTheWorker = """
            permit (principal, action in [Action::"createTask", Action::"delegate"], resource);
            permit (principal == Workload::"ci/worker", action in [Action::"issue", Action::"actOnTask"], resource);
            """;
        var registry = Broker.Get<RegistryService>();
        Ok(await registry.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = OnlyTheWorker }, new ChangeOptions(), CancellationToken.None));
        var modest = await Broker.CallerAsync("modest");
        var worker = await Broker.CallerAsync("worker", "run-9");
        Ok(await Broker.IssueAsync(worker, await Broker.TaskAsync(worker)));
        var root = await Broker.TaskAsync(modest);
        var child = await Broker.TaskAsync(modest, root.Id, performer: ("ci", "worker"));
        var refused = Refused(await Broker.IssueAsync(worker, child));
        Assert.That(refused.Reason, Is.EqualTo(Reasons.PolicyDenied));
        var decision = Ok(await Broker.Get<AuditService>().GetDecisionAsync(await RootAsync(), Uid.Parse(refused.Metadata["decision"].Split('/')[1]), CancellationToken.None));
        Assert.That(decision.Draft.Detail["errors"]!.ToJsonString(), Does.Contain("above"));
    }

    [Test]
    public async Task A_permits_longest_life_caps_the_task_that_it_opens()
    {
        Ok(await Broker.Get<RegistryService>().UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = """
            @max_ttl("20m") permit (principal, action == Action::"createTask", resource);
            @max_ttl("10m") permit (principal == Workload::"ci/modest", action == Action::"createTask", resource);
            @max_ttl("5m") permit (principal, action == Action::"delegate", resource);
            permit (principal, action == Action::"issue", resource);
            """ }, new ChangeOptions(), CancellationToken.None));
        var (agent, modest) = (await Broker.CallerAsync(), await Broker.CallerAsync("modest"));
        var task = await Broker.TaskAsync(agent, ttl: TimeSpan.FromHours(2));
        var stored = (await Broker.Get<ITaskStore>().FindAsync(task.Id, CancellationToken.None))!;
        Assert.That((task.Deadline - task.CreatedAt, stored.Deadline), Is.EqualTo((TimeSpan.FromMinutes(20), task.Deadline)));
        Assert.That(LifeOf(await Broker.TaskAsync(modest, ttl: TimeSpan.FromHours(2))), Is.EqualTo(TimeSpan.FromMinutes(10)), "the smallest of those that applied");
        Assert.That(LifeOf(await Broker.TaskAsync(modest, ttl: TimeSpan.FromMinutes(3))), Is.EqualTo(TimeSpan.FromMinutes(3)), "it makes nothing longer");
        Assert.That(LifeOf(await Broker.TaskAsync(agent, task.Id, TimeSpan.FromHours(1))), Is.EqualTo(TimeSpan.FromMinutes(5)));
        Assert.That(Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.MaxExpiresAt, Is.EqualTo(task.Deadline), "what it holds ends with it");

        static TimeSpan LifeOf(AgentTask task) => task.Deadline - task.CreatedAt;
    }

    [Test]
    public async Task A_named_performer_sees_its_task_before_it_first_acts()
    {
        var orchestrator = await Broker.CallerAsync("orchestrator");
        var task = await Broker.TaskAsync(orchestrator, performer: ("ci", "worker"));
        var (worker, other) = (await Broker.CallerAsync("worker", "run-9"), await Broker.CallerAsync("other"));
        Assert.That((await ListAsync(worker)).Select(found => found.Id), Is.EqualTo(new[] { task.Id }));
        Assert.That(Ok(await Tasks.GetAsync(worker, task.Id, CancellationToken.None)).Performer.Workload, Is.Null, "looking binds nobody");
        Assert.That(await ListAsync(other), Is.Empty);
        Ok(await Broker.IssueAsync(worker, task));
        Assert.That((await ListAsync(await Broker.CallerAsync("worker", "run-10"))).Select(found => found.Id), Is.EqualTo(new[] { task.Id }), "lists are by workload");
        Assert.That((await ListAsync(worker)), Has.Count.EqualTo(1));

        async Task<IReadOnlyList<AgentTask>> ListAsync(Workloads.Caller caller) => (await Tasks.ListAsync(caller, new TaskQuery(), new PageRequest(10, null), CancellationToken.None)).Items;
    }

    [Test]
    public async Task A_named_performer_is_bound_by_its_first_call()
    {
        var orchestrator = await Broker.CallerAsync("orchestrator");
        var task = await Broker.TaskAsync(orchestrator, performer: ("ci", "worker"));
        var worker = await Broker.CallerAsync("worker", "run-9");
        Ok(await Broker.IssueAsync(worker, task));
        Assert.That(Refused(await Broker.IssueAsync(await Broker.CallerAsync("worker", "run-10"), task)).Reason, Is.EqualTo(Reasons.NotTaskInstance));
    }

    [Test]
    public async Task A_receipt_is_open_from_the_end_on_and_closes_with_the_last_proof()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        var receipts = Broker.Get<ReceiptService>();
        Assert.That(Refused(await receipts.GetAsync(agent, task.Id, null, CancellationToken.None)).Reason, Is.EqualTo(Reasons.TaskRunning));
        Ok(await Tasks.EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        var open = Ok(await receipts.GetAsync(agent, task.Id, null, CancellationToken.None));
        await Broker.LookAsync();
        var closed = Ok(await receipts.GetAsync(agent, task.Id, null, CancellationToken.None));
        Assert.Multiple(() =>
        {
            Assert.That((open.Closed, open.Revision), Is.EqualTo((false, 1)));
            Assert.That((closed.Closed, closed.Revision), Is.EqualTo((true, 2)));
            Assert.That(closed.Entries.Single().Lease.Evidence!.Kind, Is.EqualTo("credential_absent"));
        });
    }

    [Test]
    public async Task What_reappears_opens_the_next_revision_of_the_receipt()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id;
        Ok(await Tasks.EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await Broker.LookAsync();
        await Broker.Leases.ApplyAsync(new LeaseChange(lease, new LeaseEvent.Reappeared("listing"), Audit.Actor.Broker), CancellationToken.None);
        var receipts = Broker.Get<ReceiptService>();
        var open = Ok(await receipts.GetAsync(agent, task.Id, null, CancellationToken.None));
        await Broker.LookAsync();
        var closed = Ok(await receipts.GetAsync(agent, task.Id, null, CancellationToken.None));
        Assert.Multiple(() =>
        {
            Assert.That((open.Closed, open.Revision), Is.EqualTo((false, 3)));
            Assert.That((closed.Closed, closed.Revision), Is.EqualTo((true, 4)));
        });
    }

    [Test]
    public async Task A_task_that_held_nothing_closes_its_receipt_at_once()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Tasks.EndAsync(agent, task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await Broker.LookAsync();
        Assert.That(Ok(await Broker.Get<ReceiptService>().GetAsync(agent, task.Id, null, CancellationToken.None)).Closed, Is.True);
    }

    [Test]
    public async Task Strangers_cannot_tell_a_task_that_is_not_theirs_from_one_that_is_not_there()
    {
        var task = await Broker.TaskAsync(await Broker.CallerAsync());
        var stranger = (await Broker.CallerAsync("stranger")) with { };
        var deny = """forbid (principal == Workload::"ci/stranger", action, resource); permit (principal, action == Action::"createTask", resource);""";
        Ok(await Broker.Get<RegistryService>().UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = deny }, new ChangeOptions(), CancellationToken.None));
        var absent = Refused(await Tasks.GetAsync(stranger, Abstractions.Uid.New(Broker.Time), CancellationToken.None));
        Assert.Multiple(async () =>
        {
            Assert.That(Refused(await Tasks.GetAsync(stranger, task.Id, CancellationToken.None)), Is.EqualTo(absent).Using<BrokerError>((a, b) => a.Reason == b.Reason && a.Message == b.Message));
            Assert.That((await Tasks.ListAsync(stranger, new TaskQuery(), new PageRequest(10, null), CancellationToken.None)).Items, Is.Empty);
            Assert.That(Refused(await Tasks.EndAsync(stranger, task.Id, TaskOutcome.Failed, CancellationToken.None)).Message, Is.EqualTo(absent.Message));
        });
    }

    [Test]
    public async Task A_quota_is_charged_up_the_chain_and_freed_by_proof_alone()
    {
        var agent = await Broker.CallerAsync();
        var root = await Broker.TaskAsync(agent);
        var child = await Broker.TaskAsync(agent, root.Id);
        for (var i = 0; i < 3; i++) Ok(await Broker.IssueAsync(agent, child));
        var refused = Refused(await Broker.IssueAsync(agent, root));
        Assert.Multiple(() =>
        {
            Assert.That(refused.Reason, Is.EqualTo(Reasons.QuotaExceeded));
            Assert.That(refused.RetryAfter, Is.Not.Null);
        });
        Broker.Target.Calls.Next(ScriptedOperation.Revoke, Enumerable.Repeat(new ScriptedStep { Acts = ScriptedActs.Never, Fault = Abstractions.ProviderFault.Credential }, 3));
        Ok(await Tasks.EndAsync(agent, child.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await Broker.LookAsync();
        Assert.That(Refused(await Broker.IssueAsync(agent, root)).Reason, Is.EqualTo(Reasons.QuotaExceeded), "what is not proven dead counts");
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        await Broker.LookAsync();
        Ok(await Broker.IssueAsync(agent, root));
    }

    protected override BrokerLimits Limits => new() { LeasesPerTask = 3 };
}
