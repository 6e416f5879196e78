using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task No_lease_slips_under_a_task_that_ends()
    {
        var other = await OtherNodeAsync();
        for (var round = 0; round < 25; round++)
        {
            var task = await World.CreateTaskAsync(Node);
            var reserving = Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? Node : other).Leases.ReserveAsync(World.Reservation(World.NewLease(task)), None)).ToList();
            var ending = other.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
            reserving.AddRange(Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? Node : other).Leases.ReserveAsync(World.Reservation(World.NewLease(task)), None)));
            var outcomes = await Task.WhenAll(reserving);
            await ending;
            await StoreWorld.FanOutAllAsync(Node);

            Assert.That(outcomes, Has.All.InstanceOf<ReserveOutcome.Reserved>().Or.InstanceOf<ReserveOutcome.TaskOver>());
            var left = await Node.Leases.ListAsync(new LeaseQuery { Task = task.Id, States = [LeaseState.Pending, LeaseState.Active] }, new PageRequest(100, null), None);
            Assert.That(left.Items, Is.Empty, "whatever was reserved came before the end, and was fanned out");
        }
    }

    [Test]
    public async Task No_lease_is_activated_past_a_suspension()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        for (var round = 0; round < 15; round++)
        {
            var workload = World.Workload = Uid.New(Time);
            var reserved = new List<Lease>();
            for (var i = 0; i < 4; i++) reserved.Add(await World.ReserveAsync(Node, task));
            var activating = reserved.Select((lease, i) => StoreWorld.ApplyAsync(i % 2 == 0 ? Node : other, lease, new LeaseEvent.Issued(new Handle("h"), lease.ExpiresAt))).ToList();
            await Node.Suspensions.SuspendAsync(Suspension(workload), null, None);
            await Task.WhenAll(activating);
            await StoreWorld.FanOutAllAsync(other);
            foreach (var lease in reserved) Assert.That((await StoreWorld.FindAsync(Node, lease)).Lease.State, Is.EqualTo(LeaseState.Revoking));
        }
    }

    [Test]
    public async Task Quotas_are_exact_however_many_ask_at_once()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var charge = new QuotaCharge($"workload:{World.Workload}", 7, "live leases");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? Node : other).Leases.ReserveAsync(World.Reservation(World.NewLease(task), null, charge), None)));
        Assert.That(outcomes.Count(outcome => outcome is ReserveOutcome.Reserved), Is.EqualTo(7));
        Assert.That(outcomes.Count(outcome => outcome is ReserveOutcome.QuotaExceeded), Is.EqualTo(33));
        Assert.That(await StoreWorld.CounterAsync(Node, charge.Key), Is.EqualTo(7));
    }

    [Test]
    public async Task Of_one_request_sent_many_times_one_is_reserved()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var request = new RequestKey([1], [1], 1);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => (i % 2 == 0 ? Node : other).Leases.ReserveAsync(World.Reservation(World.NewLease(task), request), None)));
        Assert.That(outcomes.Count(outcome => outcome is ReserveOutcome.Reserved), Is.EqualTo(1));
        Assert.That(outcomes.Count(outcome => outcome is ReserveOutcome.AttemptOvertaken), Is.EqualTo(11));
    }

    [Test]
    public async Task What_fails_takes_nothing_of_its_batch_with_it()
    {
        var task = await World.CreateTaskAsync(Node);
        var taken = await World.ReserveAsync(Node, task);
        var writing = Enumerable.Range(0, 20).Select(async i =>
        {
            var lease = World.NewLease(task);
            // The same external name twice: the database itself refuses it, after the counters were charged.
            if (i % 4 == 3) lease = lease with { ExternalName = taken.ExternalName };
            try
            {
                return await Node.Leases.ReserveAsync(World.Reservation(lease), None) is ReserveOutcome.Reserved;
            }
            catch (System.Data.Common.DbException)
            {
                return false;
            }
        });
        var written = await Task.WhenAll(writing);
        Assert.That(written.Count(done => done), Is.EqualTo(15));
        Assert.That(await StoreWorld.CounterAsync(Node, $"role:{World.Role}"), Is.EqualTo(16));
        Assert.That((await Node.Leases.ListAsync(new LeaseQuery { Task = task.Id }, new PageRequest(100, null), None)).Items, Has.Count.EqualTo(16));
        Assert.That(CredBroker.Core.Audit.AuditChain.Verify(await ChainAsync()), Is.InstanceOf<CredBroker.Core.Audit.AuditFinding.Sound>());
    }

    [Test]
    public async Task The_last_lease_and_the_end_do_not_miss_each_other()
    {
        var other = await OtherNodeAsync();
        for (var round = 0; round < 15; round++)
        {
            var task = await World.CreateTaskAsync(Node);
            var leases = new List<Lease>();
            for (var i = 0; i < 2; i++) leases.Add(await World.ReserveAsync(Node, task));
            await Task.WhenAll(
                StoreWorld.ApplyAsync(Node, leases[0], new LeaseEvent.NothingMade(null)),
                StoreWorld.ApplyAsync(other, leases[1], new LeaseEvent.NothingMade(null)),
                other.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None));
            Assert.That((await Node.Receipts.FindAsync(task.Id, null, None))!.Closed, Is.True);
        }
    }
}
