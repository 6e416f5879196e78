using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task A_lease_lives_from_its_reservation_to_its_proven_death()
    {
        var task = await World.CreateTaskAsync(Node);
        var reserved = await World.ReserveAsync(Node, task);
        Assert.That(await StoreWorld.FindAsync(Node, reserved), Is.EqualTo(new LeaseView(reserved, new EffectiveState(true, null, null))));

        var active = await StoreWorld.ApplyAsync(Node, reserved, new LeaseEvent.Issued(new Handle("h-1"), reserved.ExpiresAt));
        Assert.That(active, Is.EqualTo(reserved with
        {
            State = LeaseState.Active,
            Version = 2,
            Handle = new Handle("h-1"),
            IssueAnswered = true,
            ActivatedAt = Time.Now(),
            DueAt = reserved.ExpiresAt,
        }));
        Assert.That((await StoreWorld.FindAsync(Node, active)).Lease, Is.EqualTo(active));

        await StoreWorld.ApplyAsync(Node, active, new LeaseEvent.Ended(EndReason.Revoked));
        var claimed = (await World.ClaimAsync(Node)).Single();
        Assert.That(claimed.Handle, Is.EqualTo(new Handle("h-1")));
        var dead = await StoreWorld.ApplyAsync(Node, claimed, World.Gone(), claimed.Fence);

        Assert.That((dead.State, dead.EndReason, dead.Evidence?.Kind, dead.DueAt), Is.EqualTo((LeaseState.Revoked, (EndReason?)EndReason.Revoked, "role_absent", (DateTimeOffset?)null)));
        Assert.That((await StoreWorld.FindAsync(Node, dead)).Lease, Is.EqualTo(dead));
        var told = await Node.Audit.ListAsync(new AuditQuery { Lease = reserved.Id }, new PageRequest(100, null), None);
        Assert.That(told.Items.Select(@event => @event.Draft.Type), Is.EqualTo(new[]
        {
            AuditTypes.Decision, AuditTypes.LeaseReserved, AuditTypes.LeaseActivated, AuditTypes.LeaseRevoking, AuditTypes.LeaseRevoked,
        }));
    }

    [Test]
    public async Task A_local_lease_is_active_at_once()
    {
        var task = await World.CreateTaskAsync(Node);
        var draft = World.NewLease(task);
        var local = draft with { Local = true, State = LeaseState.Active, ActivatedAt = Time.Now(), IssueAnswered = true, DueAt = draft.ExpiresAt };
        await Node.Leases.ReserveAsync(World.Reservation(local), None);
        Assert.That((await StoreWorld.FindAsync(Node, local)).Lease, Is.EqualTo(local));
        var told = await Node.Audit.ListAsync(new AuditQuery { Lease = local.Id, Types = [AuditTypes.LeaseReserved, AuditTypes.LeaseActivated] }, new PageRequest(10, null), None);
        Assert.That(told.Items, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Reserve_is_stale_once_a_generation_has_changed()
    {
        var task = await World.CreateTaskAsync(Node);
        var reservation = World.Reservation(World.NewLease(task));
        var content = await Node.Registry.LoadAsync(None);
        var role = content.Entries.Single(entry => entry.Kind == ResourceKind.Role);
        await Node.Registry.PutAsync(new RegistryChange(role with { SpecJson = """{"a":1}""" }, 1, StoreWorld.Actor) { Audit = new AuditDraft(AuditTypes.ResourceUpdated, StoreWorld.Actor) }, None);
        Assert.That(await Node.Leases.ReserveAsync(reservation, None), Is.InstanceOf<ReserveOutcome.Stale>());

        var now = reservation with { Generations = reservation.Generations with { Versions = new Dictionary<Uid, long> { [World.Provider] = 1, [World.Role] = 2 } } };
        Assert.That(await Node.Leases.ReserveAsync(now with { Generations = now.Generations with { PolicyVersion = 1 } }, None), Is.InstanceOf<ReserveOutcome.Stale>());
        Assert.That(await Node.Leases.ReserveAsync(now, None), Is.InstanceOf<ReserveOutcome.Reserved>());
    }

    [Test]
    public async Task Reserve_is_refused_under_a_task_that_is_over()
    {
        var task = await World.CreateTaskAsync(Node, life: TimeSpan.FromMinutes(5));
        Time.Advance(TimeSpan.FromMinutes(5));
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task)), None), Is.InstanceOf<ReserveOutcome.TaskOver>());

        var other = await World.CreateTaskAsync(Node);
        await Node.Tasks.EndAsync(new TaskEnd(other.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(other)), None), Is.InstanceOf<ReserveOutcome.TaskOver>());
    }

    [Test]
    public async Task A_higher_attempt_supersedes_and_any_other_is_refused()
    {
        var task = await World.CreateTaskAsync(Node);
        RequestKey Key(int attempt, byte body = 1) => new([1, 2, 3], [body], attempt);
        Task<ReserveOutcome> Try(RequestKey key) => Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), key), None);

        var first = ((ReserveOutcome.Reserved)await Try(Key(1))).Lease;
        Assert.That(await Try(Key(1)), Is.EqualTo(new ReserveOutcome.AttemptOvertaken(first.Id, 1)));
        Assert.That(await Try(Key(0)), Is.EqualTo(new ReserveOutcome.AttemptOvertaken(first.Id, 1)));
        Assert.That(await Try(Key(2, body: 9)), Is.InstanceOf<ReserveOutcome.RequestMismatch>());

        Time.Advance(TimeSpan.FromMinutes(1));
        var second = ((ReserveOutcome.Reserved)await Try(Key(2))).Lease;
        Assert.That(second.Supersedes, Is.EqualTo(first.Id));
        Assert.That(second.MaxExpiresAt, Is.EqualTo(first.MaxExpiresAt), "asking again makes nothing live longer");
        var superseded = (await StoreWorld.FindAsync(Node, first)).Lease;
        Assert.That((superseded.State, superseded.EndReason, superseded.SupersededBy), Is.EqualTo((LeaseState.Revoking, (EndReason?)EndReason.Superseded, (Uid?)second.Id)));
        Assert.That(await Try(Key(1)), Is.EqualTo(new ReserveOutcome.AttemptOvertaken(second.Id, 2)), "a delayed first copy kills nothing");

        Time.Advance(TimeSpan.FromMinutes(10));
        Assert.That(await Try(Key(3)), Is.EqualTo(new ReserveOutcome.AlreadyExists(second.Id)));
    }

    [Test]
    public async Task A_quota_counts_what_is_not_proven_dead_and_a_supersede_may_exceed_it_by_one()
    {
        var task = await World.CreateTaskAsync(Node);
        var key = $"provider:{World.Provider}";
        var charge = new QuotaCharge(key, 1, "live leases");
        var request = new RequestKey([5], [5], 1);
        var first = ((ReserveOutcome.Reserved)await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), request, charge), None)).Lease;
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), null, charge), None), Is.EqualTo(new ReserveOutcome.QuotaExceeded(charge)));

        var second = await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task), request with { Attempt = 2 }, charge), None);
        Assert.That(second, Is.InstanceOf<ReserveOutcome.Reserved>());
        Assert.That(await StoreWorld.CounterAsync(Node, key), Is.EqualTo(2), "what is being revoked still counts");

        await StoreWorld.ApplyAsync(Node, first, new LeaseEvent.NothingMade(null));
        Assert.That(await StoreWorld.CounterAsync(Node, key), Is.EqualTo(1));
        foreach (var other in first.QuotaKeys) Assert.That(await StoreWorld.CounterAsync(Node, other), Is.EqualTo(1), other);
    }

    [Test]
    public async Task Apply_says_what_it_cannot_do()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        Assert.That(await Node.Leases.ApplyAsync(new LeaseChange(Uid.New(Time), new LeaseEvent.IssueDeadlinePassed(), Actor.Broker), None), Is.InstanceOf<ApplyOutcome.Unknown>());
        Assert.That(await Node.Leases.ApplyAsync(new LeaseChange(lease.Id, World.Gone(), Actor.Broker), None), Is.InstanceOf<ApplyOutcome.Refused>());
        Assert.That(await Node.Leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.IssueDeadlinePassed(), Actor.Broker), None), Has.Property("Changed").False);
        Assert.That(await Node.Leases.ApplyAsync(new LeaseChange(lease.Id, World.Gone(), Actor.Broker) { Fence = 7 }, None), Is.InstanceOf<ApplyOutcome.Fenced>());
        Assert.That(await Node.Leases.FindAsync(Uid.New(Time), None), Is.Null);
    }

    [Test]
    public async Task An_answer_after_the_end_brings_the_handle_and_no_life()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.ReserveAsync(Node, task);
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        var after = await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Issued(new Handle("late"), lease.ExpiresAt));
        Assert.That((after.State, after.Handle, after.ActivatedAt), Is.EqualTo((LeaseState.Revoking, new Handle("late"), (DateTimeOffset?)null)));
    }

    [Test]
    public async Task A_dead_lease_is_not_renewed()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        var outcome = await Node.Leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.RenewalIntended(lease.ExpiresAt + TimeSpan.FromMinutes(1)), StoreWorld.Actor), None);
        Assert.That(outcome, Is.InstanceOf<ApplyOutcome.Refused>());
    }

    [Test]
    public async Task Pages_of_leases_hold_when_others_are_inserted()
    {
        var task = await World.CreateTaskAsync(Node);
        var leases = new List<Lease>();
        for (var i = 0; i < 5; i++)
        {
            leases.Add(await World.ReserveAsync(Node, task));
            Time.Advance(TimeSpan.FromMilliseconds(2));
        }

        var query = new LeaseQuery { Task = task.Id };
        var first = await Node.Leases.ListAsync(query, new PageRequest(2, null), None);
        var late = await World.ReserveAsync(Node, task);
        var second = await Node.Leases.ListAsync(query, new PageRequest(2, first.Next), None);
        var third = await Node.Leases.ListAsync(query, new PageRequest(2, second.Next), None);
        Assert.That(
            first.Items.Concat(second.Items).Concat(third.Items).Select(view => view.Lease.Id), Is.EqualTo(leases.Append(late).Select(lease => lease.Id)));
        Assert.That(third.Next, Is.Null);
    }

    [Test]
    public async Task Lists_show_what_lives_in_effect()
    {
        var ended = await World.CreateTaskAsync(Node);
        var running = await World.CreateTaskAsync(Node);
        var dead = await World.IssueAsync(Node, ended);
        var alive = await World.IssueAsync(Node, running);
        var brief = await World.IssueAsync(Node, running, TimeSpan.FromSeconds(40));
        await Node.Tasks.EndAsync(new TaskEnd(ended.Id, TaskOutcome.Failed, TaskEndReason.Ended, StoreWorld.Actor), None);
        Time.Advance(TimeSpan.FromSeconds(41));

        async Task<IEnumerable<Uid>> Ids(LeaseQuery query) => (await Node.Leases.ListAsync(query, new PageRequest(10, null), None)).Items.Select(view => view.Lease.Id);
        Assert.That(await Ids(new LeaseQuery { Live = true }), Is.EqualTo(new[] { alive.Id }));
        Assert.That(await Ids(new LeaseQuery { Live = false }), Is.EquivalentTo(new[] { dead.Id, brief.Id }));
        Assert.That(await Ids(new LeaseQuery { States = [LeaseState.Active], Provider = World.Provider, Role = World.Role, Source = World.Source, Workload = World.Workload }), Has.Exactly(3).Items);
        Assert.That(await Ids(new LeaseQuery { ExpiresBefore = Time.Now() }), Is.EqualTo(new[] { brief.Id }));
        Assert.That(await Ids(new LeaseQuery { ExpiresAfter = Time.Now() }), Is.EquivalentTo(new[] { dead.Id, alive.Id }));
        Assert.That(await Ids(new LeaseQuery { VisibleTo = new TaskViewer(World.Workload, World.Source, "agent") }), Has.Exactly(3).Items);
        Assert.That(await Ids(new LeaseQuery { VisibleTo = new TaskViewer(World.Role, World.Source, "other") }), Is.Empty);
        Assert.That(await Ids(new LeaseQuery { Failing = true }), Is.Empty);
        Assert.That((await StoreWorld.FindAsync(Node, dead)).Effective, Is.EqualTo(new EffectiveState(false, EndReason.TaskEnded, Time.Now() - TimeSpan.FromSeconds(41))));
        Assert.That((await StoreWorld.FindAsync(Node, brief)).Effective.Reason, Is.EqualTo(EndReason.Expired));
    }

    [Test]
    public async Task A_handle_is_not_readable_in_the_database_nor_on_another_row()
    {
        var task = await World.CreateTaskAsync(Node);
        var first = await World.IssueAsync(Node, task);
        Time.Advance(TimeSpan.FromMilliseconds(2));
        var second = await World.IssueAsync(Node, task);
        var stored = (byte[])(await Database.ScalarAsync($"SELECT handle FROM {Database.Schema}leases ORDER BY id LIMIT 1"))!;
        Assert.That(Encoding.Latin1.GetString(stored), Does.Not.Contain("handle of"));

        await Database.ExecuteAsync(
            $"UPDATE {Database.Schema}leases SET handle = (SELECT handle FROM {Database.Schema}leases x WHERE x.external_name = '{first.ExternalName}') WHERE external_name = '{second.ExternalName}'");
        Assert.That((await StoreWorld.FindAsync(Node, first)).Lease.Handle, Is.EqualTo(first.Handle));
        Assert.That((await StoreWorld.FindAsync(Node, second)).Lease.Handle, Is.Null);
    }

    [Test]
    public async Task A_node_revokes_by_the_handle_that_another_stored()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        Assert.That((await World.ClaimAsync(other)).Single().Handle, Is.EqualTo(lease.Handle));
    }

    [Test]
    public async Task What_was_committed_is_there_after_a_restart()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        Time.Advance(TimeSpan.FromMinutes(1));
        var before = Time.Now();
        await Node.Audit.AppendAsync(new AuditDraft(AuditTypes.HookRefused, Actor.Broker), None);
        await RestartAsync();
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Lease, Is.EqualTo(lease));
        Assert.That(await Node.Tasks.FindAsync(task.Id, None), Is.Not.Null);

        // A clock that was set back does not take the store's time with it.
        Time.AdjustTime(before - TimeSpan.FromSeconds(30));
        await Node.Audit.AppendAsync(new AuditDraft(AuditTypes.HookRefused, Actor.Broker), None);
        var told = await Node.Audit.ListAsync(new AuditQuery { Types = [AuditTypes.HookRefused] }, new PageRequest(10, null), None);
        Assert.That(told.Items[^1].At, Is.EqualTo(before));
    }
}
