using System.Text.Json.Nodes;
using CredBroker.Cli.Tests.Fakes;
using Quickstart;

namespace CredBroker.Cli.Tests.Server;

/// <summary>The command against the real server, as an administrator, an agent, an auditor and an incident responder use it.</summary>
public sealed class RealServerTests
{
    private Workplace _place = null!;
    private Installation _installation = null!;
    private CliRun _root = null!;
    private CliRun _agent = null!;

    private string Manifests =>
        $$"""
        kind: IdentitySource
        name: agents
        spec:
          type: oidc
          owner: platform
          oidc:
            issuer: {{_installation.Identity.Issuer}}
            audiences: [{{Installation.AgentAudience}}]
            instanceClaims: [run]
            maxTokenLife: 1h
            attributes:
              team: team
        ---
        kind: Provider
        name: services
        spec:
          type: token
          maxTtl: 30m
        ---
        kind: Role
        name: providers/services/roles/reader
        spec:
          kind: jwt
          sensitivity: low
          template:
            audience: https://reports.test
            scopes: ["{{"{{"}}scope{{"}}"}}"]
          parameters:
            - name: scope
              # without a type, and the role without a maxTtl: what the broker takes for them is no difference
              values: [reports.read, reports.list]
              default: reports.read
        ---
        kind: Hook
        name: runs
        spec:
          identitySources: [identitySources/agents]
          publicKeys: [whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=]
          matchClaims: [team]
        ---
        kind: PolicySet
        name: base
        spec:
          kind: scoped
          text: |
            // Research reads, and nobody else.
            @id("open")
            permit (principal in IdentitySource::"agents", action == Action::"createTask", resource);

            @id("read") @max_ttl("5m")
            permit (principal in IdentitySource::"agents", action in [Action::"issue", Action::"renew"], resource == Role::"services/reader")
            when { context.attested.hasTag("agents/team") && context.attested.getTag("agents/team") == "research" };
        """;

    [OneTimeSetUp]
    public async Task StartServer()
    {
        _place = new Workplace();
        _installation = await Installation.StartAsync(_place, "", new Narrator(TextWriter.Null), CancellationToken.None);
    }

    [SetUp]
    public async Task Register()
    {
        _root = As(_installation.Identity.Mint("root", Installation.OperatorAudience));
        _agent = As(_installation.AgentToken("agent-1"));
        _root.Write("broker/all.yaml", Manifests);
        await OutAsync(_root, "apply", "-f", Folder);
    }

    [TearDown]
    public void Forget()
    {
        _root.Dispose();
        _agent.Dispose();
    }

    [OneTimeTearDown]
    public async Task StopServer()
    {
        await _installation.DisposeAsync();
        _place.Dispose();
    }

    [Test]
    public async Task What_was_applied_is_unchanged_whether_it_comes_from_the_folder_or_from_export()
    {
        Assert.That(await OutAsync(_root, "diff", "-f", Folder), Is.Empty);
        _root.Input = await OutAsync(_root, "export", "--kind", "Provider", "--kind", "Role", "--kind", "Hook", "--kind", "PolicySet");
        Assert.That(await OutAsync(_root, "diff", "-f", "-"), Is.Empty, _root.Input);
        _root.Input = await OutAsync(_root, "identity-source", "get", "agents", "-o", "yaml");
        Assert.That(await OutAsync(_root, "diff", "-f", "-"), Is.Empty, _root.Input);

        _root.Write("broker/all.yaml", Manifests.Replace("maxTtl: 30m", "maxTtl: 20m", StringComparison.Ordinal));
        Assert.That(await OutAsync(_root, "apply", "-f", Folder), Does.Contain("updated   providers/services\n").And.Contain("unchanged policySets/base\n"));
        Assert.That(await OutAsync(_root, "apply", "-f", Folder), Does.Not.Contain("updated"));
    }

    [Test]
    public async Task Errors_of_the_server_come_with_their_fields()
    {
        _root.Write("broker/all.yaml", "kind: Provider\nname: wrong\nspec: {type: token, config: {nonsense: 1}}\n");

        var result = await _root.RunAsync("apply", "-f", Folder);

        Assert.That(result.Code, Is.EqualTo(2), result.ToString());
        Assert.That(result.Error, Does.Contain("CONFIGURATION_INVALID").And.Contain("nonsense"));
        Assert.That(await OutAsync(_agent, "providers", "list"), Does.Not.Contain("services"), "Strangers see nothing.");
        Assert.That((await _agent.RunAsync("providers", "delete", "services", "--yes")).Code, Is.EqualTo(4));
        Assert.That((await _root.RunAsync("providers", "get", "none")).Code, Is.EqualTo(3));
        Assert.That((await _agent.RunAsync("tasks", "create", "--what", "\u001b[2J")).Error, Does.Contain("task.intent.what: The character U+001B"));
    }

    [Test]
    public async Task A_task_is_lived_from_its_opening_to_its_closed_receipt()
    {
        await OutAsync(_root, "provider", "check", "services");
        var task = (string)Json(await OutAsync(_agent, "tasks", "create", "--what", "count the books", "--ttl", "10m", "--heartbeat", "30s", "--label", "run=42", "-o", "json"))["name"]!;
        var file = Path.Combine(_agent.Home, "credential");

        var lease = (string)Json(await OutAsync(_agent, "leases", "issue", task, "services/reader", "--param", "scope=reports.list", "--ttl", "2m", "--out-file", file, "-o", "json"))["name"]!;
        Assert.That(await File.ReadAllTextAsync(file), Does.Contain($"CREDBROKER_LEASE='{lease}'").And.Contain("CREDBROKER_TOKEN='ey"));
        await OutAsync(_agent, "tasks", "heartbeat", task);
        Assert.That((await _agent.RunAsync("leases", "renew", lease, "--out-file", file, "--overwrite")).Error, Does.Contain("NOT_RENEWABLE"));
        Assert.That((await _agent.RunAsync("leases", "issue", task, "services/reader", "--param", "scope=reports.write", "--stdout")).Code, Is.EqualTo(2));
        Assert.That((await _agent.RunAsync("leases", "issue", task, "services/none", "--stdout")).Code, Is.AnyOf(3, 4));
        Assert.That(await OutAsync(_agent, "tasks", "list"), Does.Contain("count the books"));
        Assert.That(await OutAsync(_agent, "leases", "list", "--task", task), Does.Contain("active").And.Contain("live"));

        Assert.That(await OutAsync(_agent, "tasks", "end", task, "--outcome", "succeeded", "--wait", "20s"), Does.Contain("ENDED").And.Not.Contain("unproven"));
        Assert.That(await OutAsync(_agent, "receipts", "get", task), Does.Contain("CLOSED").And.Contain(lease));
        Assert.That(await OutAsync(_agent, "receipts", "list", task), Does.Contain("closed"));

        Assert.That(await OutAsync(_root, "audit", "list", "--task", task), Does.Contain(lease));
        Assert.That(await OutAsync(_root, "decisions", "list", "--task", task), Does.Contain("policySets/base read"));
        Assert.That(await OutAsync(_root, "workloads", "list"), Does.Contain("agent-1"));
    }

    [Test]
    public async Task Recorded_decisions_are_explained_and_asked_again_under_other_policies()
    {
        var task = (string)Json(await OutAsync(_agent, "tasks", "create", "--what", "count the books", "-o", "json"))["name"]!;
        await OutAsync(_agent, "leases", "issue", task, "services/reader", "--param", "scope=reports.list", "--stdout");
        Assert.That((await _agent.RunAsync("leases", "issue", task, "services/none", "--stdout")).Code, Is.EqualTo(4));
        var issued = Json(await OutAsync(_root, "decisions", "list", "--task", task, "-o", "json"))["decisions"]!.AsArray().Single(decision => (string)decision!["action"]! == "issue" && (string)decision["effect"]! == "PERMIT")!;

        var explained = await OutAsync(_root, "policy", "explain", "--decision", (string)issued["name"]!);
        Assert.That(explained, Does.StartWith("ALLOW  Workload::\"agents/agent-1\"  issue  Role::\"services/reader\"\n  by base/read\n  for 5m at most\n").And.Contain("context.attested.getTag(\"agents/team\")  =  \"research\""));
        Assert.That((await _agent.RunAsync("policy", "explain", "--decision", (string)issued["name"]!)).Code, Is.EqualTo(3), "what was asked is for auditors");

        var same = _root.Write("same/base.yaml", Manifests[Manifests.IndexOf("kind: PolicySet", StringComparison.Ordinal)..]);
        Assert.That(await OutAsync(_root, "policy", "replay", same, "--task", task), Does.EndWith("3 asked again: 0 would be decided otherwise, 3 as before.\n"), "under the policies in force everything is decided as it was");
        var shorter = _root.Write("new/base.yaml", (await File.ReadAllTextAsync(same)).Replace("5m", "1m", StringComparison.Ordinal));
        var lives = await _root.RunAsync("policies", "replay", shorter, "--task", task, "--since", "1h");
        Assert.That((lives.Code, lives.Out), Is.EqualTo((8, $"Would have another life: 1\n  by base/read: 1\n    1 × Workload::\"agents/agent-1\" issue Role::\"services/reader\", such as {issued["name"]} (5m → 1m)\n3 asked again: 1 would be decided otherwise, 2 as before.\n")), lives.ToString());
        var freeze = _root.Write("freeze.cedar", "@id(\"stop\") forbid (principal, action == Action::\"issue\", resource);");
        var json = Json((await _root.RunAsync("policy", "replay", freeze, "--kind", "ceiling", "--task", task, "-o", "json")).Out);
        Assert.That((string)json["changes"]!.AsArray().Single()!["because"]!, Is.EqualTo("by freeze/stop"));
        Assert.That((string)json["changes"]![0]!["change"]!, Is.EqualTo("nowDenied"));
    }

    [Test]
    public async Task A_suspension_kills_what_is_held_and_lifting_it_lets_issue_again()
    {
        var task = (string)Json(await OutAsync(_agent, "tasks", "create", "--what", "count the books", "-o", "json"))["name"]!;
        await OutAsync(_agent, "leases", "issue", task, "services/reader", "--stdout");

        var preview = await _root.RunAsync("suspensions", "create", "providers/services", "--reason", "leaked");
        Assert.That((preview.Code, preview.Error), Is.EqualTo((2, "providers/services: 1 leases die by this.\nerror: Suspend providers/services? Say so by --yes.\n")));
        var name = (string)Json(await OutAsync(_root, "suspension", "suspend", "providers/services", "--reason", "leaked", "--yes", "-o", "json"))["name"]!;

        Assert.That((await _agent.RunAsync("leases", "issue", task, "services/reader", "--stdout")).Error, Does.Contain("SUSPENDED"));
        await OutAsync(_root, "suspensions", "lift", name);
        await OutAsync(_agent, "leases", "issue", task, "services/reader", "--stdout");
        await OutAsync(_agent, "tasks", "end", task, "--outcome", "cancelled", "--wait", "20s");
    }

    [Test]
    public async Task A_held_line_ends_when_the_task_does()
    {
        var task = (string)Json(await OutAsync(_agent, "tasks", "create", "--what", "count the books", "--heartbeat", "2s", "-o", "json"))["name"]!;
        using var said = new HeardWriter("alive");
        var line = _agent.RunAsync(said, "tasks", "keep-alive", task);
        await said.Heard.WaitAsync(TimeSpan.FromSeconds(60));

        await OutAsync(_agent, "tasks", "end", task, "--outcome", "cancelled");

        Assert.That((await line.WaitAsync(TimeSpan.FromSeconds(60))).Error, Does.EndWith("task ended\n"));
    }

    private string Folder => Path.Combine(_root.Home, "broker");

    private static async Task<string> OutAsync(CliRun user, params string[] args)
    {
        var result = await user.RunAsync(args);
        Assert.That(result.Code, Is.Zero, $"{string.Join(' ', args)}: {result}");
        return result.Out;
    }

    private static JsonNode Json(string text) => JsonNode.Parse(text)!;

    private CliRun As(string token)
    {
        var run = new CliRun();
        run.Environment["CREDBROKER_ADDRESS"] = _place.Grpc.ToString();
        run.Environment["CREDBROKER_TOKEN_FILE"] = run.Write("token", token);
        return run;
    }
}
