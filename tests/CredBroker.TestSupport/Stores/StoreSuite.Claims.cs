using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task Expiring_and_claiming_are_one_step()
    {
        var task = await World.CreateTaskAsync(Node);
        var active = await World.IssueAsync(Node, task, TimeSpan.FromMinutes(1));
        var pending = await World.ReserveAsync(Node, task);
        Assert.That(await World.ClaimAsync(Node), Is.Empty);

        Time.Advance(TimeSpan.FromMinutes(1));
        var claimed = await World.ClaimAsync(Node);
        Assert.That(claimed.Select(lease => (lease.Id, lease.State, lease.EndReason)), Is.EquivalentTo(new[]
        {
            (active.Id, LeaseState.Revoking, (EndReason?)EndReason.Expired), (pending.Id, LeaseState.Revoking, (EndReason?)EndReason.OutcomeUnknown),
        }));
        Assert.That(claimed.Select(lease => lease.DueAt), Is.All.EqualTo(Time.Now() + TimeSpan.FromSeconds(60)));
        Assert.That(await World.ClaimAsync(Node), Is.Empty, "what is claimed is nobody else's until the claim runs out");
    }

    [Test]
    public async Task A_node_that_lost_its_claim_settles_nothing()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        var first = (await World.ClaimAsync(Node)).Single();
        Time.Advance(TimeSpan.FromSeconds(61));
        var second = (await World.ClaimAsync(Node)).Single();

        Assert.That(await Node.Leases.ApplyAsync(new LeaseChange(lease.Id, World.Gone(), StoreWorld.Actor) { Fence = first.Fence }, None), Is.InstanceOf<ApplyOutcome.Fenced>());
        Assert.That((await StoreWorld.ApplyAsync(Node, second, World.Gone(), second.Fence)).State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task A_claim_that_is_given_back_is_another_nodes_at_once_unless_it_was_settled()
    {
        var task = await World.CreateTaskAsync(Node);
        var (open, settled) = (await World.IssueAsync(Node, task), await World.IssueAsync(Node, task));
        foreach (var lease in new[] { open, settled }) await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        var claimed = (await World.ClaimAsync(Node)).ToDictionary(lease => lease.Id);
        var pause = Time.Now() + TimeSpan.FromSeconds(30);
        await StoreWorld.ApplyAsync(Node, settled, new LeaseEvent.AttemptFailed(new AttemptError(ProviderFault.Credential, "no", Time.Now()), pause, false), claimed[settled.Id].Fence);

        foreach (var lease in claimed.Values) await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.GivenBack(lease.DueAt!.Value), lease.Fence);
        Assert.That((await StoreWorld.FindAsync(Node, settled)).Lease.DueAt, Is.EqualTo(pause), "what was settled keeps its pause");
        var taken = (await World.ClaimAsync(Node)).Single();
        Assert.That((taken.Id, taken.Fence), Is.EqualTo((open.Id, claimed[open.Id].Fence + 1)));
        Assert.That(
            await Node.Leases.ApplyAsync(new LeaseChange(open.Id, new LeaseEvent.GivenBack(claimed[open.Id].DueAt!.Value), StoreWorld.Actor) { Fence = claimed[open.Id].Fence }, None), Is.InstanceOf<ApplyOutcome.Fenced>(),
            "whoever gave it back has nothing to give any more");
    }

    [Test]
    public async Task Lanes_come_in_their_order_and_owners_in_turn()
    {
        var task = await World.CreateTaskAsync(Node);
        var expired = await World.IssueAsync(Node, task, TimeSpan.FromSeconds(10));
        var busy = new List<Lease>();
        for (var i = 0; i < 6; i++) busy.Add(await World.IssueAsync(Node, task));
        var greedy = World.Workload;
        World.Workload = Uid.New(Time);
        var modest = await World.IssueAsync(Node, task);
        World.Workload = greedy;
        foreach (var lease in busy) await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        Time.Advance(TimeSpan.FromSeconds(10));
        await StoreWorld.ApplyAsync(Node, modest, new LeaseEvent.Ended(EndReason.Revoked));

        Assert.That((await World.ClaimAsync(Node, 2)).Select(lease => lease.Id), Does.Contain(modest.Id), "one's six do not stand before another's one");
        Assert.That((await World.ClaimAsync(Node, 4)).Select(lease => lease.Id), Does.Not.Contain(expired.Id));
        await StoreWorld.FanOutAllAsync(Node);
        Assert.That((await World.ClaimAsync(Node)).Select(lease => lease.Id), Does.Contain(expired.Id), "what ran out comes last");
    }

    [Test]
    public async Task Two_claimers_share_nothing()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        for (var i = 0; i < 40; i++) await World.IssueAsync(Node, task, TimeSpan.FromSeconds(1));
        Time.Advance(TimeSpan.FromSeconds(1));
        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => World.ClaimAsync(i % 2 == 0 ? Node : other, 10)));
        var all = claims.SelectMany(claim => claim).Select(lease => lease.Id).ToList();
        Assert.That(all, Is.Unique);
        while (await World.ClaimAsync(Node, 10) is { Count: > 0 } more) all.AddRange(more.Select(lease => lease.Id));
        Assert.That(all, Is.Unique.And.Count.EqualTo(40));
    }

    [Test]
    public async Task Next_due_names_each_provider_once_and_soonest_first()
    {
        Assert.That(await Node.Leases.NextDueAsync(None), Is.Empty);
        var task = await World.CreateTaskAsync(Node);
        await World.ReserveAsync(Node, task);
        var other = await StoreWorld.CreateAsync(Node);
        var second = await other.CreateTaskAsync(Node);
        await other.IssueAsync(Node, second, TimeSpan.FromSeconds(10));
        await other.IssueAsync(Node, second, TimeSpan.FromSeconds(50));
        Assert.That(await Node.Leases.NextDueAsync(None), Is.EqualTo(new[]
        {
            new ProviderDue(other.Provider, Time.Now() + TimeSpan.FromSeconds(10)), new ProviderDue(World.Provider, Time.Now() + TimeSpan.FromSeconds(30)),
        }));
    }

    [Test]
    public async Task End_touches_no_lease_and_the_fan_out_moves_them_in_batches()
    {
        const int count = 120;
        var task = await World.CreateTaskAsync(Node);
        var child = await World.CreateTaskAsync(Node, task);
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => World.IssueAsync(Node, i % 2 == 0 ? task : child)));
        Node.Signals.Take();
        var told = Node.Signals.Wait();

        var ended = (EndTaskOutcome.Ended)await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        Assert.That(ended.TasksEnded, Is.EqualTo(2));
        Assert.That(told.IsCompleted, Is.True, "somebody is told that there is work");
        Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}leases WHERE version = 2 AND state = 2"), null), Is.EqualTo(count));
        var page = await Node.Leases.ListAsync(new LeaseQuery { Live = true }, new PageRequest(1000, null), None);
        Assert.That(page.Items, Is.Empty, "dead in effect at the commit");

        Assert.That(await Node.Leases.FanOutAsync(50, None), Is.True);
        Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}leases WHERE state = 3"), null), Is.EqualTo(50));
        await StoreWorld.FanOutAllAsync(Node, 50);
        Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}leases WHERE state = 3 AND lane = 1 AND end_reason = 1"), null), Is.EqualTo(count));
        Assert.That(await Node.Leases.FanOutAsync(50, None), Is.False);
    }

    [TestCase("source")]
    [TestCase("workload")]
    [TestCase("provider")]
    [TestCase("role")]
    public async Task A_suspension_kills_what_was_reserved_before_and_lifting_revives_nothing(string what)
    {
        var target = what switch { "source" => World.Source, "workload" => World.Workload, "provider" => World.Provider, _ => World.Role };
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        var reserved = await World.ReserveAsync(Node, task);
        var expired = await World.IssueAsync(Node, task, TimeSpan.FromSeconds(1));
        Time.Advance(TimeSpan.FromSeconds(1));
        await World.ClaimAsync(Node);

        var suspension = (await Node.Suspensions.SuspendAsync(Suspension(target), null, None))!;
        Assert.That(suspension.Generation, Is.EqualTo(1));
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Effective.Reason, Is.EqualTo(EndReason.Suspended));
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task)), None), Is.EqualTo(new ReserveOutcome.Suspended(target)));
        Assert.That((await StoreWorld.ApplyAsync(Node, reserved, new LeaseEvent.Issued(null, reserved.ExpiresAt))).State, Is.EqualTo(LeaseState.Revoking));

        await Node.Suspensions.LiftAsync(suspension.Id, StoreWorld.Actor, None);
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Effective.Live, Is.False, "lifting revives nothing");
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task)), None), Is.InstanceOf<ReserveOutcome.Stale>(), "the decision was made before");
        await StoreWorld.FanOutAllAsync(Node, 1);
        foreach (var moved in new[] { lease, expired })
            Assert.That((await StoreWorld.FindAsync(Node, moved)).Lease, Has.Property("State").EqualTo(LeaseState.Revoking).And.Property("Lane").EqualTo(Lane.Suspension));
    }

    private Suspension Suspension(Uid target) => new()
    {
        Id = Uid.New(Time),
        Target = target,
        TargetName = "workloads/x",
        Reason = "It behaves oddly.",
        By = StoreWorld.Actor,
        CreatedAt = Time.Now(),
    };
}
