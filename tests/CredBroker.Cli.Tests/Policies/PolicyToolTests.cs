using System.Text.Json.Nodes;
using CredBroker.Cli.Tests.Fakes;

namespace CredBroker.Cli.Tests.Policies;

/// <summary>Checking, testing, explaining and laying out policies: all without a broker.</summary>
public sealed class PolicyToolTests
{
    private const string Table =
        """
        given:
          now: 2030-01-31T12:00:00Z
          identitySources:
            ci: {}
          workloads:
            deploy: {identitySource: ci, subject: "repo:shop/orders", attributes: {ref: refs/heads/main}}
          providers:
            db: {environment: production}
          roles:
            db/reader: {sensitivity: high}
          tasks:
            release: {performer: deploy}
        tests:
          - name: By day
            who: deploy
            action: issue
            role: db/reader
            task: release
            expect: allow
            by: [day]
            maxTtl: 15m
          - name: By night
            who: deploy
            action: issue
            role: db/reader
            task: release
            now: 2030-01-31T22:00:00Z
            expect: allow
            by: [day]

        """;

    private const string Policy =
        """
        @id("day")
        @max_ttl("15m")
        permit (principal in IdentitySource::"ci", action == Action::"issue", resource == Role::"db/reader")
        when { context.now.toTime() < duration("18h") && principal.hasTag("ci/ref") };

        """;

    private CliRun _cli = null!;

    private static string Samples => Path.Combine(Root(), "samples", "policies");

    [SetUp]
    public void Start() => _cli = new CliRun();

    [TearDown]
    public void Stop() => _cli.Dispose();

    [Test]
    public async Task The_ready_policies_are_right_and_pass_their_tables()
    {
        var check = await _cli.RunAsync("policy", "check", Samples, "--strict");
        Assert.That(check.Code, Is.Zero, check.ToString());
        var layout = await _cli.RunAsync("policy", "format", "--check", Samples);
        Assert.That(layout.Code, Is.Zero, layout.ToString());
        var test = await _cli.RunAsync("policy", "test", Samples, "--output", "json");
        Assert.That(test.Code, Is.Zero, test.ToString());
        var tables = JsonNode.Parse(test.Out)!["tables"]!.AsArray();
        Assert.That(tables.Select(table => Path.GetFileName(Path.GetDirectoryName(table!["file"]!.GetValue<string>()))), Is.EquivalentTo(Directory.EnumerateDirectories(Samples).Select(Path.GetFileName)), "each folder has its table");
        foreach (var table in tables)
        {
            var decisions = table!["tests"]!.AsArray().Select(row => row!["decision"]!.GetValue<string>()).Distinct();
            Assert.That(decisions, Is.SupersetOf(new[] { "allow", "deny" }), table["file"]!.ToString());
            Assert.That(table["policiesThatDecideNothing"]!.AsArray(), Is.Empty, $"every policy of {table["file"]} decides some row");
        }
    }

    [Test]
    public async Task A_table_passes_and_fails_row_by_row_and_says_why()
    {
        _cli.Write("p/day.cedar", Policy);
        var table = _cli.Write("p/day.test.yaml", Table);
        var result = await _cli.RunAsync("policies", "test", Path.GetDirectoryName(table)!);
        Assert.That(result.Code, Is.EqualTo(8), result.ToString());
        Assert.That(result.Out, Does.Contain("  ok    By day\n").And.Contain("  FAIL  By night  (line 22)\n        - decision: allow\n        + decision: deny\n        - by: day\n        + by: none\n"));
        Assert.That(result.Out, Does.Contain("NO  when (context.now.toTime() < duration(\"18h\")) && principal.hasTag(\"ci/ref\")  =  false").And.Contain("└─ context.now.toTime()  =  duration(\"22h\")"));
        Assert.That(result.Error, Is.EqualTo("2 tests: 1 passed, 1 failed.\n"));

        var json = JsonNode.Parse((await _cli.RunAsync("policy", "test", table, "-o", "json")).Out)!;
        Assert.That((json["passed"]!.GetValue<int>(), json["failed"]!.GetValue<int>()), Is.EqualTo((1, 1)));
        Assert.That(json["tables"]![0]!["tests"]![1]!["differences"]![0]!.ToJsonString(), Is.EqualTo("""{"what":"decision","expected":"allow","actual":"deny"}"""));
    }

    [Test]
    public async Task An_approval_is_expected_only_where_nothing_else_is_missing()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Samples, "human-approval")))
        {
            var text = await File.ReadAllTextAsync(file);
            _cli.Write($"h/{Path.GetFileName(file)}", text.Replace("expect: deny\n    by: [destroying-needs-a-person, ", "expect: approval\n    by: [destroying-needs-a-person, ", StringComparison.Ordinal));
        }

        var result = await _cli.RunAsync("policy", "test", Path.Combine(_cli.Home, "h"));

        Assert.That(result.Out, Does.Contain("ok    Destroying, on the agent's own account\n").And.Contain("FAIL  Destroying from a task below the approved one").And.Contain("- decision: approval\n        + decision: deny\n"));
    }

    [Test]
    public async Task What_is_expected_besides_must_come_too()
    {
        _cli.Write("p/day.cedar", Policy);
        var table = _cli.Write("p/day.test.yaml", Table.Replace("maxTtl: 15m", "maxTtl: none", StringComparison.Ordinal).Replace("now: 2030-01-31T22:00:00Z", "refusedAbove: x", StringComparison.Ordinal));
        var result = await _cli.RunAsync("policy", "test", table);
        Assert.That(result.Out, Does.Contain("- maxTtl: none\n        + maxTtl: 15m\n").And.Contain("- refusedAbove: x\n        + refusedAbove: none\n"));
    }

    [Test]
    public async Task A_table_is_read_strictly_and_all_its_errors_are_told()
    {
        _cli.Write("p/day.cedar", Policy);
        var wrong = Table.Replace("sensitivity: high", "sensitivty: high", StringComparison.Ordinal).Replace("who: deploy\n    action: issue\n    role: db/reader\n    task: release\n    now", "who: deplyo\n    action: isue\n    task: release\n    now", StringComparison.Ordinal);
        var table = _cli.Write("p/day.test.yaml", wrong);
        var result = await _cli.RunAsync("policy", "test", table);
        Assert.That(result.Code, Is.EqualTo(2), result.ToString());
        Assert.That(result.Error, Does.Contain($"{table}:10:17: given.roles.db/reader.sensitivty: There is no such key. Did you mean 'sensitivity'?"));
        Assert.That(result.Error, Does.Contain(":23:10: tests[1].who: Nothing given is called 'deplyo'. Did you mean 'deploy'?"));
        Assert.That(result.Error, Does.Contain(":24:13: tests[1].action: 'isue' is no action. Did you mean 'issue'?"));
    }

    [TestCase("expect: allow\n    by", "expect: maybe\n    by", "allow, deny or approval is expected")]
    [TestCase("    task: release\n    expect", "    expect", "issue is about a task")]
    [TestCase("action: issue", "action: createTask\n    hook: x", "There is no such key")]
    [TestCase("maxTtl: 15m", "maxTtl: soon", "no duration")]
    [TestCase("{performer: deploy}", "{performer: deploy, parent: none}", "Nothing given is called 'none'")]
    [TestCase("ci: {}", "ci: &a {}", "Anchors")]
    [TestCase("name: By night", "name: By day", "Another test is called")]
    [TestCase("action: issue", "action: administerProvider\n    provider: dB", "Nothing given is called 'dB'")]
    public async Task A_table_is_refused_where_it_asks_nothing_that_the_broker_asks(string right, string wrong, string why)
    {
        _cli.Write("p/day.cedar", Policy);
        var at = Table.IndexOf(right, StringComparison.Ordinal);
        Assert.That(at, Is.Not.Negative);
        var result = await _cli.RunAsync("policy", "test", _cli.Write("p/day.test.yaml", Table[..at] + wrong + Table[(at + right.Length)..]));
        Assert.That((result.Code, result.Error), Is.EqualTo((2, result.Error)), result.ToString());
        Assert.That(result.Error, Does.Contain(why));
    }

    [Test]
    public async Task A_table_is_no_proof_of_policies_that_the_broker_would_refuse()
    {
        _cli.Write("p/day.cedar", Policy.Replace("@max_ttl", "@max_tll", StringComparison.Ordinal));
        var result = await _cli.RunAsync("policy", "test", _cli.Write("p/day.test.yaml", Table));
        Assert.That(result.Code, Is.EqualTo(8), result.ToString());
        Assert.That(result.Error, Does.Contain("did you mean @max_ttl?"));
    }

    [Test]
    public async Task A_check_shows_each_place_and_finds_all_in_one_run()
    {
        var file = _cli.Write("wrong.cedar", "@id(\"a\") permit(principal,\n  action == Action::\"isue\", resource);\n@id(\"b\") @max_tll(\"5m\") permit(principal, action == Action::\"issue\", resource);\n@id(\"b\") @team(\"x\") @trusts_declared(\"y\") forbid(principal, action, resource);");
        var result = await _cli.RunAsync("policies", "check", file);
        Assert.That(result.Code, Is.EqualTo(8), result.ToString());
        Assert.That(result.Out, Does.Contain($"{file}:2:13: there is no action Action::\"isue\"\n 2 |   action == Action::\"isue\", resource);\n   |             ^"));
        Assert.That(result.Out, Does.Contain($"{file}:3:10: @max_tll means nothing: did you mean @max_ttl?"));
        Assert.That(result.Out, Does.Contain($"{file}:4:1: warning: Another policy of the set is called b").And.Contain("@team means nothing to the broker").And.Contain("@trusts_declared does nothing here"));
        Assert.That(result.Out, Does.Contain("warning: A permit without a condition, for every principal and every resource"));
        Assert.That(result.Error, Is.EqualTo("1 policy set: 2 errors, 6 warnings.\n"));

        var syntax = _cli.Write("syntax.cedar", "permit(principal action, resource);\nforbid(principal, action, resource) when { 1 + };\n");
        var told = await _cli.RunAsync("policy", "check", syntax, "-o", "json");
        var problems = JsonNode.Parse(told.Out)!["problems"]!.AsArray();
        Assert.That(problems.Select(problem => problem!["line"]!.GetValue<int>()), Is.EqualTo(new[] { 1, 2 }), told.ToString());
        Assert.That(problems[0]!["message"]!.GetValue<string>(), Does.Contain("expected"));
    }

    [Test]
    public async Task Warnings_alone_are_no_errors_unless_asked_for()
    {
        var file = _cli.Write("wide.cedar", "@id(\"a\") permit (principal, action, resource);");
        Assert.That((await _cli.RunAsync("policy", "check", file)).Code, Is.Zero);
        Assert.That((await _cli.RunAsync("policy", "check", file, "--strict")).Code, Is.EqualTo(8));
        Assert.That((await _cli.RunAsync("policy", "check", file, "--kind", "ceiling")).Out, Does.Contain("A ceiling holds forbids only"));
        Assert.That((await _cli.RunAsync("policy", "check", "/no/such/file")).Error, Does.Contain("no file"));
    }

    [Test]
    public async Task A_manifest_says_what_kind_its_set_is_and_which_file_is_wrong()
    {
        _cli.Write("set/cedar/base.cedar", "@id(\"a\")\npermit (principal == Workload::\"a/b\", action == Action::\"issue\", resource) when { context.ttl < duration(\"1h\") };");
        _cli.Write("set/base.yaml", "kind: PolicySet\nname: base\nspec:\n  kind: ceiling\n  textFile: cedar/base.cedar\n");
        _cli.Write("set/base.test.yaml", "tests: []\n");
        var result = await _cli.RunAsync("policy", "check", Path.Combine(_cli.Home, "set"));
        Assert.That(result.Out, Does.StartWith($"{Path.Combine(_cli.Home, "set", "cedar", "base.cedar")}:1:1: A ceiling holds forbids only"), result.ToString());
        Assert.That(result.Error, Is.EqualTo("1 policy set: 1 error, 0 warnings.\n"), "the file that the manifest names is no set of its own, and the table no manifest");
    }

    [Test]
    public async Task Explains_a_row_and_a_request_of_options()
    {
        var policy = _cli.Write("p/day.cedar", Policy);
        var table = _cli.Write("p/day.test.yaml", Table);
        var row = await _cli.RunAsync("policy", "explain", table, "--test", "By night");
        Assert.That(row.Code, Is.Zero, row.ToString());
        Assert.That(row.Out, Does.StartWith("DENY  Workload::\"ci/repo:shop/orders\"  issue  Role::\"db/reader\"\n  by no policy: nothing permits it\n\npermit day/day  ("));

        string[] asked = ["policy", "explain", policy, "--principal", "ci/repo:shop/orders", "--role", "db/reader", "--attribute", "ref=x", "--now", "2030-01-31T12:00:00Z"];
        var allowed = await _cli.RunAsync(asked);
        Assert.That(allowed.Out, Does.StartWith("ALLOW").And.Contain("  by day/day\n  for 15m at most\n").And.Contain("├─ context.now.toTime() < duration(\"18h\")  =  true"), allowed.ToString());
        var json = JsonNode.Parse((await _cli.RunAsync([.. asked, "-o", "json"])).Out)!;
        Assert.That(json["policies"]![0]!["conditions"]![0]!["body"]!["parts"]![0]!["value"]!.GetValue<string>(), Is.EqualTo("true"));
        Assert.That((await _cli.RunAsync("policy", "explain", table, "--test", "By nigth")).Error, Does.Contain("Did you mean 'By night'?"));
        Assert.That((await _cli.RunAsync("policy", "explain", policy)).Code, Is.EqualTo(2));
    }

    [Test]
    public async Task A_failing_policy_is_told_with_its_place()
    {
        var policy = _cli.Write("p.cedar", "@id(\"far\") permit (principal, action == Action::\"issue\", resource) when { context.counters.taskLeases + 9223372036854775807 + context.chain.depth > context.counters.roleLeases + 9223372036854775807 + 1 };");
        var result = await _cli.RunAsync("policy", "explain", policy, "--principal", "ci/a", "--role", "db/reader");
        Assert.That(result.Out, Does.StartWith("DENY").And.Contain("error: p/far at ").And.Contain("fails, and so denies").And.Contain("overflows"), result.ToString());
    }

    [Test]
    public async Task Lays_out_policies_and_says_what_would_change()
    {
        var file = _cli.Write("f/a.cedar", "permit(principal,action,resource); // all");
        var folder = Path.GetDirectoryName(file)!;
        Assert.That(await _cli.RunAsync("policies", "format", folder, "--check"), Is.EqualTo(new CliResult(8, $"{file}: not laid out\n", "")));
        Assert.That(await _cli.RunAsync("policies", "format", folder), Is.EqualTo(new CliResult(0, $"{file}: laid out\n", "")));
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo("permit (principal, action, resource); // all\n"));
        Assert.That(await _cli.RunAsync("policy", "format", folder, "--check"), Is.EqualTo(new CliResult(0, "", "")));

        _cli.Input = "permit(principal,action,resource);";
        Assert.That(await _cli.RunAsync("policy", "format", "-"), Is.EqualTo(new CliResult(0, "permit (principal, action, resource);\n", "")));
        Assert.That(await _cli.RunAsync("policy", "format", "-", "--check"), Is.EqualTo(new CliResult(8, "<stdin>: not laid out\n", "")));
        _cli.Input = "permit(principal,action resource);";
        var broken = await _cli.RunAsync("policy", "format", "-");
        Assert.That((broken.Code, broken.Out), Is.EqualTo((8, broken.Out)));
        Assert.That(broken.Out, Does.Contain("<stdin>:1:25: ").And.Contain("^"));
    }

    [Test]
    public async Task Prints_the_schema_in_both_formats()
    {
        Assert.That((await _cli.RunAsync("policy", "schema")).Out, Does.Contain("entity Workload in [Team, IdentitySource] = {"));
        Assert.That(JsonNode.Parse((await _cli.RunAsync("policy", "schema", "-o", "json")).Out)![""]!["entityTypes"]!["Workload"], Is.Not.Null);
    }

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}
