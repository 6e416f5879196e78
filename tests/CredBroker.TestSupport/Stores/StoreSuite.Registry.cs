using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task A_name_is_unique_and_a_deleted_one_is_a_tombstone()
    {
        var first = World.Registration(Uid.New(Time), ResourceKind.Hook, "deploys");
        Assert.That(await Node.Registry.PutAsync(first, None), Is.EqualTo(new RegistryOutcome.Changed(first.Entry)));
        var second = World.Registration(Uid.New(Time), ResourceKind.Hook, "deploys");
        Assert.That(await Node.Registry.PutAsync(second, None), Is.EqualTo(new RegistryOutcome.NameTaken(first.Entry.Uid)));

        var deletion = new RegistryChange(first.Entry with { DeletedAt = Time.Now() }, 1, StoreWorld.Actor) { Audit = new AuditDraft(AuditTypes.ResourceDeleted, StoreWorld.Actor) };
        Assert.That(await Node.Registry.PutAsync(deletion, None), Is.InstanceOf<RegistryOutcome.Changed>());
        Assert.That(await Node.Registry.PutAsync(deletion with { ExpectedVersion = 2 }, None), Is.InstanceOf<RegistryOutcome.Unknown>());
        Assert.That(await Node.Registry.PutAsync(second, None), Is.EqualTo(new RegistryOutcome.NameIsTombstone(first.Entry.Uid)));
        Assert.That(await Node.Registry.PutAsync(second with { ReuseName = true }, None), Is.InstanceOf<RegistryOutcome.Changed>());
        var content = await Node.Registry.LoadAsync(None);
        Assert.That(content.Entries.Where(entry => entry.Kind == ResourceKind.Hook).Select(entry => entry.Uid), Is.EqualTo(new[] { second.Entry.Uid }));
    }

    [Test]
    public async Task One_of_many_gets_a_name()
    {
        var other = await OtherNodeAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            (i % 2 == 0 ? Node : other).Registry.PutAsync(World.Registration(Uid.New(Time), ResourceKind.PolicySet, "base"), None)));
        Assert.That(outcomes.Count(outcome => outcome is RegistryOutcome.Changed), Is.EqualTo(1));
        Assert.That(outcomes.Count(outcome => outcome is RegistryOutcome.NameTaken), Is.EqualTo(7));
        Assert.That((await Node.Registry.LoadAsync(None)).PolicyVersion, Is.EqualTo(1));
    }

    [Test]
    public async Task A_change_replaces_the_version_that_was_read()
    {
        var before = await Node.Registry.LoadAsync(None);
        var provider = before.Entries.Single(entry => entry.Kind == ResourceKind.Provider);
        var change = new RegistryChange(provider with { SpecJson = """{"new":true}""", TargetIdentity = "target-1" }, 1, StoreWorld.Actor)
        {
            Audit = new AuditDraft(AuditTypes.ResourceUpdated, StoreWorld.Actor),
        };
        var changed = (RegistryOutcome.Changed)await Node.Registry.PutAsync(change, None);
        Assert.That(changed.Entry.Version, Is.EqualTo(2));
        Assert.That(await Node.Registry.PutAsync(change, None), Is.EqualTo(new RegistryOutcome.VersionMismatch(2)));
        Assert.That(await Node.Registry.PutAsync(change with { Entry = change.Entry with { Uid = Uid.New(Time) } }, None), Is.InstanceOf<RegistryOutcome.Unknown>());

        var after = await Node.Registry.LoadAsync(None);
        Assert.That(after.Generation, Is.GreaterThan(before.Generation));
        Assert.That(await Node.Registry.GenerationAsync(None), Is.EqualTo(after.Generation));
        Assert.That(after.Entries.Single(entry => entry.Uid == provider.Uid), Is.EqualTo(changed.Entry));
    }

    [Test]
    public async Task A_provider_with_unproven_leases_is_kept_until_they_are_dead()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        var provider = (await Node.Registry.LoadAsync(None)).Entries.Single(entry => entry.Uid == World.Provider);
        var deletion = new RegistryChange(provider with { DeletedAt = Time.Now() }, 1, StoreWorld.Actor)
        {
            Audit = new AuditDraft(AuditTypes.ResourceDeleted, StoreWorld.Actor),
            RefuseWithUnprovenLeases = true,
        };
        Assert.That(await Node.Registry.PutAsync(deletion, None), Is.EqualTo(new RegistryOutcome.HasUnprovenLeases(1)));
        await Node.Registry.PutAsync(deletion with { RefuseWithUnprovenLeases = false }, None);
        Assert.That((await Node.Registry.LoadAsync(None)).Entries.Select(entry => entry.Uid), Does.Contain(World.Provider), "somebody must still revoke there");
        await World.KillAsync(Node, lease);
        Assert.That((await Node.Registry.LoadAsync(None)).Entries.Select(entry => entry.Uid), Does.Not.Contain(World.Provider));
    }

    [Test]
    public async Task A_suspension_is_in_force_until_all_of_its_target_are_lifted()
    {
        var generation = await Node.Registry.GenerationAsync(None);
        var first = (await Node.Suspensions.SuspendAsync(Suspension(World.Workload), null, None))!;
        Time.Advance(TimeSpan.FromMilliseconds(2));
        var second = (await Node.Suspensions.SuspendAsync(Suspension(World.Workload) with { Until = Time.Now() + TimeSpan.FromMinutes(1) }, null, None))!;
        Assert.That((await Node.Registry.LoadAsync(None)).Gates[World.Workload], Is.EqualTo(new GateState(2, true)));
        Assert.That(await Node.Registry.GenerationAsync(None), Is.GreaterThan(generation));
        Assert.That(await Node.Suspensions.FindAsync(first.Id, None), Is.EqualTo(first));

        var lifted = await Node.Suspensions.LiftAsync(first.Id, StoreWorld.Actor, None);
        Assert.That(lifted!.LiftedAt, Is.EqualTo(Time.Now()));
        Assert.That((await Node.Registry.LoadAsync(None)).Gates[World.Workload], Is.EqualTo(new GateState(2, true)));
        Assert.That((await Node.Suspensions.ListAsync(true, new PageRequest(10, null), None)).Items, Is.EqualTo(new[] { second }));
        Assert.That(await Node.Suspensions.LiftDueAsync(10, None), Is.False);
        Assert.That((await Node.Suspensions.FindAsync(second.Id, None))!.LiftedAt, Is.Null);

        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(await Node.Suspensions.LiftDueAsync(10, None), Is.False);
        Assert.That((await Node.Registry.LoadAsync(None)).Gates[World.Workload], Is.EqualTo(new GateState(2, false)));
        Assert.That((await Node.Suspensions.ListAsync(false, new PageRequest(10, null), None)).Items.Select(item => item.Id), Is.EqualTo(new[] { first.Id, second.Id }));
        Assert.That(await Node.Suspensions.LiftAsync(Uid.New(Time), StoreWorld.Actor, None), Is.Null);
    }

    [Test]
    public async Task A_repeated_request_suspends_once_and_another_body_under_its_id_not_at_all()
    {
        var request = new RequestKey([1], [2], 0);
        var made = await Node.Suspensions.SuspendAsync(Suspension(World.Workload), request, None);
        var repeats = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Node.Suspensions.SuspendAsync(Suspension(World.Workload), request, None)));
        Assert.That(repeats, Is.All.EqualTo(made));
        Assert.That(await Node.Suspensions.SuspendAsync(Suspension(World.Provider), request with { Body = [3] }, None), Is.Null);
        Assert.That((await Node.Registry.LoadAsync(None)).Gates, Does.ContainKey(World.Workload).WithValue(new GateState(1, true)).And.Not.ContainKey(World.Provider));

        var lifted = await Node.Suspensions.LiftAsync(made!.Id, StoreWorld.Actor, None);
        Assert.That(await Node.Suspensions.SuspendAsync(Suspension(World.Workload), request, None), Is.EqualTo(lifted), "lifted, it is not made again");
    }

    [Test]
    public async Task One_request_id_makes_one_suspension_however_many_ask_at_once()
    {
        var request = new RequestKey([1], [2], 0);
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Node.Suspensions.SuspendAsync(Suspension(World.Workload), request, None)));
        Assert.That(made.Distinct(), Has.Exactly(1).Items);
        Assert.That((await Node.Registry.LoadAsync(None)).Gates[World.Workload], Is.EqualTo(new GateState(1, true)));
    }

    [Test]
    public async Task What_a_suspension_would_kill_is_counted()
    {
        var task = await World.CreateTaskAsync(Node);
        await World.IssueAsync(Node, task);
        await World.KillAsync(Node, await World.IssueAsync(Node, task));
        foreach (var target in new[] { World.Source, World.Workload, World.Provider, World.Role })
            Assert.That((await Node.Suspensions.CountHeldAsync([target], None))[target], Is.EqualTo(1));
        Assert.That(await Node.Suspensions.CountHeldAsync([Uid.New(Time)], None), Is.Empty);
    }

    [Test]
    public async Task A_subject_with_other_stable_ids_is_somebody_else()
    {
        var seen = Seen(("repository_id", "1"));
        var first = await Node.Workloads.SeeAsync(seen, None);
        Assert.That(first.Uid, Is.EqualTo(seen.Uid));
        var again = await Node.Workloads.SeeAsync(Seen(("repository_id", "1")), None);
        Assert.That((again.Uid, again.RefusedStableIds), Is.EqualTo((first.Uid, (IReadOnlyDictionary<string, string>?)null)));

        var thief = await Node.Workloads.SeeAsync(Seen(("repository_id", "2")), None);
        Assert.That(thief.RefusedStableIds, Is.EqualTo(new Dictionary<string, string> { ["repository_id"] = "2" }));
        Assert.That(thief.StableIds, Is.EqualTo(new Dictionary<string, string> { ["repository_id"] = "1" }));
        Assert.That((await Node.Workloads.SeeAsync(Seen(("repository_id", "1")), None)).RefusedStableIds, Is.Null, "the first is not refused for the other's sake");
        Assert.That((await Node.Workloads.FindAsync(first.Uid, None))!.RefusedStableIds, Is.Not.Null, "it waits for an administrator");

        var accepted = await Node.Workloads.AcceptAsync(first.Uid, StoreWorld.Actor, None);
        Assert.That(accepted!.Uid, Is.Not.EqualTo(first.Uid));
        Assert.That((await Node.Workloads.SeeAsync(Seen(("repository_id", "2")), None)).Uid, Is.EqualTo(accepted.Uid));
        Assert.That(await Node.Workloads.AcceptAsync(first.Uid, StoreWorld.Actor, None), Is.Null);
        Assert.That((await Node.Workloads.ListAsync(World.Source, new PageRequest(10, null), None)).Items, Has.Count.EqualTo(2));
        Assert.That((await Node.Workloads.ListAsync(World.Role, new PageRequest(10, null), None)).Items, Is.Empty);
    }

    [Test]
    public async Task What_a_token_proves_is_kept_up_to_date()
    {
        var first = await Node.Workloads.SeeAsync(Seen(), None);
        var changed = Seen() with { Attributes = new Dictionary<string, string> { ["branch"] = "main" }, Teams = ["ci/b", "ci/a"], Instance = "run-2" };
        var answer = await Node.Workloads.SeeAsync(changed, None);
        Assert.That(answer.Attributes, Is.EqualTo(changed.Attributes));
        var found = (await Node.Workloads.FindAsync(first.Uid, None))!;
        Assert.That((found.Instance, string.Join(',', found.Teams)), Is.EqualTo(("run-2", "ci/a,ci/b")));
        Time.Advance(TimeSpan.FromHours(2));
        await Node.Workloads.SeeAsync(changed with { LastSeenAt = Time.Now() }, None);
        Assert.That((await Node.Workloads.FindAsync(first.Uid, None))!.LastSeenAt, Is.EqualTo(Time.Now()));
    }

    [Test]
    public async Task Whoever_is_seen_by_many_at_once_is_one()
    {
        var other = await OtherNodeAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? Node : other).Workloads.SeeAsync(Seen(), None)));
        Assert.That(answers.Select(workload => workload.Uid).Distinct().Count(), Is.EqualTo(1));
    }

    private Workload Seen(params (string Name, string Value)[] stableIds) => new()
    {
        Uid = Uid.New(Time),
        SourceUid = World.Source,
        SourceName = "ci",
        Subject = "repo:acme/app",
        StableIds = stableIds.ToDictionary(pair => pair.Name, pair => pair.Value),
        FirstSeenAt = Time.Now(),
        LastSeenAt = Time.Now(),
    };
}
