using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuance;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Whoever may not have a role learns nothing of it: not whether there is one, not what it takes, not by which policy it is denied.</summary>
public sealed class RoleSecrecyTests : EngineTests
{
    private const string ReadOnly = """
        @id("opens") permit (principal in IdentitySource::"ci", action in [Action::"createTask", Action::"delegate", Action::"actOnTask"], resource);
        @id("reads-orders") permit (principal in IdentitySource::"ci", action in [Action::"issue", Action::"renew"], resource == Role::"db/tables")
        when { principal.hasTag("ci/ref") && principal.getTag("ci/ref") == "main" && context.params.hasTag("table") && context.params.getTag("table") == "orders" };
        @id("no-secrets") forbid (principal, action == Action::"issue", resource == Role::"db/secret");
        """;

    private readonly CountedCalls _calls = new();

    private static CancellationToken None => CancellationToken.None;

    [SetUp]
    public async Task RegisterRoles()
    {
        await RestartAsync(_calls.Watch);
        await PolicyAsync(ReadOnly);
        await RoleAsync("secret");
        await RoleAsync("tables");
    }

    [Test]
    public async Task A_denied_role_and_an_absent_one_are_answered_alike_and_by_the_same_work([Values] bool below, [Values] bool readsCounters)
    {
        if (readsCounters) await PolicyAsync(ReadOnly + """forbid (principal, action == Action::"issue", resource) when { context.counters.taskLeases > 5 };""");
        var agent = await Broker.CallerAsync(attributes: ("ref", "main"));
        var task = await Broker.TaskAsync(agent);
        if (below) task = await Broker.TaskAsync(agent, task.Id);
        (string Provider, string Role, (string, string)[] Parameters)[] asked =
        [
            ("db", "secret", []), ("db", "secret", [("table", "orders")]), ("db", "secret", [("table", "../etc")]), ("db", "secret", [("nonsense", "1")]),
            ("db", "tables", [("table", "items")]), ("db", "read", []),
            ("db", "absent", []), ("db", "absent", [("table", "orders")]), ("absent", "secret", []), ("absent", "absent", [("nonsense", "1")]),
        ];
        var answers = new List<(string Reason, string Message, string Keys, int Violations, string Work)>();
        foreach (var (provider, role, parameters) in asked)
        {
            // Of the same role within a minute only the first denial is written, be the role there or not.
            Broker.Time.Advance(TimeSpan.FromSeconds(61));
            _calls.Take();
            var error = Refused(await AskAsync(agent, task, provider, role, parameters));
            var decision = error.Metadata["decision"];
            answers.Add((error.Reason, error.Message.Replace(decision, "decisions/…", StringComparison.Ordinal), string.Join(',', error.Metadata.Keys), error.Violations.Count, string.Join(' ', _calls.Take())));

            var recorded = Ok(await Broker.Get<AuditService>().GetDecisionAsync(await RootAsync(), Uid.Parse(decision.Split('/')[1]), None)).Draft;
            Assert.That((recorded.Resource, recorded.Detail["allowed"]!.GetValue<bool>()), Is.EqualTo(($"providers/{provider}/roles/{role}", false)), "each is recorded");
        }

        Assert.That(answers.Distinct(), Is.EqualTo(new[] { (Reasons.PolicyDenied, answers[0].Message, "decision", 0, answers[0].Work) }));
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Issue), Is.Zero);
    }

    [Test]
    public async Task An_absent_role_is_denied_even_where_policy_permits_everything()
    {
        await PolicyAsync("permit (principal, action, resource);", PolicySetKinds.Operator);
        var agent = await Broker.CallerAsync();
        var error = Refused(await AskAsync(agent, await Broker.TaskAsync(agent), "db", "absent"));
        Assert.That(error.Reason, Is.EqualTo(Reasons.PolicyDenied));
        var recorded = await DecisionAsync(error);
        Assert.That(recorded["errors"]!.ToJsonString(), Does.Contain("There is no such role."), "who audits learns which it was");
        Assert.That(recorded["policies"]!.AsArray(), Is.Empty, "nothing permitted it");
    }

    [Test]
    public async Task What_a_role_takes_is_told_only_to_whom_policy_could_permit_it()
    {
        (string, string)[] wrong = [("table", "cellar"), ("tabel", "orders")];
        var permitted = await Broker.CallerAsync(attributes: ("ref", "main"));
        var told = Refused(await AskAsync(permitted, await Broker.TaskAsync(permitted), "db", "tables", wrong));
        Assert.That((told.Reason, told.Violations.Count), Is.EqualTo((Reasons.ParametersInvalid, 2)), "policy could permit the right ones");
        Ok(await AskAsync(permitted, await Broker.TaskAsync(permitted), "db", "tables", ("table", "orders")));

        var other = await Broker.CallerAsync("other", attributes: ("ref", "feature"));
        var denied = Refused(await AskAsync(other, await Broker.TaskAsync(other), "db", "tables", wrong));
        Assert.That((denied.Reason, denied.Violations.Count), Is.EqualTo((Reasons.PolicyDenied, 0)));
        Assert.That((await DecisionAsync(denied))["input"]!["unfit_parameters"]!.AsArray(), Has.Exactly(2).Items, "who audits sees what did not fit");
    }

    [Test]
    public async Task What_hinders_a_role_is_told_only_to_whom_policy_permits_it()
    {
        var agent = await Broker.CallerAsync(attributes: ("ref", "main"));
        var stranger = await Broker.CallerAsync("stranger");
        var (mine, theirs) = (await Broker.TaskAsync(agent), await Broker.TaskAsync(stranger));
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(await RootAsync(), new SuspendCommand("providers/db/roles/tables", "it leaks"), None));
        Assert.That(Refused(await AskAsync(agent, mine, "db", "tables", ("table", "orders"))).Reason, Is.EqualTo(Reasons.Suspended));
        Assert.That(Refused(await AskAsync(stranger, theirs, "db", "tables", ("table", "orders"))).Reason, Is.EqualTo(Reasons.PolicyDenied));
    }

    [Test]
    public async Task Policies_are_named_to_those_who_audit_alone()
    {
        var agent = await Broker.CallerAsync(attributes: ("ref", "main"));
        var task = await Broker.TaskAsync(agent);
        var denied = Refused(await AskAsync(agent, task, "db", "secret"));
        Assert.That(denied.Message + string.Join(' ', denied.Metadata.Values), Does.Not.Contain("no-secrets").And.Not.Contain("agents"));
        Ok(await AskAsync(agent, task, "db", "tables", ("table", "orders")));

        var audit = Broker.Get<AuditService>();
        var query = new AuditQuery { Task = task.Id };
        var owns = Ok(await audit.ListAsync(agent, query, new PageRequest(100, null), None)).Items;
        var one = Ok(await audit.GetDecisionAsync(agent, Uid.Parse(denied.Metadata["decision"].Split('/')[1]), None));
        var same = Ok(await audit.GetAsync(agent, one.Writer, one.Sequence, None));
        foreach (var shown in owns.Append(one).Append(same).Select(shown => shown.Draft).Where(shown => shown.Type == AuditTypes.Decision))
            Assert.That(shown.Detail.Select(member => member.Key), Is.SupersetOf(new[] { "allowed", "action" }).And.Not.Contains("policies").And.Not.Contains("errors").And.Not.Contains("input"));
        var all = Ok(await audit.ListAsync(await RootAsync(), query, new PageRequest(100, null), None)).Items;
        Assert.That(all.Count(shown => shown.Draft.Detail["policies"]?.ToJsonString().Contains("agents/no-secrets", StringComparison.Ordinal) == true), Is.EqualTo(1));
        Assert.That(all.Select(shown => shown.Hash), Is.EqualTo(owns.Select(shown => shown.Hash)), "it is the same event, and its hash covers what is not shown");

        await PolicyAsync(ReadOnly + """permit (principal == Workload::"ci/agent", action == Action::"audit", resource is Task);""");
        Assert.That(Ok(await audit.ListAsync(agent, query, new PageRequest(100, null), None)).Items.Count(shown => shown.Draft.Detail.ContainsKey("policies")), Is.GreaterThan(0));
    }

    [Test]
    public async Task Who_may_name_no_performer_cannot_find_out_which_identity_sources_there_are()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "mesh", null,
            new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://mesh.example", JwksUri = "https://mesh.example/jwks" } }, new ChangeOptions(), None));
        await PolicyAsync("""permit (principal, action == Action::"createTask", resource) when { context.performer == principal };""");
        var agent = await Broker.CallerAsync();
        BrokerError[] denied = [.. await Task.WhenAll(new[] { "mesh", "absent" }.Select(async source => Refused(await CreateAsync(agent, (source, "worker")))))];
        Assert.That(denied.Select(error => error.Reason), Is.All.EqualTo(Reasons.PolicyDenied));

        await PolicyAsync("""permit (principal, action == Action::"createTask", resource);""");
        Ok(await CreateAsync(agent, ("mesh", "worker")));
        Assert.That(Refused(await CreateAsync(agent, ("absent", "worker"))).Reason, Is.EqualTo(Reasons.ReferenceNotFound), "who may name anybody is told");
    }

    [Test]
    public async Task A_denial_to_act_on_ones_own_task_is_recorded()
    {
        await PolicyAsync("""permit (principal, action == Action::"createTask", resource);""");
        var agent = await Broker.CallerAsync(instance: null);
        var error = Refused(await AskAsync(agent, await Broker.TaskAsync(agent), "db", "tables"));
        Assert.That((error.Reason, (await DecisionAsync(error))["action"]!.GetValue<string>()), Is.EqualTo((Reasons.PolicyDenied, "actOnTask")));
    }

    [Test]
    public async Task However_deep_a_task_is_its_ancestors_cost_one_read_and_their_performers_another()
    {
        await PolicyAsync(EverythingToAgents);
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var depth = 1; depth <= 8; depth++) task = await Broker.TaskAsync(agent, task.Id);
        _calls.Take();
        Ok(await Broker.IssueAsync(agent, task));
        var calls = _calls.Take();
        Assert.That(calls.Where(call => call.StartsWith("ITaskStore", StringComparison.Ordinal)), Is.EqualTo(new[] { "ITaskStore.FindAsync", "ITaskStore.ListAsync" }));
        Assert.That(calls.Where(call => call.StartsWith("IWorkloadStore", StringComparison.Ordinal)), Is.EqualTo(new[] { "IWorkloadStore.FindAllAsync" }));
    }

    private async Task<System.Text.Json.Nodes.JsonObject> DecisionAsync(BrokerError error) =>
        Ok(await Broker.Get<AuditService>().GetDecisionAsync(await RootAsync(), Uid.Parse(error.Metadata["decision"].Split('/')[1]), None)).Draft.Detail;

    private Task<Result<AgentTask>> CreateAsync(Caller caller, (string, string) performer) => Broker.Get<TaskService>().CreateAsync(
        new CreateTaskCommand { Caller = caller, Intent = new Intent("a", "", "", new Dictionary<string, string>()), Performer = performer }, None);

    private Task<Result<IssuedLease>> AskAsync(Caller caller, AgentTask task, string provider, string role, params (string Name, string Value)[] parameters) =>
        Broker.Issuance.IssueAsync(
            new IssueCommand { Caller = caller, Task = task.Id, Provider = provider, Role = role, Parameters = parameters.ToDictionary(pair => pair.Name, pair => pair.Value) }, None);

    private async Task PolicyAsync(string text, string kind = PolicySetKinds.Scoped) => Ok(await Resources.UpdateAsync(
        RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Kind = kind, Text = text }, new ChangeOptions(), None));

    private async Task RoleAsync(string name) => Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, name, "db",
        new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template(), Parameters = [new RoleParameter { Name = "table", Values = ["orders", "items"] }] }, new ChangeOptions(), None));
}
