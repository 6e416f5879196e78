using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Retention;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    [Test]
    public async Task Looking_for_work_where_there_is_none_asks_for_no_lock()
    {
        await World.IssueAsync(Node, await World.CreateTaskAsync(Node, heartbeat: TimeSpan.FromMinutes(1)));
        await using var held = await Database.HoldWritesAsync();
        Assert.That(await Node.Suspensions.LiftDueAsync(500, None), Is.False);
        Assert.That(await Node.Tasks.EndOverdueAsync(500, None), Is.Empty);
        Assert.That(await Node.Leases.FanOutAsync(500, None), Is.False);
        Assert.That(await Node.Leases.NextDueAsync(None), Has.Exactly(1).Items);
        Assert.That(await PruneAsync(), Is.EqualTo(PruneOutcome.Nothing));
    }

    [Test]
    public async Task A_request_id_is_forgotten_only_when_its_age_and_its_task_say_so()
    {
        var task = await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(30));
        var other = await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(30));
        var lease = World.NewLease(task, TimeSpan.FromDays(20));
        await Node.Leases.ReserveAsync(World.Reservation(lease, Request(1)), None);
        await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(other, TimeSpan.FromDays(20)), Request(2)), None);
        Assert.That(await Node.Tasks.CreateAsync(World.NewTask(life: TimeSpan.FromDays(30)) with { Request = Request(3) }, None), Is.InstanceOf<CreateTaskOutcome.Created>());
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        await ProveAllAsync();
        Assert.That(await PruneAsync(), Is.EqualTo(PruneOutcome.Nothing), "it is too young");

        Time.Advance(Kept + TimeSpan.FromSeconds(1));
        Assert.That(await PruneAsync(), Is.EqualTo(new PruneOutcome(1, 0, false)), "the others' tasks run");
        Assert.That(await PruneAsync(), Is.EqualTo(new PruneOutcome(0, 0, false)));
        var repeated = await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(other), Request(2) with { Attempt = 1 }), None);
        Assert.That(repeated, Is.InstanceOf<ReserveOutcome.AlreadyExists>(), "what still matters is still known");
    }

    [Test]
    public async Task The_request_id_of_a_suspension_is_known_as_long_as_it_is_in_force()
    {
        var made = (await Node.Suspensions.SuspendAsync(Suspension(World.Workload), Request(7), None))!;
        Time.Advance(Kept * 2);
        Assert.That((await PruneAsync()).Requests, Is.Zero);
        Assert.That((await Node.Suspensions.SuspendAsync(Suspension(World.Workload), Request(7), None))!.Id, Is.EqualTo(made.Id), "a repeat suspends no second time");
        await Node.Suspensions.LiftAsync(made.Id, StoreWorld.Actor, None);
        Assert.That((await PruneAsync()).Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task A_repeat_of_what_was_forgotten_acts_no_second_time()
    {
        var task = await World.CreateTaskAsync(Node);
        var child = World.NewTask(task) with { Request = Request(5) };
        await Node.Tasks.CreateAsync(child, None);
        await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), Request(4)), None);
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        await ProveAllAsync();
        Time.Advance(Kept + TimeSpan.FromSeconds(1));
        Assert.That((await PruneAsync()).Requests, Is.EqualTo(2));

        var late = await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), Request(4) with { Attempt = 1 }), None);
        Assert.That(late, Is.InstanceOf<ReserveOutcome.TaskOver>(), "the task that it was for is over for good");
        Assert.That(await Node.Tasks.CreateAsync(World.NewTask(task) with { Request = Request(5) }, None), Is.InstanceOf<CreateTaskOutcome.ParentOver>());
        Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}leases"), null), Is.EqualTo(1));
        Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}tasks"), null), Is.EqualTo(2));
    }

    [Test]
    public async Task What_made_an_unproven_lease_is_not_forgotten()
    {
        var task = await World.CreateTaskAsync(Node);
        await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), Request(1)), None);
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        Time.Advance(Kept + TimeSpan.FromSeconds(1));
        Assert.That(await PruneAsync(), Is.EqualTo(new PruneOutcome(0, 0, false)));
        await ProveAllAsync();
        Assert.That(await PruneAsync(), Is.EqualTo(new PruneOutcome(1, 0, false)));
    }

    [Test]
    public async Task What_is_forgotten_goes_in_batches_and_once_however_many_nodes_forget()
    {
        const int count = 25;
        for (var i = 0; i < count; i++)
        {
            var task = (CreateTaskOutcome.Created)await Node.Tasks.CreateAsync(World.NewTask() with { Request = Request((byte)(i + 1)) }, None);
            var delivery = new HookDelivery(World.Source, $"msg_{i}", Time.Now() + TimeSpan.FromMinutes(16));
            await Node.Tasks.EndAsync(new TaskEnd(task.Task.Id, TaskOutcome.Succeeded, TaskEndReason.Hook, new Actor("hook", "ci")) { Delivery = delivery }, None);
        }

        Time.Advance(TimeSpan.FromMinutes(16));
        Assert.That(await PruneAsync(), Is.EqualTo(PruneOutcome.Nothing), "a delivery is kept to its last instant");
        Time.Advance(Kept);
        var other = await OtherNodeAsync();
        var forgotten = new List<PruneOutcome>();
        for (var round = 0; round < 20; round++)
            forgotten.AddRange(await Task.WhenAll(PruneAsync(Node, 7), PruneAsync(other, 7)));
        Assert.That(forgotten.Select(outcome => outcome.Requests), Is.All.LessThanOrEqualTo(7));
        Assert.That((forgotten.Sum(outcome => outcome.Requests), forgotten.Sum(outcome => outcome.Deliveries)), Is.EqualTo((count, count)));
        Assert.That(await PruneAsync(), Is.EqualTo(PruneOutcome.Nothing));
    }

    private Task<PruneOutcome> PruneAsync(StoreNode? node = null, int batch = Pruner.Batch) => (node ?? Node).Retention.PruneAsync(Time.Now() - Kept, batch, None);

    private static RequestKey Request(byte id) => new([id], [2], 0);

    /// <summary>Everything that is due is claimed and proven dead.</summary>
    private async Task ProveAllAsync()
    {
        await StoreWorld.FanOutAllAsync(Node);
        Time.Advance(TimeSpan.FromMinutes(1));
        foreach (var claimed in await World.ClaimAsync(Node, 1000)) await StoreWorld.ApplyAsync(Node, claimed, World.Gone(), claimed.Fence);
    }
}
