using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Reconciliation;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private static readonly TimeSpan HeldFor = TimeSpan.FromMinutes(11);

    [Test]
    public async Task One_node_reconciles_a_provider_and_who_lost_it_keeps_nothing()
    {
        var other = await OtherNodeAsync();
        Assert.That(await TakeAsync(Node), Is.Null, "a new provider has a minute's time");
        Assert.That((await Node.Reconciliation.ListAsync(None)).Single(), Is.EqualTo(new ReconciliationStatus(World.Provider, Time.Now() + TimeSpan.FromMinutes(1), null, null, null)));
        Time.Advance(TimeSpan.FromMinutes(1));
        var claims = await Task.WhenAll(TakeAsync(Node), TakeAsync(other), TakeAsync(Node));
        var first = claims.Single(claim => claim is not null)!;
        Assert.That(await TakeAsync(other, now: true), Is.Null, "it is held");

        // The node is killed, or sleeps: another takes it when the time is over, and what the first brings then is not kept.
        Time.Advance(HeldFor);
        var second = (await TakeAsync(other))!;
        Assert.That(await Node.Reconciliation.FinishAsync(first, Report(reappeared: 7), Time.Now(), None), Is.False);
        Assert.That(await other.Reconciliation.FinishAsync(second, Report(reappeared: 1), Time.Now() + TimeSpan.FromHours(1), None), Is.True);
        Assert.That(await other.Reconciliation.FinishAsync(second with { Fence = second.Fence + 1 }, Report(), Time.Now(), None), Is.False);
        var status = (await Node.Reconciliation.ListAsync(None)).Single();
        Assert.That((status.Last!.Reappeared, status.RunningUntil, status.CompleteAt), Is.EqualTo((1L, (DateTimeOffset?)null, (DateTimeOffset?)Time.Now())));
        Assert.That(status.Last.Findings.Single(), Is.EqualTo(new ReconciliationFinding(FindingKind.Reappeared, "cb-a", "x")));

        Assert.That(await TakeAsync(Node), Is.Null, "it is not due");
        var completed = Time.Now();
        Time.Advance(TimeSpan.FromSeconds(1));
        var third = (await TakeAsync(Node, now: true))!;
        Assert.That(await Node.Reconciliation.FinishAsync(third, Report(complete: false), Time.Now(), None), Is.True);
        status = (await Node.Reconciliation.ListAsync(None)).Single();
        Assert.That((status.Last!.Complete, status.CompleteAt), Is.EqualTo((false, (DateTimeOffset?)completed)), "the last complete one is remembered");
        var told = (await Node.Audit.ListAsync(new AuditQuery { Types = [AuditTypes.ProviderReconciled] }, new PageRequest(10, null), None)).Items;
        Assert.That(told.Select(one => ((bool)one.Draft.Detail["complete"]!, one.Draft.Texts.GetValueOrDefault("error"))), Is.EqualTo(new[] { (true, null), (false, "it broke") }));
    }

    [Test]
    public async Task Reconciliation_finds_leases_by_id_and_pages_the_active_ones()
    {
        var task = await World.CreateTaskAsync(Node);
        var leases = new List<Lease>();
        for (var i = 0; i < 5; i++) leases.Add(await World.IssueAsync(Node, task));
        leases.Sort((left, right) => left.Id.CompareTo(right.Id));
        var pending = await World.ReserveAsync(Node, task);
        var dead = await World.KillAsync(Node, leases[4]);

        var found = await Node.Reconciliation.FindAsync([leases[0].Id, dead.Id, pending.Id, Uid.New(Time)], None);
        Assert.That(found.Values.Select(lease => (lease.Id, lease.State, lease.Version)), Is.EquivalentTo(new[]
        {
            (leases[0].Id, LeaseState.Active, leases[0].Version), (dead.Id, LeaseState.Revoked, dead.Version), (pending.Id, LeaseState.Pending, pending.Version),
        }));
        Assert.That(found[dead.Id], Has.Property("ClosedAt").EqualTo(dead.ClosedAt).And.Property("ExternalName").EqualTo(dead.ExternalName).And.Property("TargetIdentity").EqualTo("target-1"));
        var living = leases.Take(4).Append(pending).OrderBy(lease => lease.Id).Select(lease => (lease.Id, lease.ActivatedAt)).ToList();
        var page = await Node.Reconciliation.LivingAsync(World.Provider, default, 3, None);
        Assert.That(page.Select(lease => (lease.Id, lease.ActivatedAt)), Is.EqualTo(living.Take(3)));
        page = await Node.Reconciliation.LivingAsync(World.Provider, page[^1].Id, 3, None);
        Assert.That(page.Select(lease => (lease.Id, lease.ActivatedAt)), Is.EqualTo(living.Skip(3)));
    }

    [Test]
    public async Task What_was_looked_at_as_one_version_is_not_done_to_another()
    {
        var task = await World.CreateTaskAsync(Node);
        var seen = await World.IssueAsync(Node, task);
        await StoreWorld.ApplyAsync(Node, seen, new LeaseEvent.RenewalIntended(seen.MaxExpiresAt));
        var change = new LeaseChange(seen.Id, new LeaseEvent.Ended(EndReason.MissingAtTarget), Actor.Broker) { Version = seen.Version };
        Assert.That(await Node.Leases.ApplyAsync(change, None), Is.InstanceOf<ApplyOutcome.Fenced>());
        Assert.That(await Node.Leases.ApplyAsync(change with { Version = seen.Version + 1 }, None), Is.InstanceOf<ApplyOutcome.Applied>());
    }

    private Task<ReconciliationClaim?> TakeAsync(StoreNode node, bool now = false) => node.Reconciliation.ClaimAsync(World.Provider, HeldFor, TimeSpan.FromMinutes(1), now, None);

    private ReconciliationReport Report(long reappeared = 0, bool complete = true) => new()
    {
        StartedAt = Time.Now(),
        EndedAt = Time.Now(),
        Complete = complete,
        Error = complete ? "" : "it broke",
        Reappeared = reappeared,
        Findings = [new(FindingKind.Reappeared, "cb-a", "x")],
    };
}
