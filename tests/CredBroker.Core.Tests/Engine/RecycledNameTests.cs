using System.Collections.Immutable;
using System.Net;
using CredBroker.Core.Hooks;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>A name is recyclable, an id is not: whoever gets a name that somebody else had gets nothing else of theirs.</summary>
public sealed class RecycledNameTests : EngineTests
{
    private static readonly ChangeOptions Reuse = new() { ReuseName = true };

    private static CancellationToken None => CancellationToken.None;

    // Nothing here may permit what ownership alone should, and nothing speaks of names.
    [SetUp]
    public async Task PermitOnlyWhatOwnersNeed() =>
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null,
            new PolicySetSpec { Text = "permit (principal is Workload, action in [Action::\"createTask\", Action::\"issue\"], resource);" }, new ChangeOptions(), None));

    [Test]
    public async Task A_provider_of_a_deleted_ones_name_inherits_nothing()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var old = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Assert.That(Refused(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.HasLiveLeases));
        Assert.That(Refused(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.StateConflict));
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions { Force = true }, None));
        Assert.That((await Broker.LeaseAsync(old.Id)).Effective.Live, Is.False, "it died with its provider");

        var spec = new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("two") };
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, spec, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        var reused = Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, spec, Reuse, None));
        Assert.That(reused.Uid, Is.Not.EqualTo(old.Gates.Provider.Uid));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.Not.Empty, "the roles are gone too");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), None));
        var fresh = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Assert.That(await Broker.Get<IRegistryStore>().CountersAsync([$"provider:{reused.Uid}"], None), Is.EqualTo(new[] { 1L }), "what the other held is not counted here");

        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(old.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), "it is revoked at its own target, though its provider is deleted");
        Assert.That(Broker.Target.Credentials, Is.Empty);
        Assert.That((await Broker.LeaseAsync(fresh.Id)).Effective.Live, Is.True);
    }

    [Test]
    public async Task Who_administers_a_deleted_providers_name_writes_off_nothing_of_the_deleted_one()
    {
        var policy = new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = "permit (principal, action == Action::\"administerProvider\", resource == Provider::\"db\");" };
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "admins", null, policy, new ChangeOptions(), None));
        var person = await Broker.CallerAsync("admin");
        var administrator = person with { Identity = person.Identity with { OperatorOwned = true } };
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var (own, old) = (Ok(await Broker.IssueAsync(agent, task)).Lease.Lease, Ok(await Broker.IssueAsync(agent, task)).Lease.Lease);
        var leases = Broker.Get<LeaseService>();
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, ScriptedStep.Fails(Abstractions.ProviderFault.Unreachable));
        Ok(await leases.RevokeAsync(agent, null, own.Id, None));
        Ok(await leases.WriteOffAsync(administrator, own.Id, "the disk burned", None));

        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions { Force = true }, None));
        // The name is given again only where no policy speaks of it: whoever administers the new one is said so afterwards.
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "admins", null, new ChangeOptions(), None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("two") }, Reuse, None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "new-admins", null, policy, new ChangeOptions(), None));
        await Broker.LookAsync();
        Assert.That(Refused(await leases.WriteOffAsync(administrator, old.Id, "trust me", None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That((await Broker.LeaseAsync(old.Id)).Lease.State, Is.EqualTo(LeaseState.Revoking));
        Ok(await leases.WriteOffAsync(await RootAsync(), old.Id, "the disk burned", None));
    }

    [Test]
    public async Task An_identity_source_of_a_deleted_ones_name_vouches_for_nobody_that_was_known()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(await RootAsync(), new SuspendCommand("identitySources/ci", "it was sold", MostLeases: 1), None));
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, new ChangeOptions(), None));
        var spec = new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://evil.example", JwksUri = "https://evil.example/jwks", StableIdClaims = ["id"] } };
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, spec, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        var reused = Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, spec, Reuse, None));

        var twin = await AsAsync(agent, identity => identity with { SourceUid = reused.Uid });
        Assert.That((twin.Workload.Name, twin.Workload.Uid == agent.Workload.Uid), Is.EqualTo((agent.Workload.Name, false)), "the same name, somebody else");
        await AssertHasNoPartInAsync(twin, task, lease);
        // The suspension was the other's.
        Ok(await Broker.IssueAsync(twin, await Broker.TaskAsync(twin)));
    }

    [Test]
    public async Task A_subject_with_other_stable_ids_is_refused_and_once_accepted_inherits_nothing()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        var directory = Broker.Get<CallerDirectory>();
        var thief = agent.Identity with { StableIds = ImmutableSortedDictionary<string, string>.Empty.Add("id", "other"), TokenHash = "thief" };
        Assert.That(Refused(await directory.IdentifyAsync(thief, IPAddress.Loopback, None)).Reason, Is.EqualTo(Reasons.SubjectRecycled));
        var workloads = Broker.Get<WorkloadService>();
        Assert.That(Refused(await workloads.AcceptAsync(agent, agent.Workload.Uid, None)).Reason, Is.EqualTo(Reasons.PermissionDenied), "nobody accepts himself");
        Assert.That(Refused(await directory.IdentifyAsync(thief, IPAddress.Loopback, None)).Reason, Is.EqualTo(Reasons.SubjectRecycled));

        var root = await RootAsync();
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(root, new SuspendCommand($"workloads/{agent.Workload.Uid}", "it leaks"), None));
        Ok(await workloads.AcceptAsync(root, agent.Workload.Uid, None));
        var accepted = Ok(await directory.IdentifyAsync(thief, IPAddress.Loopback, None));
        Assert.That(accepted.Workload.Uid, Is.Not.EqualTo(agent.Workload.Uid));
        await AssertHasNoPartInAsync(accepted, task, lease);
        // The suspension was the other's.
        Ok(await Broker.IssueAsync(accepted, await Broker.TaskAsync(accepted)));
        Assert.That(Refused(await directory.IdentifyAsync(agent.Identity, IPAddress.Loopback, None)).Reason, Is.EqualTo(Reasons.SubjectRecycled), "now the first is the stranger");
    }

    [TestCase("permit (principal in IdentitySource::\"ci\", action == Action::\"issue\", resource);")]
    [TestCase("permit (principal == Workload::\"ci/agent\", action == Action::\"issue\", resource);")]
    [TestCase("permit (principal is Workload in Team::\"ci/blue\", action == Action::\"issue\", resource);")]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { principal.source == IdentitySource::\"ci\" };")]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { principal in [IdentitySource::\"ci\"] };")]
    [TestCase("permit (principal, action == Action::\"issue\", resource) unless { !(principal.hasTag(\"ci/ref\")) };")]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { if context.attested.hasTag(\"ci/ref\") then context.attested.getTag(\"ci/ref\") == \"main\" else false };")]
    [TestCase("forbid (principal in IdentitySource::\"ci\", action == Action::\"issue\", resource);")]
    [TestCase("permit (principal, action == Action::\"issue\", resource);", "ci")]
    public async Task A_deleted_sources_name_is_not_used_again_while_policies_speak_of_it(string text, string scope = "")
    {
        await CreateAsync(ResourceTypes.PolicySet, "speaks", null, new PolicySetSpec { Text = text, IdentitySources = scope.Length == 0 ? [] : [scope] });
        await DeleteAsync(ResourceTypes.IdentitySource, "ci");
        var spec = new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://evil.example", JwksUri = "https://evil.example/jwks" } };
        foreach (var options in new[] { Reuse, Reuse with { ValidateOnly = true } })
        {
            var refused = Refused(await Resources.CreateAsync(RegistryAuthor.Of(await RootAsync()), ResourceTypes.IdentitySource, "ci", null, spec, options, None));
            Assert.That((refused.Reason, refused.Metadata["mentioned_by"]), Is.EqualTo((Reasons.NameInPolicies, "policySets/speaks")), "not even by root");
        }

        // A name that only looks like it is another's.
        await CreateAsync(ResourceTypes.IdentitySource, "ci2", null, spec);
        await DeleteAsync(ResourceTypes.IdentitySource, "ci2");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci2", null, spec with { Oidc = spec.Oidc with { Issuer = "https://two.example" } }, Reuse, None));
        await DeleteAsync(ResourceTypes.PolicySet, "speaks");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, spec, Reuse, None));
    }

    [TestCase("permit (principal, action == Action::\"issue\", resource in Provider::\"db\");", true)]
    [TestCase("permit (principal, action == Action::\"issue\", resource == Role::\"db/read\");", true)]
    [TestCase("permit (principal, action == Action::\"issue\", resource == Role::\"db/other\");", true)]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { context.target.provider == \"db\" };", true)]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { context.target.provider like \"d*\" };", true)]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { resource.provider == Provider::\"db\" };", true)]
    [TestCase("permit (principal, action == Action::\"issue\", resource == Role::\"db-two/read\");", false)]
    [TestCase("permit (principal, action == Action::\"issue\", resource) when { context.target.provider like \"x*\" };", false)]
    public async Task A_deleted_providers_name_is_not_used_again_while_policies_speak_of_it(string text, bool speaks)
    {
        await CreateAsync(ResourceTypes.PolicySet, "speaks", null, new PolicySetSpec { Text = text });
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions { Force = true }, None));
        var spec = new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("two") };
        var again = await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, spec, Reuse, None);
        if (!speaks) Ok(again);
        else Assert.That(Refused(again).Metadata["mentioned_by"], Is.EqualTo("policySets/speaks"));
    }

    [Test]
    public async Task A_deleted_roles_name_is_not_used_again_while_policies_speak_of_it()
    {
        var spec = new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() };
        await CreateAsync(ResourceTypes.PolicySet, "one-role", null, new PolicySetSpec { Text = "permit (principal, action == Action::\"issue\", resource == Role::\"db/read\");" });
        await CreateAsync(ResourceTypes.PolicySet, "all-roles", null, new PolicySetSpec { Text = "permit (principal, action == Action::\"issue\", resource in Provider::\"db\");" });
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new ChangeOptions(), None));
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", spec, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        var refused = Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", spec, Reuse, None));
        Assert.That((refused.Reason, refused.Metadata["mentioned_by"]), Is.EqualTo((Reasons.NameInPolicies, "policySets/one-role")), "what speaks of all roles is meant for new ones too");
        await DeleteAsync(ResourceTypes.PolicySet, "one-role");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", spec, Reuse, None));
    }

    [Test]
    public async Task A_source_of_a_deleted_ones_name_is_not_bound_to_its_hooks()
    {
        await CreateAsync(ResourceTypes.Hook, "scheduler", null, HookOf("ci"));
        await DeleteAsync(ResourceTypes.IdentitySource, "ci");
        var spec = new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://evil.example", JwksUri = "https://evil.example/jwks" } };
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, spec, Reuse, None)).Metadata["mentioned_by"], Is.EqualTo("hooks/scheduler"));
    }

    [Test]
    public async Task A_hook_of_a_deleted_ones_name_inherits_no_right_and_remembers_no_delivery()
    {
        await CreateAsync(ResourceTypes.PolicySet, "speaks", null, new PolicySetSpec { Text = "permit (principal == Hook::\"scheduler\", action == Action::\"endTask\", resource);" });
        await CreateAsync(ResourceTypes.Hook, "scheduler", null, HookOf("ci"));
        var agent = await Broker.CallerAsync();
        var (one, two) = (await Broker.TaskAsync(agent), await Broker.TaskAsync(agent));
        Ok(await SignalAsync(one, "m-1"));
        await DeleteAsync(ResourceTypes.Hook, "scheduler");
        Assert.That(Broker.Get<HookService>().Find("scheduler"), Is.Null, "nothing signals under a deleted name");
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "scheduler", null, HookOf("ci"), new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "scheduler", null, HookOf("ci"), Reuse, None)).Reason, Is.EqualTo(Reasons.NameInPolicies));
        await DeleteAsync(ResourceTypes.PolicySet, "speaks");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, "scheduler", null, HookOf("ci"), Reuse, None));
        Assert.That(Refused(await SignalAsync(two, "m-2")).Reason, Is.EqualTo(Reasons.PolicyDenied));

        await CreateAsync(ResourceTypes.PolicySet, "anew", null, new PolicySetSpec { Text = "permit (principal == Hook::\"scheduler\", action == Action::\"endTask\", resource);" });
        Assert.That(Ok(await SignalAsync(two, "m-1")).Id, Is.EqualTo(two.Id), "the delivery of the other hook was another's");
    }

    [Test]
    public async Task A_set_of_a_deleted_ones_name_is_what_it_says_and_nobody_may_more_about_it_than_was_said_of_it()
    {
        var administrator = await Broker.CallerAsync("administrator");
        administrator = administrator with { Identity = administrator.Identity with { OperatorOwned = true } };
        await CreateAsync(ResourceTypes.PolicySet, "speaks", null,
            new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = "permit (principal == Workload::\"ci/administrator\", action == Action::\"administerPolicySet\", resource == PolicySet::\"team\");" });
        await CreateAsync(ResourceTypes.PolicySet, "team", null, new PolicySetSpec { Text = "permit (principal, action == Action::\"audit\", resource);" });
        var first = Broker.Get<Catalog>().Current.Find(ResourceKind.PolicySet, "team")!;
        Assert.That(Broker.Get<Decider>().MaySeeAll(await Broker.CallerAsync()), Is.True);
        await DeleteAsync(ResourceTypes.PolicySet, "team");
        Assert.That(Broker.Get<Decider>().MaySeeAll(await Broker.CallerAsync()), Is.False, "a deleted set permits nothing");

        var empty = new PolicySetSpec { Text = "" };
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Of(administrator), ResourceTypes.PolicySet, "team", null, empty, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Of(administrator), ResourceTypes.PolicySet, "team", null, empty, Reuse, None)).Reason, Is.EqualTo(Reasons.NameInPolicies));
        await DeleteAsync(ResourceTypes.PolicySet, "speaks");
        var reused = Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "team", null, empty, Reuse, None));
        Assert.That((reused.Uid == first.Uid, reused.Entry.Version), Is.EqualTo((false, 1L)));
        Assert.That(Broker.Get<Decider>().MaySeeAll(await Broker.CallerAsync()), Is.False, "it permits what it says itself");
        Assert.That(Refused(await Resources.UpdateAsync(RegistryAuthor.Of(administrator), ResourceTypes.PolicySet, "team", null, empty, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Refused(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "team", null, empty, new ChangeOptions { ExpectedVersion = first.Version + 5 }, None)).Reason, Is.EqualTo(Reasons.EtagMismatch));
    }

    private static HookSpec HookOf(string source) => new() { IdentitySources = [source], PublicKeys = ["whpk_" + Convert.ToBase64String(new byte[32])] };

    private Task<Result<AgentTask>> SignalAsync(AgentTask task, string id)
    {
        var hooks = Broker.Get<HookService>();
        return hooks.HandleAsync(hooks.Find("scheduler")!, new HookSignal(id, Broker.Time.Now(), task.Id, new Dictionary<string, string>(), TaskOutcome.Succeeded), IPAddress.Loopback, None);
    }

    private async Task CreateAsync<TSpec>(ResourceType<TSpec> type, string name, string? parent, TSpec spec)
        where TSpec : class => Ok(await Resources.CreateAsync(RegistryAuthor.Operator, type, name, parent, spec, new ChangeOptions(), None));

    private async Task DeleteAsync<TSpec>(ResourceType<TSpec> type, string name)
        where TSpec : class => Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, type, name, null, new ChangeOptions(), None));

    private async Task<Caller> AsAsync(Caller caller, Func<AttestedIdentity, AttestedIdentity> change) =>
        Ok(await Broker.Get<CallerDirectory>().IdentifyAsync(change(caller.Identity) with { TokenHash = "changed" }, IPAddress.Loopback, None));

    private async Task AssertHasNoPartInAsync(Caller caller, AgentTask task, Lease lease)
    {
        var tasks = Broker.Get<TaskService>();
        var leases = Broker.Get<LeaseService>();
        Assert.That(Refused(await tasks.GetAsync(caller, task.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await tasks.EndAsync(caller, task.Id, TaskOutcome.Failed, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await tasks.HeartbeatAsync(caller, task.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await Broker.IssueAsync(caller, task)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await leases.GetAsync(caller, null, lease.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await leases.RevokeAsync(caller, null, lease.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That((await tasks.ListAsync(caller, new TaskQuery(), new PageRequest(10, null), None)).Items, Is.Empty);
    }
}
