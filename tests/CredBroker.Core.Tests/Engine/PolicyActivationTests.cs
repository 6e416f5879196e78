using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Policies;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What is seen before policies change, who may change which, and what a caller could get.</summary>
public sealed class PolicyActivationTests : EngineTests
{
    private const string Tasks = "permit (principal, action in [Action::\"createTask\", Action::\"delegate\", Action::\"actOnTask\"], resource);\n";
    private const string All = Tasks + "@id(\"all\") permit (principal, action in [Action::\"issue\", Action::\"renew\"], resource);\n";
    private const string NoReads = All + "@id(\"no-reads\") forbid (principal, action == Action::\"issue\", resource == Role::\"db/read\");\n";

    private static CancellationToken None => CancellationToken.None;

    protected override BrokerLimits Limits => new() { UnconfirmedRevocations = 2 };

    [Test]
    public async Task A_change_that_ends_many_is_made_only_by_who_names_their_number()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 3; i++) Ok(await Broker.IssueAsync(agent, task));
        Ok(await Broker.IssueAsync(agent, task, "two-steps"));
        var before = Broker.Get<Catalog>().Current.Policies.Hash;

        var preview = await Broker.Get<PolicyActivation>().PreviewAsync(Broker.Get<Catalog>().Current, "agents", new PolicySetSpec { Text = NoReads }, None);
        Assert.That((preview.Examined, preview.Revoked, preview.Unclear, preview.IsComplete, preview.Leases.Count), Is.EqualTo((4, 3, 0, true, 3)));
        foreach (var options in new[] { new ChangeOptions(), new ChangeOptions { ExpectedRevocations = 1 }, new ChangeOptions { ValidateOnly = true } })
        {
            var refused = Refused(await UpdateAsync(NoReads, options));
            Assert.That((refused.Reason, refused.Metadata["would_revoke"]), Is.EqualTo((Reasons.LiveLeasesWouldDie, "3")));
        }

        Assert.That(Refused(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new ChangeOptions(), None)).Metadata["would_revoke"], Is.EqualTo("4"));
        Assert.That((await Broker.Get<Catalog>().RefreshAsync(None)).Policies.Hash, Is.EqualTo(before), "what was in force stays so");
        var folder = RegistryAuthor.Folder("manifests", "00");
        Assert.That(Refused(await Resources.CreateAsync(folder, ResourceTypes.PolicySet, "ceiling", null, new PolicySetSpec { Kind = PolicySetKinds.Ceiling, Text = "forbid (principal, action, resource);" }, new ChangeOptions(), None)).Reason,
            Is.EqualTo(Reasons.LiveLeasesWouldDie), "a folder asks nobody");

        Ok(await UpdateAsync(All + "forbid (principal, action == Action::\"issue\", resource == Role::\"db/two-steps\");", new ChangeOptions()));
        Ok(await UpdateAsync(NoReads, new ChangeOptions { ExpectedRevocations = 3 }));
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = Tasks, KeepLiveLeases = true }, new ChangeOptions(), None));
    }

    [Test]
    public async Task Nobody_locks_out_its_own_way_back_but_the_root()
    {
        var administrator = await AdministratorAsync();
        const string Mine = "@id(\"mine\") permit (principal == Workload::\"ci/administrator\", action in Action::\"administer\", resource);";
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "operators", null, new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = Mine }, new ChangeOptions(), None));
        var author = RegistryAuthor.Of(administrator);
        Ok(await Resources.CreateAsync(author, ResourceTypes.PolicySet, "kept", null, new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = Mine }, new ChangeOptions(), None));
        var refused = Refused(await Resources.CreateAsync(author, ResourceTypes.PolicySet, "ceiling", null,
            new PolicySetSpec { Kind = PolicySetKinds.Ceiling, Text = "forbid (principal, action in Action::\"administer\", resource);" }, new ChangeOptions(), None));
        Assert.That(refused.Reason, Is.EqualTo(Reasons.StateConflict));
        var root = RegistryAuthor.Of(await RootAsync());
        Ok(await Resources.CreateAsync(root, ResourceTypes.PolicySet, "ceiling", null, new PolicySetSpec { Kind = PolicySetKinds.Ceiling, Text = "forbid (principal, action in Action::\"administer\", resource);" }, new ChangeOptions(), None));
        Assert.That(Refused(await Resources.DeleteAsync(author, ResourceTypes.PolicySet, "ceiling", null, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Ok(await Resources.DeleteAsync(root, ResourceTypes.PolicySet, "ceiling", null, new ChangeOptions(), None));
        Ok(await Resources.DeleteAsync(author, ResourceTypes.PolicySet, "kept", null, new ChangeOptions(), None));
    }

    [Test]
    public async Task Who_may_keep_scoped_sets_alone_makes_no_other_kind_of_any()
    {
        var author = RegistryAuthor.Of(await AdministratorAsync());
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "operators", null, new PolicySetSpec
        {
            Kind = PolicySetKinds.Operator,
            Text = "permit (principal == Workload::\"ci/administrator\", action == Action::\"administerPolicySet\", resource) when { resource.kind == \"scoped\" };",
        }, new ChangeOptions(), None));
        var everything = new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = "permit (principal, action, resource);" };
        Ok(await Resources.CreateAsync(author, ResourceTypes.PolicySet, "mine", null, new PolicySetSpec { Text = All }, new ChangeOptions(), None));
        Assert.That(Refused(await Resources.CreateAsync(author, ResourceTypes.PolicySet, "more", null, everything, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Refused(await Resources.UpdateAsync(author, ResourceTypes.PolicySet, "mine", null, everything, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Refused(await Resources.UpdateAsync(author, ResourceTypes.PolicySet, "operators", null, new PolicySetSpec { Text = All }, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Refused(await Resources.UpdateAsync(RegistryAuthor.Of(await RootAsync()), ResourceTypes.PolicySet, "mine", null, everything, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.StateConflict), "a set keeps its kind");
    }

    [Test]
    public async Task A_scoped_set_has_no_say_beyond_its_scope_whatever_it_says()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "other", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("two") }, new ChangeOptions(), None));
        Ok(await UpdateAsync(Tasks, new ChangeOptions()));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "elsewhere", null, new PolicySetSpec { Providers = ["other"], Text = "permit (principal, action, resource);" }, new ChangeOptions(), None));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Assert.That(Broker.Get<Decider>().MaySeeAll(agent), Is.False);
        Assert.That(Broker.Get<Decider>().Administer(await AdministratorAsync(), "suspend", BrokerEntities.Provider("other"))!.Allowed, Is.False);
    }

    [Test]
    public async Task What_only_lacks_an_approval_says_so_and_tells_a_stranger_nothing()
    {
        const string Approval = "@id(\"approve\") @require_approval(\"on-call\") forbid (principal, action == Action::\"issue\", resource == Role::\"db/read\");\n";
        Ok(await UpdateAsync(All + Approval, new ChangeOptions()));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var refused = Refused(await Broker.IssueAsync(agent, task));
        Assert.That(refused.Reason, Is.EqualTo(Reasons.ApprovalRequired));
        var decision = Ok(await Broker.Get<AuditService>().GetDecisionAsync(await RootAsync(), Uid.Parse(refused.Metadata["decision"].Split('/')[1]), None)).Draft.Detail;
        Assert.That(((bool)decision["approval_required"]!, decision["policies"]!.ToJsonString()), Is.EqualTo((true, "[\"agents/approve\"]")));
        Ok(await Broker.IssueAsync(agent, task, "two-steps"));
        Assert.That(Refused(await Broker.IssueAsync(agent, task, "absent")).Reason, Is.EqualTo(Reasons.PolicyDenied));

        // Another forbid, no permit, or a failure: then an approval would not help, and nothing is said of one.
        Ok(await UpdateAsync(All + Approval + "forbid (principal, action == Action::\"issue\", resource) when { context.ttl > duration(\"1s\") };", new ChangeOptions()));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Ok(await UpdateAsync(Tasks + Approval, new ChangeOptions()));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.PolicyDenied));

        // A task above that is refused outright refuses outright.
        Ok(await UpdateAsync(All + Approval + "forbid (principal == Workload::\"ci/parent\", action == Action::\"issue\", resource);", new ChangeOptions()));
        var parent = await Broker.CallerAsync("parent");
        var child = await Broker.TaskAsync(parent, (await Broker.TaskAsync(parent)).Id, performer: ("ci", "agent"));
        Assert.That(Refused(await Broker.IssueAsync(agent, child)).Reason, Is.EqualTo(Reasons.PolicyDenied));
    }

    [Test]
    public async Task Shows_the_roles_a_caller_could_get_and_no_name_of_any_other()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "tables", "db", new RoleSpec
        {
            Kind = "scripted",
            Template = ScriptedRoleKind.Template(),
            Parameters = [new RoleParameter { Name = "table", Required = true }],
        }, new ChangeOptions(), None));
        Ok(await UpdateAsync("""
            @id("reads") permit (principal == Workload::"ci/agent", action == Action::"issue", resource == Role::"db/read");
            @id("tables") permit (principal == Workload::"ci/agent", action == Action::"issue", resource == Role::"db/tables") when { context.params.hasTag("table") && context.params.getTag("table") == "orders" };
            @id("short") permit (principal == Workload::"ci/brief", action == Action::"issue", resource == Role::"db/read") when { context.ttl <= duration("5m") };
            """, new ChangeOptions()));
        Assert.That(await MineAsync("agent"), Is.EqualTo(new[] { "read: True", "tables: False" }));
        Assert.That(await MineAsync("brief"), Is.EqualTo(new[] { "read: False" }));
        Assert.That(await MineAsync("stranger"), Is.Empty);
        var roles = Broker.Get<ObtainableRoles>();
        var agent = await Broker.CallerAsync();
        Assert.That(roles.List(agent, new PageRequest(10, null)).Items.SelectMany(role => role.Policies), Is.Empty, "policies' names are for auditors");
        var auditor = agent with { IsRoot = true };
        Assert.That(roles.List(auditor, new PageRequest(10, null)).Items.SelectMany(role => role.Policies), Is.EqualTo(new[] { "agents/reads", "agents/tables" }));
        var first = roles.List(agent, new PageRequest(1, null));
        Assert.That(roles.List(agent, new PageRequest(1, first.Next)).Items.Single().Role.Name, Is.EqualTo("tables"));
        Assert.That(roles.List(agent with { Identity = agent.Identity with { People = true } }, new PageRequest(10, null)).Items, Is.Empty);

        // A forbid of another set: for certain, or perhaps.
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "ceiling", null, new PolicySetSpec
        {
            Kind = PolicySetKinds.Ceiling,
            Text = "@id(\"depth\") forbid (principal, action == Action::\"issue\", resource) when { context.task.depth > 2 }; forbid (principal, action == Action::\"issue\", resource == Role::\"db/tables\");",
        }, new ChangeOptions(), None));
        Assert.That(await MineAsync("agent"), Is.EqualTo(new[] { "read: False" }));
        Assert.That(roles.List(auditor, new PageRequest(10, null)).Items.Single().Policies, Does.Contain("ceiling/depth"));

        async Task<IEnumerable<string>> MineAsync(string subject) =>
            Broker.Get<ObtainableRoles>().List(await Broker.CallerAsync(subject), new PageRequest(10, null)).Items.Select(role => $"{role.Role.Name}: {role.IsCertain}");
    }

    private async Task<Caller> AdministratorAsync()
    {
        var administrator = await Broker.CallerAsync("administrator");
        return administrator with { Identity = administrator.Identity with { OperatorOwned = true } };
    }

    private Task<Result<Registered<PolicySetSpec>>> UpdateAsync(string text, ChangeOptions options) =>
        Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = text }, options, None);
}
