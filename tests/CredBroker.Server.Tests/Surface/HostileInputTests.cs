using System.Net;
using System.Text.Json;
using CredBroker.Contracts.V1;
using Google.Rpc;
using Grpc.Core;

namespace CredBroker.Server.Tests.Surface;

/// <summary>Hostile text in every sort of place, on both transports: a clear error in the one form that repeats nothing of it, and no effect.</summary>
[TestFixture]
internal sealed class HostileInputTests
{
    private const string Sql = "x'; DROP TABLE tasks; --";
    private static readonly string[] NeverPrintable = ["a\0b", "a\u001b[31mb", "a\u202eb", "a\u2066b", "a\u0085b", "a\u2028b", "a\U000E0041b"];

    private static readonly Place[] Places =
    [
        new("the name of a provider", [Sql, "a\nb", "-a", "A", "a/b", "..", .. NeverPrintable],
            text => new(HttpMethod.Post, $"/v1/providers?providerId={Uri.EscapeDataString(text)}", """{"type":"token"}""", AsRoot: true),
            (host, text) => new Contracts.V1.Providers.ProvidersClient(host.Channel).CreateProviderAsync(new() { ProviderId = text, Provider = new Provider { Type = "token" } }, AsRoot(host)).ResponseAsync),
        new("the owner of a provider", ["a\nb", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/providers?providerId=hostile", $$"""{"type":"token","owner":{{Json(text)}}}""", AsRoot: true),
            (host, text) => new Contracts.V1.Providers.ProvidersClient(host.Channel).CreateProviderAsync(new() { ProviderId = "hostile", Provider = new Provider { Type = "token", Owner = text } }, AsRoot(host)).ResponseAsync),
        new("the text of an intent", NeverPrintable,
            text => new(HttpMethod.Post, "/v1/tasks", $$$"""{"intent":{"what":{{{Json(text)}}}}}"""),
            (host, text) => new Tasks.TasksClient(host.Channel).CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = text } } }, AsAgent(host)).ResponseAsync),
        new("the value of a label", ["a\nb", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/tasks", $$$$"""{"intent":{"what":"a","labels":{"run":{{{{Json(text)}}}}}}}"""),
            (host, text) => new Tasks.TasksClient(host.Channel).CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "a", Labels = { ["run"] = text } } } }, AsAgent(host)).ResponseAsync),
        new("the name of a label", [Sql, "a\nb", "A", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/tasks", $$$$"""{"intent":{"what":"a","labels":{{{{{Json(text)}}}}:"1"}}}"""),
            (host, text) => new Tasks.TasksClient(host.Channel).CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "a", Labels = { [text] = "1" } } } }, AsAgent(host)).ResponseAsync),
        new("a performer's subject", ["a\nb", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/tasks", $$$"""{"intent":{"what":"a"},"performer":{"identitySource":"identitySources/ci","subject":{{{Json(text)}}}}}"""),
            (host, text) => new Tasks.TasksClient(host.Channel).CreateTaskAsync(
                new() { Task = new AgentTask { Intent = new Intent { What = "a" }, Performer = new Party { IdentitySource = "identitySources/ci", Subject = text } } }, AsAgent(host)).ResponseAsync),
        new("a request id", [Sql, "a\nb", "a b", .. NeverPrintable],
            text => new(HttpMethod.Post, $"/v1/tasks?requestId={Uri.EscapeDataString(text)}", """{"intent":{"what":"a"}}"""),
            (host, text) => new Tasks.TasksClient(host.Channel).CreateTaskAsync(new() { RequestId = text, Task = new AgentTask { Intent = new Intent { What = "a" } } }, AsAgent(host)).ResponseAsync),
        new("the value of a parameter", [Sql, "a\nb", "orders ", "ORDERS", "../items", "*", "${aws:username}", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/{task}/leases:issue", $$$"""{"role":"providers/tokens/roles/reader","parameters":{"table":{{{Json(text)}}}}}"""),
            (host, text) => new Leases.LeasesClient(host.Channel).IssueLeaseAsync(new() { Parent = _task, Role = "providers/tokens/roles/reader", Parameters = { ["table"] = text } }, AsAgent(host)).ResponseAsync),
        new("the name of a parameter", [Sql, "a\nb", "other", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/{task}/leases:issue", $$$"""{"role":"providers/tokens/roles/reader","parameters":{"table":"orders",{{{Json(text)}}}:"1"}}"""),
            (host, text) => new Leases.LeasesClient(host.Channel).IssueLeaseAsync(
                new() { Parent = _task, Role = "providers/tokens/roles/reader", Parameters = { ["table"] = "orders", [text] = "1" } }, AsAgent(host)).ResponseAsync),
        new("the name of a role", [Sql, "providers/tokens/roles/reader\n", "providers/tokens/roles/../x", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/{task}/leases:issue", $$"""{"role":{{Json(text)}}}"""),
            (host, text) => new Leases.LeasesClient(host.Channel).IssueLeaseAsync(new() { Parent = _task, Role = text }, AsAgent(host)).ResponseAsync),
        new("the reason of a suspension", NeverPrintable,
            text => new(HttpMethod.Post, "/v1/suspensions", $$"""{"target":"providers/tokens","reason":{{Json(text)}}}""", AsRoot: true),
            (host, text) => new Suspensions.SuspensionsClient(host.Channel).CreateSuspensionAsync(new() { Suspension = new Suspension { Target = "providers/tokens", Reason = text } }, AsRoot(host)).ResponseAsync),
        new("the target of a suspension", [Sql, "providers/tokens\n", .. NeverPrintable],
            text => new(HttpMethod.Post, "/v1/suspensions", $$"""{"target":{{Json(text)}},"reason":"a"}""", AsRoot: true),
            (host, text) => new Suspensions.SuspensionsClient(host.Channel).CreateSuspensionAsync(new() { Suspension = new Suspension { Target = text, Reason = "a" } }, AsRoot(host)).ResponseAsync),
        new("a filter", [Sql, "labels.run = \"a\nb\"", "state = RUNNING' OR 1=1 --", .. NeverPrintable],
            text => new(HttpMethod.Get, $"/v1/tasks?filter={Uri.EscapeDataString(text)}", null),
            (host, text) => new Tasks.TasksClient(host.Channel).ListTasksAsync(new() { Filter = text }, AsAgent(host)).ResponseAsync),
        new("a page token", [Sql, "a\nb", "AAAA", .. NeverPrintable],
            text => new(HttpMethod.Get, $"/v1/tasks?pageToken={Uri.EscapeDataString(text)}", null),
            (host, text) => new Tasks.TasksClient(host.Channel).ListTasksAsync(new() { PageToken = text }, AsAgent(host)).ResponseAsync),
        new("the text of a policy set", ["permit (principal, action, resource); \0", "permit (principal == Workload::\"ci/a\u202e\", action, resource);"],
            text => new(HttpMethod.Post, "/v1/policySets?policySetId=hostile", $$"""{"kind":"SCOPED","text":{{Json(text)}}}""", AsRoot: true),
            (host, text) => new PolicySets.PolicySetsClient(host.Channel).CreatePolicySetAsync(
                new() { PolicySetId = "hostile", PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = text } }, AsRoot(host)).ResponseAsync),
    ];

    private static readonly string[] Refusals =
        ["FIELDS_INVALID", "PARAMETERS_INVALID", "FILTER_INVALID", "PAGE_TOKEN_INVALID", "POLICY_INVALID", "RESOURCE_NOT_FOUND"];

    private static string _task = "";
    private SurfaceHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await SurfaceHost.StartAsync();
        await _host.SetUpAsync();
        _task = (await _host.MustAsync(_host.Workload("agent"), "/v1/tasks", """{"intent":{"what":"a"}}""")).GetProperty("name").GetString()!;
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> All() => Places.Select((place, i) => new TestCaseData(i).SetArgDisplayNames(place.Name));

    [TestCaseSource(nameof(All))]
    public async Task Is_refused_by_rest_and_has_no_effect(int index)
    {
        var place = Places[index];
        var before = await StateAsync();
        foreach (var text in place.Texts)
        {
            var call = place.Rest(text);
            var (response, body) = await _host.RestAsync(call.AsRoot ? _host.Person("root") : _host.Workload("agent"), call.Method, call.Path.Replace("{task}", _task, StringComparison.Ordinal), call.Body);
            Assert.That((int)response.StatusCode, Is.InRange(400, 404), Shown(text));
            Check(place, text, body.GetProperty("details")[0].GetProperty("reason").GetString(), body.GetProperty("message").GetString()! + body.GetProperty("details"));
        }

        Assert.That(await StateAsync(), Is.EqualTo(before));
    }

    [TestCaseSource(nameof(All))]
    public async Task Is_refused_by_grpc_and_has_no_effect(int index)
    {
        var place = Places[index];
        var before = await StateAsync();
        foreach (var text in place.Texts)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => place.Grpc(_host, text), Shown(text));
            var status = refused!.GetRpcStatus()!;
            Check(place, text, status.GetDetail<ErrorInfo>()!.Reason, status.Message + status.GetDetail<BadRequest>());
        }

        Assert.That(await StateAsync(), Is.EqualTo(before));
    }

    [Test]
    public async Task Ten_megabytes_are_refused_wherever_they_are_and_have_no_effect()
    {
        var huge = new string('a', 10_000_000);
        var before = await StateAsync();
        foreach (var place in Places)
        {
            var call = place.Rest(huge);
            if (call.Path.Length < 1000)
            {
                var (response, body) = await _host.RestAsync(call.AsRoot ? _host.Person("root") : _host.Workload("agent"), call.Method, call.Path.Replace("{task}", _task, StringComparison.Ordinal), call.Body);
                Assert.That((response.StatusCode, body.GetProperty("details")[0].GetProperty("reason").GetString()), Is.EqualTo((HttpStatusCode.RequestEntityTooLarge, "BODY_TOO_LARGE")), place.Name);
            }

            var refused = await Assert.ThrowsAsync<RpcException>(() => place.Grpc(_host, huge), place.Name);
            Assert.That((refused!.StatusCode, refused.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason), Is.EqualTo((StatusCode.ResourceExhausted, "BODY_TOO_LARGE")), place.Name);
        }

        Assert.That(await StateAsync(), Is.EqualTo(before));
    }

    [Test]
    public async Task Text_that_only_looks_like_sql_is_text()
    {
        var agent = _host.Workload("agent-quoting");
        var intent = JsonSerializer.Serialize(new { what = Sql + "\nsecond line", forWhom = Sql, labels = new Dictionary<string, string> { ["run"] = Sql } });
        var made = await _host.MustAsync(agent, "/v1/tasks", $$"""{"intent":{{intent}}}""");
        var filter = Uri.EscapeDataString($"labels.run = \"{Sql}\"");
        var (_, found) = await _host.RestAsync(agent, HttpMethod.Get, $"/v1/tasks?filter={filter}");

        Assert.That(found.GetProperty("tasks").EnumerateArray().Single().GetProperty("name").GetString(), Is.EqualTo(made.GetProperty("name").GetString()));
        Assert.That(found.GetProperty("tasks")[0].GetProperty("intent").GetProperty("what").GetString(), Is.EqualTo(Sql + "\nsecond line"));
    }

    private static void Check(Place place, string text, string? reason, string answer)
    {
        Assert.That(Refusals, Does.Contain(reason), Shown(text));
        Assert.That(answer.Where(character => char.IsControl(character) && character is not ('\n' or '\r')), Is.Empty, Shown(text));
        Assert.That(answer, Does.Not.Contain('\u202e').And.Not.Contain('\u2066').And.Not.Contain('\u2028'), Shown(text));
        // A value is never repeated. A key is, escaped, for it is what the field is called.
        if (!place.IsKey) Assert.That(answer, Does.Not.Contain("DROP TABLE"), Shown(text));
    }

    /// <summary>What there is: tasks, leases, providers, policy sets, suspensions.</summary>
    private async Task<string> StateAsync()
    {
        var state = new List<string>();
        foreach (var path in new[] { "tasks", "tasks/-/leases", "providers", "policySets", "suspensions" })
        {
            var (response, body) = await _host.RestAsync(_host.Person("root"), HttpMethod.Get, $"/v1/{path}?pageSize=1000");
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            state.Add(body.ValueKind == JsonValueKind.Object ? string.Join(',', body.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.Array)
                .SelectMany(member => member.Value.EnumerateArray()).Select(item => item.GetProperty("name").GetString())) : "");
        }

        return string.Join('\n', state);
    }

    private static Metadata AsRoot(SurfaceHost host) => SurfaceHost.As(host.Person("root"));

    private static Metadata AsAgent(SurfaceHost host) => SurfaceHost.As(host.Workload("agent"));

    private static string Json(string text) => JsonSerializer.Serialize(text);

    private static string Shown(string text) => text.Length > 100 ? "a long text" : Json(text);

    private sealed record RestCall(HttpMethod Method, string Path, string? Body, bool AsRoot = false);

    private sealed record Place(string Name, string[] Texts, Func<string, RestCall> Rest, Func<SurfaceHost, string, Task> Grpc)
    {
        public bool IsKey => Name is "the name of a label" or "the name of a parameter";
    }
}
