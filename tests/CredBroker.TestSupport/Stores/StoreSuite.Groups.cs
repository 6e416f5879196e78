using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private static readonly TimeSpan GroupClaimLength = TimeSpan.FromSeconds(45);

    [Test]
    public async Task Places_in_a_group_are_exact_however_many_ask_at_once()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? Node : other).Leases.ReserveAsync(World.Reservation(Grouped(task, capacity: 7)), None)));
        Assert.That(outcomes.Count(outcome => outcome is ReserveOutcome.Reserved), Is.EqualTo(7));
        Assert.That(outcomes.Count(outcome => outcome is ReserveOutcome.GroupFull), Is.EqualTo(33));
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(Grouped(task, "another", 7)), None), Is.InstanceOf<ReserveOutcome.Reserved>(), "another document has its own room");
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(World.NewLease(task)), None), Is.InstanceOf<ReserveOutcome.Reserved>(), "and what stands alone needs none");
    }

    [Test]
    public async Task A_place_is_free_again_once_the_credential_is_dead_by_its_own_time_and_not_when_it_is_revoked()
    {
        var task = await World.CreateTaskAsync(Node);
        var never = await ReserveGroupedAsync(task, capacity: 1);
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(Grouped(task, capacity: 1)), None), Is.InstanceOf<ReserveOutcome.GroupFull>());
        await StoreWorld.ApplyAsync(Node, never, new LeaseEvent.NothingMade(null));

        var lease = await ReserveGroupedAsync(task, capacity: 1);
        await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Issued(null, lease.ExpiresAt));
        await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Ended(EndReason.Revoked));
        var claim = (await ClaimGroupAsync(lease))!;
        Assert.That((await StoreWorld.ApplyAsync(Node, claim.Due.Single(), World.Gone(), claim.Due.Single().Fence)).State, Is.EqualTo(LeaseState.Revoked));

        var freeAt = lease.PossibleDeathAt + lease.LateEffect + LeaseGroup.ClockMargin;
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(Grouped(task, capacity: 1)), None), Is.EqualTo(new ReserveOutcome.GroupFull(lease.Group!, freeAt)));
        Time.Advance(freeAt - Time.Now() - TimeSpan.FromMicroseconds(1));
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(Grouped(task, capacity: 1)), None), Is.InstanceOf<ReserveOutcome.GroupFull>());
        Time.Advance(TimeSpan.FromMicroseconds(1));
        Assert.That(await Node.Leases.ReserveAsync(World.Reservation(Grouped(task, capacity: 1)), None), Is.InstanceOf<ReserveOutcome.Reserved>());
    }

    [Test]
    public async Task Two_providers_at_one_target_share_a_group_and_their_leases_are_claimed_apart()
    {
        var other = await StoreWorld.CreateAsync(Node);
        var mine = await DueGroupedAsync(World, await World.CreateTaskAsync(Node));
        var theirs = await DueGroupedAsync(other, await other.CreateTaskAsync(Node));
        Assert.That(theirs.Group, Is.EqualTo(mine.Group));
        Assert.That((await Node.Groups.AgendaAsync(None)).Due.Select(due => due.Provider), Is.EquivalentTo(new[] { World.Provider, other.Provider }));

        var claim = (await ClaimGroupAsync(mine))!;
        Assert.That(claim.Due.Select(lease => lease.Id), Is.EqualTo(new[] { mine.Id }));
        Assert.That(claim.StillDenied, Is.EqualTo(new[] { new DeniedCredential(theirs.ExternalName, theirs.PossibleDeathAt) { IssuedBy = theirs.ActivatedAt } }), "it must be dead, whoever is to kill it");
        Assert.That(await ClaimGroupAsync(theirs), Is.Null, "there is one document, and one who writes it");
    }

    [Test]
    public async Task A_claim_is_about_one_role_kind()
    {
        var task = await World.CreateTaskAsync(Node);
        var first = await DueGroupedAsync(World, task);
        var second = Grouped(task) with { RoleKind = "other" };
        await Node.Leases.ReserveAsync(World.Reservation(second), None);
        await StoreWorld.ApplyAsync(Node, second, new LeaseEvent.Ended(EndReason.Revoked));
        var claim = (await ClaimGroupAsync(first))!;
        Assert.That(claim.Due.Select(lease => lease.RoleKind).Distinct().Count(), Is.EqualTo(1));
        Assert.That(claim.StillDenied, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Ordinary_claims_pass_over_groups()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await DueGroupedAsync(World, task);
        Assert.That(await World.ClaimAsync(Node), Is.Empty);
        Assert.That(await Node.Leases.NextDueAsync(None), Is.Empty);
        var agenda = await Node.Groups.AgendaAsync(None);
        Assert.That(agenda.Due, Is.EqualTo(new[] { new GroupDue(lease.Group!.Id, World.Provider, Time.Now()) }));

        var alone = await World.IssueAsync(Node, task);
        await StoreWorld.ApplyAsync(Node, alone, new LeaseEvent.Ended(EndReason.Revoked));
        Assert.That((await World.ClaimAsync(Node)).Select(claimed => claimed.Id), Is.EqualTo(new[] { alone.Id }));
    }

    [Test]
    public async Task The_agenda_names_what_becomes_due_and_when_a_held_group_is_free()
    {
        var task = await World.CreateTaskAsync(Node);
        var live = await IssueGroupedAsync(task);
        Assert.That(await Node.Groups.AgendaAsync(None), Has.Property(nameof(GroupAgenda.Next)).EqualTo(live.ExpiresAt).And.Property(nameof(GroupAgenda.Due)).Empty);
        var dead = await DueGroupedAsync(World, task);
        var hold = await ClaimGroupAsync(dead);
        var more = await DueGroupedAsync(World, task);
        Assert.That((await Node.Groups.AgendaAsync(None)).Due, Is.EqualTo(new[] { new GroupDue(more.Group!.Id, World.Provider, Time.Now() + hold!.Length) }));
    }

    [Test]
    public async Task One_node_at_a_time_holds_a_group()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var lease = await DueGroupedAsync(World, task);
        var claims = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => ClaimGroupAsync(lease, i % 2 == 0 ? Node : other)));
        var claim = claims.OfType<ClaimedGroup>().Single();
        Assert.That(claim.Length, Is.EqualTo(GroupClaimLength + lease.LateEffect), "a successor cannot begin while something that was sent may act");

        var late = await DueGroupedAsync(World, task);
        Time.Advance(claim.Length - TimeSpan.FromMicroseconds(1));
        Assert.That(await ClaimGroupAsync(late, other), Is.Null);
        Time.Advance(TimeSpan.FromMicroseconds(1));
        var next = (await ClaimGroupAsync(late, other))!;
        Assert.That(next.Fence, Is.GreaterThan(claim.Fence));
        Assert.That(next.Due.Select(due => due.Id), Is.EquivalentTo(new[] { lease.Id, late.Id }));
        Assert.That(await Node.Groups.ReleaseAsync(claim.Id, claim.Fence, TimeSpan.Zero, None), Is.False, "who lost it gives nothing back");
        Assert.That(await ClaimGroupAsync(late, Node), Is.Null);
    }

    [Test]
    public async Task Who_lost_the_group_settles_nothing_even_of_a_lease_that_nobody_else_took()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await DueGroupedAsync(World, task);
        var claim = (await ClaimGroupAsync(lease))!;
        Time.Advance(claim.Length);
        Assert.That((await Node.Groups.HoldAsync(claim.Id, TimeSpan.FromMinutes(1), None)).Fence, Is.Null, "what is due goes before");
        var next = (await ClaimGroupAsync(lease))!;
        var due = next.Due.Single();
        var settle = new LeaseChange(lease.Id, World.Gone(), StoreWorld.Actor) { Fence = due.Fence };
        Assert.That(await Node.Leases.ApplyAsync(settle with { GroupFence = claim.Fence }, None), Is.InstanceOf<ApplyOutcome.Fenced>());
        Assert.That(await Node.Leases.ApplyAsync(settle with { GroupFence = next.Fence }, None), Is.InstanceOf<ApplyOutcome.Applied>());
    }

    [Test]
    public async Task What_must_stay_dead_is_read_with_the_claim()
    {
        var task = await World.CreateTaskAsync(Node, life: TimeSpan.FromHours(10));
        var longDead = await DueGroupedAsync(World, task);
        await SettleAsync(longDead, World.Gone());
        Time.Advance(longDead.PossibleDeathAt + longDead.LateEffect + LeaseGroup.ClockMargin - Time.Now());

        var revoked = await DueGroupedAsync(World, task);
        await SettleAsync(revoked, World.Gone());
        var stuck = await DueGroupedAsync(World, task);
        await SettleAsync(stuck, new LeaseEvent.AttemptFailed(new AttemptError(ProviderFault.Credential, "no", Time.Now()), Time.Now().AddMinutes(5), false));
        await IssueGroupedAsync(task);
        var never = await ReserveGroupedAsync(task);
        await StoreWorld.ApplyAsync(Node, never, new LeaseEvent.NothingMade(null));
        var due = await DueGroupedAsync(World, task);

        var claim = (await ClaimGroupAsync(due))!;
        Assert.That(claim.Due.Select(lease => lease.Id), Is.EqualTo(new[] { due.Id }));
        Assert.That(claim.StillDenied.Select(denied => denied.ExternalName), Is.EquivalentTo(new[] { revoked.ExternalName, stuck.ExternalName }));
    }

    [Test]
    public async Task What_runs_out_in_a_group_is_claimed_by_the_same_step()
    {
        var task = await World.CreateTaskAsync(Node);
        var active = await IssueGroupedAsync(task);
        var pending = await ReserveGroupedAsync(task);
        Time.Advance(active.ExpiresAt - Time.Now());
        var claim = (await ClaimGroupAsync(active))!;
        Assert.That(claim.Due.Select(lease => (lease.Id, lease.State, lease.EndReason)), Is.EquivalentTo(new[]
        {
            (active.Id, LeaseState.Revoking, (EndReason?)EndReason.Expired), (pending.Id, LeaseState.Revoking, (EndReason?)EndReason.OutcomeUnknown),
        }));
        Assert.That(claim.Due.Select(lease => lease.DueAt), Is.All.EqualTo(Time.Now() + claim.Length));
    }

    [Test]
    public async Task An_issuing_call_and_a_revocation_never_hold_a_group_at_once()
    {
        var task = await World.CreateTaskAsync(Node);
        var issuing = await ReserveGroupedAsync(task);
        var group = issuing.Group!.Id;
        var hold = await Node.Groups.HoldAsync(group, TimeSpan.FromMinutes(1), None);
        Assert.That(hold.Fence, Is.Not.Null);
        var again = await Node.Groups.HoldAsync(group, TimeSpan.FromMinutes(1), None);
        Assert.That((again.Fence, again.FreeAt), Is.EqualTo(((long?)null, Time.Now().AddMinutes(1))));
        var due = await DueGroupedAsync(World, task);
        Assert.That(await ClaimGroupAsync(due), Is.Null);

        Assert.That(await Node.Groups.ReleaseAsync(group, hold.Fence!.Value, TimeSpan.FromSeconds(5), None), Is.True);
        Assert.That(await ClaimGroupAsync(due), Is.Null, "what was sent may still act");
        Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That((await Node.Groups.HoldAsync(group, TimeSpan.FromMinutes(1), None)).Fence, Is.Null, "what is due to be killed goes before");
        var claim = (await ClaimGroupAsync(due))!;
        Assert.That(await Node.Groups.ReleaseAsync(group, claim.Fence, TimeSpan.Zero, None), Is.True);
        Assert.That((await Node.Groups.HoldAsync(group, TimeSpan.FromMinutes(1), None)).Fence, Is.GreaterThan(claim.Fence));
    }

    [Test]
    public async Task An_overflow_ends_what_was_reserved_before_in_batches_and_nothing_else()
    {
        var task = await World.CreateTaskAsync(Node);
        var before = new List<Lease>();
        for (var i = 0; i < 5; i++) before.Add(await IssueGroupedAsync(task));
        before.Add(await ReserveGroupedAsync(task));
        var elsewhere = await IssueGroupedAsync(task, "another");
        var cut = Time.Now().AddSeconds(-20);
        await Node.Groups.OverflowAsync(before[0].Group!.Id, cut, None);
        Time.Advance(TimeSpan.FromSeconds(1));
        var later = await IssueGroupedAsync(task);

        Assert.That(await Node.Groups.FanOutAsync(4, None), Is.True);
        await RestartAsync();
        await Node.Groups.OverflowAsync(before[0].Group!.Id, cut, None);
        while (await Node.Groups.FanOutAsync(4, None)) { }
        foreach (var lease in before)
            Assert.That((await StoreWorld.FindAsync(Node, lease)).Lease, Has.Property("State").EqualTo(LeaseState.Revoking).And.Property("EndReason").EqualTo(EndReason.GroupOverflowed));
        foreach (var lease in new[] { elsewhere, later }) Assert.That((await StoreWorld.FindAsync(Node, lease)).Effective.Live);
        Assert.That((await Node.Audit.ListAsync(new AuditQuery { Types = [AuditTypes.GroupOverflowed] }, new PageRequest(10, null), None)).Items, Has.Count.EqualTo(1), "told again, it is no news");

        await Node.Groups.OverflowAsync(before[0].Group!.Id, cut.AddSeconds(1), None);
        while (await Node.Groups.FanOutAsync(4, None)) { }
        Assert.That((await StoreWorld.FindAsync(Node, later)).Lease.EndReason, Is.EqualTo(EndReason.GroupOverflowed), "a later one is");
    }

    [Test]
    public async Task What_was_proven_dead_in_a_group_is_named_while_it_could_live()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await DueGroupedAsync(World, task);
        await SettleAsync(lease, World.Gone());
        Assert.That(await Node.Groups.ProvenAsync(lease.Group!.Id, None), Is.EqualTo(new[] { new ProvenInGroup(lease.Id, lease.ExternalName) }));
        Time.Advance(lease.PossibleDeathAt + lease.LateEffect + LeaseGroup.ClockMargin - Time.Now());
        Assert.That(await Node.Groups.ProvenAsync(lease.Group!.Id, None), Is.Empty);
    }

    [Test]
    public async Task Reserving_claiming_and_settling_in_one_group_do_not_stand_in_each_others_way()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var nodes = new[] { Node, other };
        var first = await DueGroupedAsync(World, task);
        var claiming = Enumerable.Range(0, 2).Select(async i =>
        {
            for (var round = 0; round < 30; round++)
            {
                if (await ClaimGroupAsync(first, nodes[i]) is not { } claim) continue;
                foreach (var lease in claim.Due)
                    await nodes[i].Leases.ApplyAsync(new LeaseChange(lease.Id, World.Gone(), StoreWorld.Actor) { Fence = lease.Fence, GroupFence = claim.Fence }, None);
                Assert.That(await nodes[i].Groups.ReleaseAsync(claim.Id, claim.Fence, TimeSpan.Zero, None), Is.True);
            }
        });
        var making = Enumerable.Range(0, 2).Select(async i =>
        {
            for (var round = 0; round < 15; round++)
            {
                var lease = Grouped(task, capacity: 1000);
                await nodes[i].Leases.ReserveAsync(World.Reservation(lease), None);
                await nodes[i].Leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.Ended(EndReason.Revoked), StoreWorld.Actor), None);
                await nodes[i].Leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.Issued(null, lease.ExpiresAt), StoreWorld.Actor), None);
            }
        });
        await Task.WhenAll(claiming.Concat(making));
        while (await ClaimGroupAsync(first) is { } left)
        {
            foreach (var lease in left.Due) await StoreWorld.ApplyAsync(Node, lease, World.Gone(), lease.Fence);
            await Node.Groups.ReleaseAsync(left.Id, left.Fence, TimeSpan.Zero, None);
        }

        var leases = (await Node.Leases.ListAsync(new LeaseQuery { Task = task.Id }, new PageRequest(100, null), None)).Items;
        Assert.That(leases.Select(view => view.Lease.State).ToList(), Has.Count.EqualTo(31).And.All.EqualTo(LeaseState.Revoked));
    }

    private Lease Grouped(AgentTask task, string name = "document", int capacity = 100, StoreWorld? world = null)
    {
        var lease = (world ?? World).NewLease(task);
        return lease with { Group = LeaseGroup.Of(lease.TargetIdentity, new ExclusiveGroup(name, capacity)) };
    }

    private async Task<Lease> ReserveGroupedAsync(AgentTask task, string name = "document", int capacity = 100, StoreWorld? world = null)
    {
        var outcome = await Node.Leases.ReserveAsync((world ?? World).Reservation(Grouped(task, name, capacity, world)), None);
        return outcome is ReserveOutcome.Reserved { Lease: var lease } ? lease : throw new AssertionException($"The lease was not reserved: {outcome}");
    }

    private async Task<Lease> IssueGroupedAsync(AgentTask task, string name = "document", StoreWorld? world = null)
    {
        var lease = await ReserveGroupedAsync(task, name, world: world);
        return await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Issued(new Handle("h"), lease.ExpiresAt));
    }

    private async Task<Lease> DueGroupedAsync(StoreWorld world, AgentTask task) =>
        await StoreWorld.ApplyAsync(Node, await IssueGroupedAsync(task, world: world), new LeaseEvent.Ended(EndReason.Revoked));

    private Task<ClaimedGroup?> ClaimGroupAsync(Lease lease, StoreNode? node = null) =>
        (node ?? Node).Groups.ClaimAsync(new GroupClaim(lease.Group!.Id, lease.Gates.Provider.Uid, 100, GroupClaimLength), None);

    private async Task SettleAsync(Lease lease, LeaseEvent @event)
    {
        var claim = (await ClaimGroupAsync(lease))!;
        foreach (var due in claim.Due) await StoreWorld.ApplyAsync(Node, due, due.Id == lease.Id ? @event : World.Gone(), due.Fence);
        await Node.Groups.ReleaseAsync(claim.Id, claim.Fence, TimeSpan.Zero, None);
    }
}
