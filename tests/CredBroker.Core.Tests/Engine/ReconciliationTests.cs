using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Receipts;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using Microsoft.Extensions.Time.Testing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What a target lists is held against the database: nothing that is in flight, somebody else's, or not proven to be ours is ever touched.</summary>
public sealed class ReconciliationTests : EngineTests
{
    private static CancellationToken None => CancellationToken.None;

    protected override BrokerLimits Limits => new() { ReconcileMost = 3 };

    [Test]
    public async Task What_was_proven_dead_and_lives_is_reported_and_revoked_again_only_where_that_is_asked_for()
    {
        var (agent, task, lease) = await IssuedAsync();
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        var dead = (await Broker.LeaseAsync(lease)).Lease;
        Assert.That(dead.State, Is.EqualTo(LeaseState.Revoked));
        Broker.Target.Plant(dead.ExternalName, MarkOf(lease), Broker.Time.Now().AddHours(1));
        Broker.Time.Advance(TimeSpan.FromMinutes(1));

        var report = await ReconcileAsync();
        Assert.That((report.Complete, report.Reappeared, report.Acted, report.NeedsAPerson()), Is.EqualTo((true, 1L, 0L, true)));
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked), "only reported");
        Assert.That(report.Findings.Single(), Is.EqualTo(new ReconciliationFinding(FindingKind.Reappeared, dead.ExternalName, lease.ToString())));

        await SweepAsync();
        Assert.That((await ReconcileAsync()).Acted, Is.EqualTo(1));
        Assert.That((await Broker.LeaseAsync(lease)).Lease.EndReason, Is.EqualTo(EndReason.Reappeared));
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Is.Empty);
        Assert.That((await Broker.Get<IReceiptStore>().FindAsync(task.Id, null, None))!.Entries.Single().Lease.EndReason, Is.EqualTo(EndReason.Reappeared), "the receipt says so");
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That((await ReconcileAsync()).NeedsAPerson(), Is.False);
        var told = (await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [AuditTypes.ProviderReconciled] }, new PageRequest(100, null), None)).Items;
        Assert.That(told.Select(one => (long)one.Draft.Detail["reappeared"]!), Is.EqualTo(new[] { 1L, 1L, 0L }));
    }

    [Test]
    public async Task Marks_that_are_forged_copied_or_anothers_change_nothing()
    {
        var (agent, task, lease) = await IssuedAsync();
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        await SweepAsync();
        var name = (await Broker.LeaseAsync(lease)).Lease.ExternalName;
        var until = Broker.Time.Now().AddHours(1);
        var never = Uid.New(Broker.Time);
        byte[] key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)], foreign = [.. Enumerable.Range(50, 32).Select(i => (byte)i)];
        Broker.Target.Plant(name, Marks("test01", foreign).Make(lease).ToString(), until);
        Broker.Target.Plant("copied", MarkOf(lease), until);
        Broker.Target.Plant("copied-of-nothing", MarkOf(never), until);
        Broker.Target.Plant($"cb-test01-{never}", null, until);
        Broker.Target.Plant("cb-other1-x", Marks("other1", key).Make(never).ToString(), until);
        Broker.Time.Advance(TimeSpan.FromMinutes(1));

        var report = await ReconcileAsync();
        Assert.That((report.Complete, report.Listed, report.Forged, report.Unmarked, report.OtherInstallations), Is.EqualTo((true, 5L, 3L, 1L, 1L)));
        Assert.That((report.Reappeared, report.Missing, report.Unknown, report.Acted, report.NeedsAPerson()), Is.EqualTo((0L, 0L, 0L, 0L, false)));
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Has.Count.EqualTo(5));
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task What_may_have_been_forgotten_with_its_tree_is_told_and_is_no_sign_of_another_database()
    {
        var (agent, task, _) = await IssuedAsync();
        var ages = new[] { Limits.TreesKept + TimeSpan.FromMinutes(1), Limits.TreesKept - TimeSpan.FromMinutes(1) };
        var leases = ages.Select(age => Uid.New(new FakeTimeProvider(Broker.Time.Now() - age))).ToList();
        Broker.Target.Plant($"cb-test01-{leases[0]}", MarkOf(leases[0]), Broker.Time.Now().AddHours(1));
        var report = await ReconcileAsync();
        Assert.That((report.Unknown, report.Acted, report.NeedsAPerson()), Is.EqualTo((1L, 0L, true)));
        Ok(await Broker.IssueAsync(agent, task));

        Broker.Target.Plant($"cb-test01-{leases[1]}", MarkOf(leases[1]), Broker.Time.Now().AddHours(1));
        Assert.That((await ReconcileAsync()).Unknown, Is.EqualTo(2));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ProviderQuarantined), "no tree so young is forgotten");
    }

    [Test]
    public async Task What_has_our_mark_and_no_row_is_never_revoked_and_puts_its_provider_into_quarantine()
    {
        await SweepAsync();
        var (agent, task, old) = await IssuedAsync();
        var lease = Uid.New(Broker.Time);
        Broker.Target.Plant($"cb-test01-{lease}", MarkOf(lease), Broker.Time.Now().AddHours(1));
        var report = await ReconcileAsync();
        Assert.That((report.Unknown, report.Acted, report.NeedsAPerson()), Is.EqualTo((1L, 0L, true)));
        var held = (await Broker.Get<IQuarantineStore>().ListAsync(None)).Single();
        Assert.That((held.ProviderName, held.Reason, held.Unproven), Is.EqualTo(("db", QuarantineReason.UnknownCredentials, 1L)));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ProviderQuarantined));
        Broker.Time.Advance(TimeSpan.FromMinutes(61));
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Has.Count.EqualTo(2));
        await Broker.Get<Reconciler>().LookAsync(None);
        Assert.That(Broker.Get<Reconciler>().InQuarantine, Has.Count.EqualTo(1));

        // It was somebody else's experiment, and is gone: the listing knows everything again.
        Broker.Target.Remove($"cb-test01-{lease}");
        await Until(() => Broker.Get<Reconciler>().Running == 0, "the run that was due is over");
        await ReconcileAsync();
        Assert.That(await Broker.Get<IQuarantineStore>().ListAsync(None), Is.Empty);
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(old)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        Assert.That(Broker.Target.Credentials, Is.Empty);
    }

    [Test]
    public async Task What_is_gone_is_ended_only_after_a_complete_listing_and_a_look_at_it()
    {
        var (_, _, lease) = await IssuedAsync();
        await SweepAsync();
        Broker.Target.Remove((await Broker.LeaseAsync(lease)).Lease.ExternalName);
        Assert.That((await ReconcileAsync()).Missing, Is.Zero, "it was activated within the clocks' margin");
        Broker.Time.Advance(TimeSpan.FromMinutes(1));

        Broker.Target.Calls.Next(ScriptedOperation.List, ScriptedStep.LosesTheAnswer());
        var cut = await ReconcileAsync();
        Assert.That((cut.Complete, cut.Missing, cut.Error), Is.EqualTo((false, 0L, "Unreachable: The script says Unreachable.")));
        Broker.Target.Calls.Next(ScriptedOperation.Probe, ScriptedStep.Fails(ProviderFault.Throttled));
        Assert.That((await ReconcileAsync()).Acted, Is.Zero, "the look at it failed");
        Assert.That((await Broker.LeaseAsync(lease)).Lease.State, Is.EqualTo(LeaseState.Active));

        var report = await ReconcileAsync();
        Assert.That((report.Missing, report.Acted, report.Compared), Is.EqualTo((1L, 1L, 1L)));
        Assert.That((await Broker.LeaseAsync(lease)).Lease, Has.Property(nameof(Lease.EndReason)).EqualTo(EndReason.MissingAtTarget));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.Evidence!.Kind, Is.EqualTo("credential_absent"), "its revocation proves it");
    }

    [Test]
    public async Task A_listing_that_lacks_what_is_there_ends_nothing()
    {
        var (_, _, lease) = await IssuedAsync();
        await SweepAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        // The target lists before the credential arrives there, and has it when it is looked at.
        var there = Broker.Target.Credentials.Single();
        Broker.Target.Remove(there.Name);
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Probe, new ScriptedStep { Before = gate });
        var running = ReconcileAsync();
        await gate.Reached;
        Broker.Target.Plant(there.Name, there.Mark, there.ExpiresAt);
        gate.Open();
        Assert.That((await running).Acted, Is.Zero);
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True);
    }

    [Test]
    public async Task Another_target_or_one_that_became_another_while_it_listed_proves_nothing()
    {
        var (_, _, lease) = await IssuedAsync();
        await SweepAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        Broker.Target.Clear();
        Broker.Target.Identity = "another";
        Assert.That((await ReconcileAsync()).Error, Does.StartWith("TargetMismatch: another answers"));
        Broker.Target.Identity = "scripted:one";
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.List, new ScriptedStep { After = gate });
        var running = ReconcileAsync();
        await gate.Reached;
        Broker.Target.Identity = "another";
        gate.Open();
        Assert.That((await running).Complete, Is.False);
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True);
    }

    [Test]
    public async Task So_many_missing_that_the_listing_is_doubted_end_nothing_and_what_is_done_has_a_number()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 7; i++) Ok(await Broker.IssueAsync(agent, task));
        await SweepAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        var there = Broker.Target.Credentials;
        Broker.Target.Clear();
        var doubted = await ReconcileAsync();
        Assert.That((doubted.Missing, doubted.TooManyMissing, doubted.Acted), Is.EqualTo((7L, true, 0L)));
        foreach (var back in there.Take(2)) Broker.Target.Plant(back.Name, back.Mark, back.ExpiresAt);
        var believed = await ReconcileAsync();
        Assert.That((believed.Missing, believed.TooManyMissing, believed.Acted), Is.EqualTo((5L, false, 3L)), "three a run");
        Assert.That((await ReconcileAsync()).Acted, Is.EqualTo(2));
    }

    [Test]
    public async Task What_is_being_issued_or_revoked_while_it_is_listed_is_left_alone()
    {
        var agent = await Broker.CallerAsync();
        var (pending, revoked) = (await Broker.TaskAsync(agent), await Broker.TaskAsync(agent));
        Ok(await Broker.IssueAsync(agent, revoked));
        await SweepAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        var answering = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Issue, new ScriptedStep { After = answering });
        var issuing = Broker.IssueAsync(agent, pending);
        await answering.Reached;
        var listed = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.List, new ScriptedStep { After = listed });
        var running = ReconcileAsync();
        await listed.Reached;
        Ok(await Broker.Get<TaskService>().EndAsync(agent, revoked.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        listed.Open();
        var report = await running;
        Assert.That((report.Listed, report.NeedsAPerson(), report.Acted), Is.EqualTo((2L, false, 0L)));
        answering.Open();
        Assert.That(Ok(await issuing).Lease.Effective.Live, Is.True);
    }

    [Test]
    public async Task A_listing_that_hangs_holds_up_no_other_provider_and_is_not_begun_twice()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "other", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("two") }, new ChangeOptions(), None));
        var (reconciler, store) = (Broker.Get<Reconciler>(), Broker.Get<IReconciliationStore>());
        await reconciler.LookAsync(None);
        Assert.That((await store.ListAsync(None)).Select(status => status.Last), Is.EqualTo(new ReconciliationReport?[] { null, null }), "not at once");
        Broker.Time.Advance(TimeSpan.FromMinutes(2));
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.List, ScriptedStep.Hangs(gate));
        await reconciler.LookAsync(None);
        await gate.Reached;
        await Until(() => reconciler.Running == 1, "the other is done");
        Broker.Time.Advance(TimeSpan.FromMinutes(30));
        await reconciler.LookAsync(None);
        await Until(() => reconciler.Running == 1, "the other is done again");
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.List), Is.EqualTo(1));
        Assert.That(Broker.Scripted.Target("two").Calls.Count(ScriptedOperation.List), Is.EqualTo(2));
        gate.Open();
        await Until(() => reconciler.Running == 0, "it returns");
        Assert.That((await store.ListAsync(None)).Count(status => status.Last is { Complete: true }), Is.EqualTo(1), "it ran out of its time");
        await reconciler.LookAsync(None);
        Assert.That(reconciler.Current.Select(one => one.Provider), Is.EquivalentTo(new[] { "db", "other" }));
    }

    [Test]
    public async Task Only_those_who_may_see_it_and_what_cannot_list_says_so()
    {
        var service = Broker.Get<ReconciliationService>();
        var (agent, root) = (await Broker.CallerAsync(), await RootAsync());
        Assert.That(Refused(await service.GetAsync(agent, "db", None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await service.RunAsync(agent, "db", None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Refused(await service.RunAsync(agent, "absent", None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Ok(await service.GetAsync(root, "db", None)).Last, Is.Null);
        Assert.That(Ok(await service.RunAsync(root, "db", None)).Last!.Complete, Is.True);
        var mute = new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("mute", lists: false) };
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "mute", null, mute, new ChangeOptions(), None));
        Assert.That(Refused(await service.RunAsync(root, "mute", None)).Reason, Is.EqualTo(Reasons.StateConflict));
    }

    private async Task<ReconciliationReport> ReconcileAsync()
    {
        var catalog = await Broker.Get<Catalog>().RefreshAsync(None);
        return await Broker.Get<Reconciler>().RunNowAsync(catalog.Providers["db"], None) ?? throw new InvalidOperationException("It is being reconciled.");
    }

    private async Task SweepAsync()
    {
        var db = Broker.Get<Catalog>().Current.Providers["db"];
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, db.Spec with { Reconciliation = ReconciliationMode.Sweep }, new ChangeOptions(), None));
    }

    private string MarkOf(Uid lease) => Broker.Get<LeaseMarks>().Make(lease).ToString();

    private static LeaseMarks Marks(string installation, byte[] key) => new(new InstallationOptions { Id = installation, PublicUrl = "http://127.0.0.1:1", WrappingKey = key });

    private async Task<(Caller Agent, AgentTask Task, Uid Lease)> IssuedAsync()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        return (agent, task, Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id);
    }
}
