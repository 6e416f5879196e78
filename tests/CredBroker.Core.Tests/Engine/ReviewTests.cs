using System.Net;
using CredBroker.Core.Hooks;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>By what nobody has looked at in time nothing new comes. It never stands in the way of an end.</summary>
public sealed class ReviewTests : EngineTests
{
    private static CancellationToken None => CancellationToken.None;

    private DateTimeOffset Passed => Broker.Time.Now().AddSeconds(-1);

    [Test]
    public async Task Workloads_of_an_overdue_source_get_nothing_new_and_can_still_end_what_they_have()
    {
        var agent = await Broker.CallerAsync();
        var (task, other) = (await Broker.TaskAsync(agent), await Broker.TaskAsync(agent));
        var (lease, second) = (Ok(await Broker.IssueAsync(agent, task, ttl: TimeSpan.FromMinutes(5))).Lease.Lease, Ok(await Broker.IssueAsync(agent, other)).Lease.Lease);
        await SourceAsync(Passed);
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ReviewOverdue));
        Assert.That(Refused(await CreateAsync(agent)).Reason, Is.EqualTo(Reasons.ReviewOverdue));
        Assert.That(Refused(await CreateAsync(agent, task.Id)).Reason, Is.EqualTo(Reasons.ReviewOverdue));
        Assert.That(Refused(await Broker.Get<Renewal>().RenewAsync(agent, task.Id, lease.Id, null, "", None)).Reason, Is.EqualTo(Reasons.ReviewOverdue));

        Assert.That((await Broker.LeaseAsync(lease.Id)).Effective.Live, Is.True, "what it has lives on");
        Ok(await Broker.Get<LeaseService>().RevokeAsync(agent, null, lease.Id, None));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, other.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(second.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));

        await SourceAsync(Broker.Time.Now().AddDays(1));
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task A_performer_of_an_overdue_source_is_not_named_and_nobody_gets_more_below_a_task_of_one()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "mesh", null, Mesh(Passed), new ChangeOptions(), None));
        var agent = await Broker.CallerAsync();
        Assert.That(Refused(await CreateAsync(agent, performer: ("mesh", "worker"))).Reason, Is.EqualTo(Reasons.ReviewOverdue));

        var mesh = Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "mesh", null, Mesh(null), new ChangeOptions(), None));
        var root = Ok(await CreateAsync(agent, performer: ("mesh", "worker")));
        var identity = agent.Identity with { SourceUid = mesh.Uid, SourceName = "mesh", Subject = "worker", TokenHash = "worker" };
        var worker = Ok(await Broker.Get<CallerDirectory>().IdentifyAsync(identity, IPAddress.Loopback, None));
        await PolicyAsync("permit (principal, action in [Action::\"createTask\", Action::\"delegate\", Action::\"issue\"], resource);", null);
        var child = Ok(await CreateAsync(worker, root.Id, ("ci", "agent")));
        Ok(await Broker.IssueAsync(agent, child));
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "mesh", null, Mesh(Passed), new ChangeOptions(), None));
        Assert.That(Refused(await Broker.IssueAsync(agent, child)).Reason, Is.EqualTo(Reasons.ReviewOverdue), "the task above could not get it itself");
    }

    [Test]
    public async Task An_overdue_sets_permits_grant_nothing_new_and_its_forbids_stay()
    {
        const string Text = """
            permit (principal, action in [Action::"createTask", Action::"issue", Action::"renew", Action::"actOnTask"], resource);
            forbid (principal, action == Action::"issue", resource == Role::"db/two-steps");
            """;
        await PolicyAsync(Text, null);
        var agent = await Broker.CallerAsync();
        var byName = await Broker.CallerAsync("nameless", instance: null);
        var (task, theirs) = (await Broker.TaskAsync(agent), await Broker.TaskAsync(byName, heartbeat: TimeSpan.FromMinutes(1)));
        await PolicyAsync(Text, Passed);
        var denied = Refused(await Broker.IssueAsync(agent, task));
        Assert.That(denied.Reason, Is.EqualTo(Reasons.PolicyDenied), "it says no more than any denial");
        var decision = Ok(await Broker.Get<Audit.AuditService>().GetDecisionAsync(await RootAsync(), Abstractions.Uid.Parse(denied.Metadata["decision"].Split('/')[1]), None));
        Assert.That(decision.Draft.Detail["input"]!["review_overdue"]!.ToJsonString(), Is.EqualTo("[\"policySets/agents\"]"), "who audits sees why");
        Assert.That(Refused(await CreateAsync(agent)).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Ok(await Broker.Get<TaskService>().HeartbeatAsync(byName, theirs.Id, None));

        // Another set's permit counts, and the forbid of the overdue one too.
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "fresh", null,
            new PolicySetSpec { Text = "permit (principal, action == Action::\"issue\", resource);", ReviewBy = Broker.Time.Now().AddMinutes(1) }, new ChangeOptions(), None));
        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Refused(await Broker.IssueAsync(agent, task, "two-steps")).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied), "the time passes without any change of the registry");
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
    }

    [Test]
    public async Task An_overdue_hook_still_ends_and_so_does_what_an_overdue_set_lets_it()
    {
        await PolicyAsync("permit (principal, action, resource);", Passed);
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "opens", null,
            new PolicySetSpec { Text = "permit (principal, action == Action::\"createTask\", resource);" }, new ChangeOptions(), None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "scheduler", null,
            new HookSpec { IdentitySources = ["ci"], PublicKeys = ["whpk_" + Convert.ToBase64String(new byte[32])], ReviewBy = Passed }, new ChangeOptions(), None));
        await SourceAsync(Passed.AddDays(1));
        var task = await Broker.TaskAsync(await Broker.CallerAsync());
        await SourceAsync(Passed);
        var hooks = Broker.Get<HookService>();
        var signal = new HookSignal("m-1", Broker.Time.Now(), task.Id, new Dictionary<string, string>(), TaskOutcome.Cancelled);
        Assert.That(Ok(await hooks.HandleAsync(hooks.Find("scheduler")!, signal, IPAddress.Loopback, None)).EndedAt, Is.Not.Null);
    }

    [Test]
    public async Task What_is_overdue_can_be_reviewed_by_administrators_of_an_overdue_source_under_an_overdue_set()
    {
        var root = await RootAsync();
        var administrator = await Broker.CallerAsync("administrator");
        administrator = administrator with { Identity = administrator.Identity with { OperatorOwned = true } };
        await PolicyAsync("permit (principal == Workload::\"ci/administrator\", action in Action::\"administer\", resource);", Passed, PolicySetKinds.Operator);
        await SourceAsync(Passed);
        Assert.That(Broker.Get<RegistryService>().Refusal(RegistryAuthor.Of(administrator), ResourceTypes.PolicySet, "agents", null), Is.Null);
        Assert.That(Broker.Get<RegistryService>().Refusal(RegistryAuthor.Of(root), ResourceTypes.PolicySet, "agents", null), Is.Null);
    }

    [Test]
    public async Task An_overdue_provider_or_role_issues_nothing_and_ends_everything([Values] bool provider)
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        if (provider)
            Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("one"), ReviewBy = Passed }, new ChangeOptions(), None));
        else
            Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template(), ReviewBy = Passed }, new ChangeOptions(), None));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ReviewOverdue));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    private Task<Result<AgentTask>> CreateAsync(Caller caller, Abstractions.Uid? parent = null, (string, string)? performer = null) => Broker.Get<TaskService>().CreateAsync(
        new CreateTaskCommand { Caller = caller, Intent = new Intent("a", "", "", new Dictionary<string, string>()), Parent = parent, Performer = performer }, None);

    private async Task SourceAsync(DateTimeOffset reviewBy) => Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null,
        new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://ci.example", JwksUri = "https://ci.example/jwks", StableIdClaims = ["id"] }, ReviewBy = reviewBy }, new ChangeOptions(), None));

    private async Task PolicyAsync(string text, DateTimeOffset? reviewBy, string kind = PolicySetKinds.Scoped) => Ok(await Resources.UpdateAsync(
        RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Kind = kind, Text = text, ReviewBy = reviewBy }, new ChangeOptions(), None));

    private static IdentitySourceSpec Mesh(DateTimeOffset? reviewBy) =>
        new() { Oidc = new OidcSpec { Issuer = "https://mesh.example", JwksUri = "https://mesh.example/jwks", StableIdClaims = ["id"] }, ReviewBy = reviewBy };
}
