using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private static readonly TimeSpan Held = TimeSpan.FromMinutes(1);

    [Test]
    public async Task One_node_at_a_time_decides_again_and_another_goes_on_where_it_died()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var leases = new List<Lease>();
        for (var i = 0; i < 5; i++) leases.Add(await World.IssueAsync(Node, task));
        leases = [.. leases.OrderBy(lease => lease.Id)];
        var version = await ChangePoliciesAsync(TimeSpan.FromSeconds(2));
        Assert.That(await Node.Reevaluations.ClaimAsync(Held, None), Is.Null, "not before its time");
        Time.Advance(TimeSpan.FromSeconds(2));
        var work = (await Node.Reevaluations.ClaimAsync(Held, None))!;
        Assert.That(await other.Reevaluations.ClaimAsync(Held, None), Is.Null);

        var page = await Node.Reevaluations.PageAsync(work.Scope, null, 2, None);
        Assert.That(page.Select(view => view.Lease.Id), Is.EqualTo(leases.Take(2).Select(lease => lease.Id)));
        Assert.That(page[0].Lease.Handle, Is.Null);
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, version, page[^1].Lease.Id, leases[0]), None), Is.InstanceOf<ReevaluationOutcome.Moved>());
        Time.Advance(Held);
        var second = (await other.Reevaluations.ClaimAsync(Held, None))!;
        Assert.That((second.Cursor, second.Examined, second.Revoked), Is.EqualTo(((Uid?)leases[1].Id, 1L, 1L)), "it goes on after the last page");
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, version, null, leases[4]), None), Is.InstanceOf<ReevaluationOutcome.Lost>(), "who lost the claim writes nothing");
        Assert.That((await StoreWorld.FindAsync(Node, leases[4])).Effective.Live, Is.True);

        var rest = await other.Reevaluations.PageAsync(second.Scope, second.Cursor, 10, None);
        Assert.That(rest.Select(view => view.Lease.Id), Is.EqualTo(leases.Skip(2).Select(lease => lease.Id)));
        Assert.That(await other.Reevaluations.SettleAsync(Step(second, version, null, leases[3]), None), Is.InstanceOf<ReevaluationOutcome.Finished>());
        Assert.That(await Node.Reevaluations.ClaimAsync(Held, None), Is.Null);
        var dead = (await StoreWorld.FindAsync(Node, leases[3])).Lease;
        Assert.That((dead.State, dead.EndReason, dead.Lane, dead.EndDecisionId is null), Is.EqualTo((LeaseState.Revoking, (EndReason?)EndReason.NoLongerPermitted, Lane.End, false)));
    }

    [Test]
    public async Task What_was_decided_under_other_policies_is_not_written_and_a_second_cause_begins_anew()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        var version = await ChangePoliciesAsync(TimeSpan.FromSeconds(2));
        Time.Advance(TimeSpan.FromSeconds(2));
        var work = (await Node.Reevaluations.ClaimAsync(Held, None))!;
        var later = await ChangePoliciesAsync(null);
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, version, null, lease), None), Is.InstanceOf<ReevaluationOutcome.Stale>());
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Effective.Live, Is.True);
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, later, lease.Id), None), Is.InstanceOf<ReevaluationOutcome.Moved>(), "decided again, under what is in force");

        var last = await ChangePoliciesAsync(TimeSpan.FromSeconds(2));
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, last, null, lease), None), Is.InstanceOf<ReevaluationOutcome.Lost>(), "a new cause waits for its delay");
        Time.Advance(TimeSpan.FromSeconds(2));
        var again = (await Node.Reevaluations.ClaimAsync(Held, None))!;
        Assert.That(await Node.Reevaluations.SettleAsync(Step(again, last, null), None), Is.EqualTo(new ReevaluationOutcome.Moved(again with { Cursor = null, Examined = 0 })), "from the beginning once more");
        Assert.That(await Node.Reevaluations.SettleAsync(Step(again, last, null, lease), None), Is.InstanceOf<ReevaluationOutcome.Finished>());
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Lease.EndReason, Is.EqualTo(EndReason.NoLongerPermitted));
    }

    [Test]
    public async Task A_tokens_other_attributes_cause_it_only_for_who_holds_something()
    {
        Assert.That(await SeeAsync("a"), Is.EqualTo(await SeeAsync("b")), "the same workload");
        Assert.That(await Node.Reevaluations.ClaimAsync(Held, None), Is.Null, "it holds nothing");
        World.Workload = await SeeAsync("b");
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        await SeeAsync("b");
        Assert.That(await Node.Reevaluations.ClaimAsync(Held, None), Is.Null, "nothing changed");
        await SeeAsync("c");
        var work = (await Node.Reevaluations.ClaimAsync(Held, None))!;
        Assert.That(work.Scope, Is.EqualTo(new ReevaluationScope(World.Workload, null)));
        Assert.That((await Node.Reevaluations.PageAsync(work.Scope, null, 10, None)).Select(view => view.Lease.Id), Is.EqualTo(new[] { lease.Id }));

        // Tokens that keep coming take no claim away: it begins anew when it is through.
        await SeeAsync("d");
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, 0, null), None), Is.InstanceOf<ReevaluationOutcome.Moved>());
        Assert.That(await Node.Reevaluations.SettleAsync(Step(work, 0, null), None), Is.InstanceOf<ReevaluationOutcome.Finished>());
    }

    [Test]
    public async Task A_renewal_is_not_written_past_a_change_of_policies()
    {
        var other = await OtherNodeAsync();
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        var generations = new GenerationCheck(new Dictionary<Uid, long> { [World.Role] = 1 }, 0);
        var raised = lease.PossibleDeathAt.AddMinutes(1);
        Assert.That(await RenewAsync(generations with { PolicyVersion = 7 }), Is.InstanceOf<ApplyOutcome.Stale>());
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Lease.PossibleDeathAt, Is.EqualTo(lease.PossibleDeathAt));
        Assert.That(await RenewAsync(generations), Is.InstanceOf<ApplyOutcome.Applied>());
        await ChangePoliciesAsync(null);
        raised = raised.AddMinutes(1);
        Assert.That(await RenewAsync(generations), Is.InstanceOf<ApplyOutcome.Stale>());

        Task<ApplyOutcome> RenewAsync(GenerationCheck under) =>
            other.Leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.RenewalIntended(raised), StoreWorld.Actor) { Generations = under }, None);
    }

    private async Task<Uid> SeeAsync(string reference) => (await Node.Workloads.SeeAsync(
        new Workload
        {
            Uid = Uid.New(Time),
            SourceUid = World.Source,
            SourceName = "ci",
            Subject = "seen",
            StableIds = new Dictionary<string, string>(),
            Attributes = new Dictionary<string, string> { ["ci/ref"] = reference },
            FirstSeenAt = Time.GetUtcNow(),
            LastSeenAt = Time.GetUtcNow(),
        },
        None)).Uid;

    private async Task<long> ChangePoliciesAsync(TimeSpan? reevaluateAfter)
    {
        var set = Uid.New(Time);
        await Node.Registry.PutAsync(World.Registration(set, ResourceKind.PolicySet, $"s-{set}") with { ReevaluateAfter = reevaluateAfter }, None);
        return (await Node.Registry.LoadAsync(None)).PolicyVersion;
    }

    private ReevaluationStep Step(ReevaluationWork work, long version, Uid? cursor, params Lease[] ending)
    {
        return new ReevaluationStep
        {
            Work = work,
            PolicyVersion = version,
            PolicyHash = "",
            Ending = [.. ending.Select(EndingOf)],
            Examined = 1,
            Unclear = 0,
            Cursor = cursor,
            HoldFor = Held,
        };

        NoLongerPermitted EndingOf(Lease lease)
        {
            var decision = Uid.New(Time);
            return new NoLongerPermitted(lease.Id, decision, new AuditDraft(AuditTypes.Decision, Actor.Broker) { LeaseId = lease.Id, DecisionId = decision });
        }
    }
}
