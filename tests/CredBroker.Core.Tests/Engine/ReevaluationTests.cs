using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What lives is decided again when policies, attributes or tasks change; never is it killed by what fails.</summary>
public sealed class ReevaluationTests : EngineTests
{
    private const string Tasks = "permit (principal, action in [Action::\"createTask\", Action::\"delegate\"], resource);\n";
    private const string All = Tasks + "@id(\"all\") permit (principal, action in [Action::\"issue\", Action::\"renew\"], resource);\n";

    /// <summary>Overflows for every request about a root task.</summary>
    private const string Failing = "@id(\"fails\") forbid (principal, action == Action::\"issue\", resource) when { context.task.depth + 9223372036854775807 + 1 > 0 };\n";

    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task Ends_what_the_new_policies_do_not_permit_with_the_decision_as_its_reason()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var read = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        var two = Ok(await Broker.IssueAsync(agent, task, "two-steps")).Lease.Lease;
        await PolicyAsync(All + "@id(\"no-reads\") forbid (principal, action == Action::\"issue\", resource == Role::\"db/read\");");
        Assert.That((await Broker.LeaseAsync(read.Id)).Effective.Live, Is.True, "changes that belong together come within the delay");
        await ReevaluateAsync();
        var ended = (await Broker.LeaseAsync(read.Id)).Lease;
        Assert.That((ended.State, ended.EndReason), Is.EqualTo((LeaseState.Revoking, (EndReason?)EndReason.NoLongerPermitted)));
        Assert.That((await Broker.LeaseAsync(two.Id)).Effective.Live, Is.True);

        var decision = Ok(await Broker.Get<AuditService>().GetDecisionAsync(await RootAsync(), ended.EndDecisionId!.Value, None)).Draft;
        Assert.That((decision.LeaseId, decision.Detail["policies"]!.ToJsonString(), (string?)decision.Detail["reevaluation"]), Is.EqualTo((read.Id, "[\"agents/no-reads\"]", "policySets")));
        var revoking = (await EventsAsync(AuditTypes.LeaseRevoking)).Single().Draft;
        Assert.That((revoking.LeaseId, revoking.DecisionId, (string?)revoking.Detail["reason"]), Is.EqualTo((read.Id, ended.EndDecisionId, "NoLongerPermitted")));
        var summary = (await EventsAsync(AuditTypes.PolicyReevaluated))[^1].Draft.Detail;
        Assert.That(((long)summary["examined"]!, (long)summary["revoked"]!, (long)summary["unclear"]!), Is.EqualTo((2L, 1L, 0L)));

        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(read.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        var receipt = Ok(await Broker.Get<Receipts.ReceiptService>().GetAsync(agent, task.Id, null, None));
        Assert.That(receipt.Closed, Is.True);
        Assert.That(receipt.Entries.Single(entry => entry.Lease.Id == read.Id).Lease.EndDecisionId, Is.EqualTo(ended.EndDecisionId));
        Assert.That(receipt.Entries.Select(entry => entry.Lease.Asked), Is.All.Matches<LeaseAsked?>(asked => asked?.IsKnown == false), "what was asked is nobody's business in a receipt");
    }

    [Test]
    public async Task A_policy_that_fails_kills_nothing_and_is_told_once()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var leases = new List<Uid>();
        for (var i = 0; i < 3; i++) leases.Add(Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id);
        await PolicyAsync(All + Failing);
        await ReevaluateAsync();
        foreach (var lease in leases) Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True);
        var told = (await EventsAsync(AuditTypes.PolicyUnclear)).Single().Draft;
        Assert.That(told.Detail["errors"]!.ToJsonString(), Does.Contain("agents/fails"));
        Assert.That((long)(await EventsAsync(AuditTypes.PolicyReevaluated))[^1].Draft.Detail["unclear"]!, Is.EqualTo(3));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied), "what is new is denied by an error");

        // Not even where no permit is left: what failed might have been one. A forbid that applies is no error.
        await PolicyAsync(Tasks + Failing);
        await ReevaluateAsync();
        Assert.That((await Broker.LeaseAsync(leases[0])).Effective.Live, Is.True);
        await PolicyAsync(All + Failing + "forbid (principal, action == Action::\"issue\", resource);");
        await ReevaluateAsync();
        foreach (var lease in leases) Assert.That((await Broker.LeaseAsync(lease)).Lease.EndReason, Is.EqualTo(EndReason.NoLongerPermitted));
    }

    [Test]
    public async Task Attributes_count_as_the_last_token_of_the_same_run_proves_them()
    {
        await PolicyAsync(Tasks + "permit (principal, action == Action::\"issue\", resource) when { principal.hasTag(\"ci/ref\") && principal.getTag(\"ci/ref\") == \"main\" };");
        var first = await Broker.CallerAsync("agent", "run-1", ("ref", "main"));
        var task = await Broker.TaskAsync(first);
        var lease = Ok(await Broker.IssueAsync(first, task)).Lease.Lease.Id;
        await Broker.CallerAsync("agent", "run-2", ("ref", "feature"));
        await ReevaluateAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True, "another run's token says nothing of this one");
        await Broker.CallerAsync("agent", "run-1", ("ref", "feature"));
        await ReevaluateAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.EndReason, Is.EqualTo(EndReason.NoLongerPermitted));
    }

    [Test]
    public async Task What_is_held_below_a_task_dies_with_its_performers_permit()
    {
        await PolicyAsync(Tasks + "permit (principal, action == Action::\"actOnTask\", resource); permit (principal == Workload::\"ci/child\", action == Action::\"issue\", resource); permit (principal, action == Action::\"issue\", resource) when { principal.hasTag(\"ci/ref\") };");
        var parent = await Broker.CallerAsync("parent", "run-1", ("ref", "main"));
        var root = await Broker.TaskAsync(parent);
        var child = await Broker.CallerAsync("child", "run-9");
        var task = await Broker.TaskAsync(parent, root.Id, performer: ("ci", "child"));
        var lease = Ok(await Broker.IssueAsync(child, task)).Lease.Lease.Id;
        await Broker.CallerAsync("parent", "run-1");
        await ReevaluateAsync();
        var ended = (await Broker.LeaseAsync(lease)).Lease;
        Assert.That(ended.EndReason, Is.EqualTo(EndReason.NoLongerPermitted));
        var decision = Ok(await Broker.Get<AuditService>().GetDecisionAsync(await RootAsync(), ended.EndDecisionId!.Value, None)).Draft;
        Assert.That((string?)decision.Detail["principal"], Does.Contain("ci/parent"));
    }

    [Test]
    public async Task A_request_is_judged_as_it_was_made_and_by_what_is_now()
    {
        const string Conditions = """
            when { context.ttl <= duration("10m") && context.requestedTtl == duration("10m") && context.sourceIp.isLoopback() && context.counters.taskLeases == 0
                && context.now < datetime("2026-03-01T13:00:00Z") };
            """;
        await PolicyAsync(Tasks + "permit (principal, action == Action::\"issue\", resource) when { context has requestedTtl } " + Conditions);
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, ttl: TimeSpan.FromHours(5));
        var lease = Ok(await Broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(10))).Lease.Lease.Id;
        Broker.Time.Advance(TimeSpan.FromMinutes(5));
        await TouchAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True, "it is not counted against itself, and its wish is remembered");
        await PolicyAsync(Tasks + "permit (principal, action == Action::\"issue\", resource) when { context.now < datetime(\"2026-03-01T12:01:00Z\") };");
        await ReevaluateAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Lease.EndReason, Is.EqualTo(EndReason.NoLongerPermitted));
    }

    [Test]
    public async Task A_set_that_keeps_live_leases_decides_over_new_ones_alone()
    {
        await PolicyAsync(All, keep: true);
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id;
        await PolicyAsync(Tasks + "forbid (principal, action == Action::\"issue\", resource);", keep: true);
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied));
        await TouchAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True, "not even when another set changes");
        await PolicyAsync(Tasks);
        await ReevaluateAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.False, "until it keeps them no longer");
    }

    [Test]
    public async Task An_overdue_review_hinders_what_is_new_and_kills_nothing()
    {
        await PolicyAsync(All, reviewBy: Broker.Time.Now().AddMinutes(1));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id;
        Broker.Time.Advance(TimeSpan.FromMinutes(2));
        await TouchAsync();
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.True);
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied));
    }

    [Test]
    public async Task A_renewal_decided_under_earlier_policies_is_not_written()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(5))).Lease.Lease;
        // Another node changes them: this one has not heard of it when it decides.
        await BehindTheBackAsync(Tasks);
        Assert.That(Refused(await Broker.Get<Renewal>().RenewAsync(agent, task.Id, lease.Id, null, "", None)).Reason, Is.EqualTo(Reasons.PolicyDenied));
        var after = (await Broker.LeaseAsync(lease.Id)).Lease;
        Assert.That((after.PossibleDeathAt, Broker.Target.Calls.Count(ScriptedOperation.Renew)), Is.EqualTo((lease.PossibleDeathAt, 0)));
        await BehindTheBackAsync(All);
        await Broker.Get<Catalog>().RefreshAsync(None);
        Ok(await Broker.Get<Renewal>().RenewAsync(agent, task.Id, lease.Id, null, "", None));
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Renew), Is.EqualTo(1));
    }

    [Test]
    public async Task What_a_set_says_of_its_scope_review_and_leases_is_in_the_hash()
    {
        var hashes = new List<string>();
        foreach (var spec in new[]
        {
            new PolicySetSpec { Text = All }, new PolicySetSpec { Text = All, Actions = ["issue"] }, new PolicySetSpec { Text = All, Providers = ["db"] },
            new PolicySetSpec { Text = All, IdentitySources = ["ci"] }, new PolicySetSpec { Text = All, KeepLiveLeases = true }, new PolicySetSpec { Text = All, Kind = PolicySetKinds.Operator },
            new PolicySetSpec { Text = All, ReviewBy = Broker.Time.Now().AddDays(1) }, new PolicySetSpec { Text = All, ReviewBy = Broker.Time.Now().AddDays(2) },
        })
        {
            var entry = Broker.Get<Catalog>().Current.PolicySets.Single().Entry;
            hashes.Add(Broker.Get<PolicyCompiler>().Compile([new Registered<PolicySetSpec>(entry, spec)]).Hash);
            hashes.Add(Broker.Get<PolicyCompiler>().Compile([new Registered<PolicySetSpec>(entry with { Name = "other" }, spec)]).Hash);
        }

        Assert.That(hashes, Is.Unique);
        await Task.CompletedTask;
    }

    private async Task ReevaluateAsync() => await Broker.ReevaluateAsync();

    // A change of another set, which has no say in any of this.
    private async Task TouchAsync()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "touch-" + Uid.New(Broker.Time).ToString().ToLowerInvariant(), null,
            new PolicySetSpec { Text = "permit (principal == Workload::\"x/y\", action == Action::\"introspect\", resource);" }, new ChangeOptions(), None));
        await ReevaluateAsync();
    }

    private async Task PolicyAsync(string text, bool keep = false, DateTimeOffset? reviewBy = null) => Ok(await Resources.UpdateAsync(
        RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = text, KeepLiveLeases = keep, ReviewBy = reviewBy }, new ChangeOptions(), None));

    private async Task BehindTheBackAsync(string text)
    {
        var entry = (await Broker.Get<IRegistryStore>().LoadAsync(None)).Entries.Single(entry => entry.Kind == ResourceKind.PolicySet);
        var change = new RegistryChange(entry with { SpecJson = SpecJson.Write(new PolicySetSpec { Text = text }) }, entry.Version, Actor.Broker) { Audit = new AuditDraft(AuditTypes.ResourceUpdated, Actor.Broker) };
        Assert.That(await Broker.Get<IRegistryStore>().PutAsync(change, None), Is.InstanceOf<RegistryOutcome.Changed>());
    }

    private async Task<IReadOnlyList<AuditEvent>> EventsAsync(string type) =>
        (await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [type] }, new PageRequest(100, null), None)).Items;
}
