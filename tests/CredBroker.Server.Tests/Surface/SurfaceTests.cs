using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.AspNetCore.Webhooks;
using CredBroker.Contracts.V1;
using Google.Rpc;
using Grpc.Core;

namespace CredBroker.Server.Tests.Surface;

/// <summary>The way of a credential through the web surface, by REST and by gRPC.</summary>
[TestFixture]
internal sealed class SurfaceTests
{
    private SurfaceHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await SurfaceHost.StartAsync();
        await _host.SetUpAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    [TearDown]
    public void ShowLog()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status != NUnit.Framework.Interfaces.TestStatus.Failed) return;
        foreach (var line in _host.Log.Lines) TestContext.Out.WriteLine(line);
    }

    [Test]
    public async Task Issues_by_rest_and_kills_with_the_task()
    {
        var agent = _host.Workload("agent-rest");
        var task = (await _host.MustAsync(agent, "/v1/tasks?requestId=a-1", """{"intent":{"what":"count orders","labels":{"run":"42"}},"ttl":"600s"}""")).GetProperty("name").GetString()!;
        var (issued, answer) = await _host.RestAsync(agent, HttpMethod.Post, $"/v1/{task}/leases:issue", """{"role":"providers/tokens/roles/reader","parameters":{"table":"orders"},"requestId":"i-1"}""");
        var token = answer.GetProperty("credential").GetProperty("fields").GetProperty("token").GetProperty("value").GetString()!;

        Assert.That(issued.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(issued.Headers.CacheControl!.NoStore);
        Assert.That(issued.Content.Headers.ContentEncoding, Is.Empty);
        Assert.That((await IntrospectAsync(token)).GetProperty("active").GetBoolean());

        var ended = await _host.MustAsync(agent, $"/v1/{task}:end", """{"outcome":"SUCCEEDED","waitUntilRevoked":true}""");

        Assert.That(ended.GetProperty("unproven").GetInt32(), Is.Zero);
        Assert.That((await IntrospectAsync(token)).GetRawText(), Is.EqualTo("""{"active":false}"""));
        var (_, receipt) = await _host.RestAsync(agent, HttpMethod.Get, $"/v1/{task}/receipt");
        Assert.That(receipt.GetProperty("state").GetString(), Is.EqualTo("CLOSED"));
        var lease = receipt.GetProperty("leases")[0];
        Assert.That(lease.GetProperty("evidence").GetProperty("text").GetString(), Is.Not.Empty);
        Assert.That(lease.GetProperty("policyHash").GetString(), Has.Length.EqualTo(64));
        Assert.That(receipt.GetRawText(), Does.Not.Contain(token));
        var (_, story) = await _host.RestAsync(agent, HttpMethod.Get, "/v1/auditEvents?filter=" + Uri.EscapeDataString($"task = \"{task}\""));
        Assert.That(story.GetProperty("auditEvents").EnumerateArray().Select(e => e.GetProperty("type").GetString()), Does.Contain("task.created").And.Contain("task.ended"));
        Assert.That(story.GetRawText(), Does.Not.Contain(token));
    }

    [Test]
    public async Task Issues_by_grpc_and_shows_lists_and_revokes()
    {
        var headers = SurfaceHost.As(_host.Workload("agent-grpc"));
        var tasks = new Tasks.TasksClient(_host.Channel);
        var leases = new Leases.LeasesClient(_host.Channel);
        var task = await tasks.CreateTaskAsync(new CreateTaskRequest { Task = new AgentTask { Intent = new Intent { What = "read" } } }, headers);
        var request = new IssueLeaseRequest { Parent = task.Name, Role = "providers/tokens/roles/reader", Parameters = { ["table"] = "orders" } };
        var first = await leases.IssueLeaseAsync(request, headers);
        var second = await leases.IssueLeaseAsync(request, headers);

        var page = await leases.ListLeasesAsync(new ListLeasesRequest { Parent = task.Name, PageSize = 1 }, headers);
        var next = await leases.ListLeasesAsync(new ListLeasesRequest { Parent = task.Name, PageSize = 1, PageToken = page.NextPageToken }, headers);
        Assert.That(page.Leases.Concat(next.Leases).Select(l => l.Name), Is.EquivalentTo(new[] { first.Lease.Name, second.Lease.Name }));
        var filtered = await leases.ListLeasesAsync(
            new ListLeasesRequest { Parent = "tasks/-", Filter = "(state = ACTIVE OR state = PENDING) AND provider = \"providers/tokens\" AND effective_state = LIVE" }, headers);
        Assert.That(filtered.Leases, Has.Count.EqualTo(2));

        var revoked = await leases.RevokeLeaseAsync(new RevokeLeaseRequest { Name = $"tasks/-/leases/{first.Lease.Uid}", WaitUntilRevoked = true }, headers);
        Assert.That(revoked.State, Is.EqualTo(Lease.Types.State.Revoked));
        Assert.That((await leases.GetLeaseAsync(new GetLeaseRequest { Name = second.Lease.Name }, headers)).EffectiveState, Is.EqualTo(Lease.Types.EffectiveState.Live));
    }

    [Test]
    public async Task An_identity_source_needs_no_issuer_where_its_preset_does_and_can_accept_tokens_without_typ()
    {
        var root = _host.Person("root");
        var github = await _host.MustAsync(root, "/v1/identitySources?identitySourceId=github", """{"type":"oidc","preset":"github"}""");
        Assert.That(github.GetProperty("oidc").GetProperty("issuer").GetString(), Is.Empty, "the preset says it");
        await _host.MustAsync(root, "/v1/identitySources?identitySourceId=mesh", """{"type":"oidc","preset":"spire","oidc":{"jwksUri":"https://spire.example.org/keys","subjectPrefix":"spiffe://example.org/"}}""");
        var own = await _host.MustAsync(root, "/v1/identitySources?identitySourceId=bare", """{"type":"oidc","oidc":{"issuer":"https://bare.example","typ":["JWT",""]}}""");
        Assert.That(own.GetProperty("oidc").GetProperty("typ").EnumerateArray().Select(typ => typ.GetString()), Is.EqualTo(new[] { "JWT", "" }));

        foreach (var body in new[] { """{"type":"oidc"}""", """{"type":"oidc","oidc":{}}""", """{"type":"oidc","preset":"kubernetes"}""", """{"type":"oidc","preset":"spire","oidc":{"subjectPrefix":"spiffe://example.org/"}}""" })
        {
            var (refused, error) = await _host.RestAsync(root, HttpMethod.Post, "/v1/identitySources?identitySourceId=nobody", body);
            Assert.That((refused.StatusCode, error.GetProperty("details")[0].GetProperty("reason").GetString()), Is.EqualTo((HttpStatusCode.BadRequest, "CONFIGURATION_INVALID")), body);
        }
    }

    [Test]
    public async Task Answers_a_role_that_is_not_there_as_one_that_is_denied()
    {
        var agent = _host.Workload("agent-curious");
        var task = (await _host.MustAsync(agent, "/v1/tasks", """{"intent":{"what":"a"}}""")).GetProperty("name").GetString()!;
        var answers = new List<string>();
        foreach (var body in new[] { """{"role":"providers/tokens/roles/reader","parameters":{"table":"items"}}""", """{"role":"providers/tokens/roles/absent"}""", """{"role":"providers/absent/roles/reader","parameters":{"nonsense":"1"}}""" })
        {
            var (response, error) = await _host.RestAsync(agent, HttpMethod.Post, $"/v1/{task}/leases:issue", body);
            var decision = error.GetProperty("details")[0].GetProperty("metadata").GetProperty("decision").GetString()!;
            answers.Add($"{(int)response.StatusCode} {error.GetRawText().Replace(decision, "decisions/x", StringComparison.Ordinal)}");
        }

        Assert.That(answers.Distinct(), Has.Exactly(1).Items);
        Assert.That(answers[0], Does.StartWith("403 ").And.Contains("POLICY_DENIED").And.Not.Contains("agents"));
        var (declared, tooLong) = await _host.RestAsync(agent, HttpMethod.Post, $"/v1/{task}/leases:issue", $$$"""{"role":"providers/tokens/roles/reader","parameters":{"table":"orders"},"declared":{"destination":"{{{new string('a', 257)}}}"}}""");
        Assert.That(declared.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(tooLong.GetRawText(), Does.Contain("declared.destination"));
        await _host.MustAsync(agent, $"/v1/{task}/leases:issue", """{"role":"providers/tokens/roles/reader","parameters":{"table":"orders"},"declared":{"destination":"replica.example"}}""");
    }

    [Test]
    public async Task Says_what_policy_denied_and_keeps_the_decision()
    {
        var agent = _host.Workload("agent-denied");
        var task = (await _host.MustAsync(agent, "/v1/tasks", """{"intent":{"what":"a"}}""")).GetProperty("name").GetString()!;
        var (response, error) = await _host.RestAsync(agent, HttpMethod.Post, $"/v1/{task}/leases:issue", """{"role":"providers/tokens/roles/reader","parameters":{"table":"items"}}""");

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        var info = error.GetProperty("details")[0];
        Assert.That(info.GetProperty("reason").GetString(), Is.EqualTo("POLICY_DENIED"));
        var (_, decision) = await _host.RestAsync(_host.Person("root"), HttpMethod.Get, "/v1/" + info.GetProperty("metadata").GetProperty("decision").GetString());
        Assert.That((decision.GetProperty("effect").GetString(), decision.GetProperty("action").GetString()), Is.EqualTo(("FORBID", "issue")));
    }

    [Test]
    public async Task Answers_a_task_that_is_another_s_as_one_that_is_not_there()
    {
        var task = (await _host.MustAsync(_host.Workload("agent-owner"), "/v1/tasks", """{"intent":{"what":"a"}}""")).GetProperty("name").GetString()!;
        var stranger = _host.Workload("agent-stranger");
        var (theirs, theirsBody) = await _host.RestAsync(stranger, HttpMethod.Get, "/v1/" + task);
        var missing = task[..^1] + (task[^1] == '0' ? '1' : '0');
        var (none, noneBody) = await _host.RestAsync(stranger, HttpMethod.Get, "/v1/" + missing);

        Assert.That((theirs.StatusCode, none.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.NotFound)));
        Assert.That(theirsBody.GetRawText().Replace(task, missing, StringComparison.Ordinal), Is.EqualTo(noneBody.GetRawText()));
        var (twin, _) = await _host.RestAsync(_host.Workload("agent-owner", run: "2"), HttpMethod.Post, $"/v1/{task}:end", """{"outcome":"FAILED"}""");
        Assert.That(twin.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden), "a twin of the same name has no part in it");
    }

    [Test]
    public async Task Refuses_callers_that_are_not_known_in_the_same_form_on_both_transports()
    {
        var (missing, missingBody) = await _host.RestAsync(null, HttpMethod.Get, "/v1/tasks");
        var (garbage, garbageBody) = await _host.RestAsync("a.b.c", HttpMethod.Post, "/v1/tasks", "{this is not even json");
        var tasks = new Tasks.TasksClient(_host.Channel);
        var grpc = (await Assert.ThrowsAsync<RpcException>(async () => await tasks.ListTasksAsync(new ListTasksRequest())))!;
        var rejected = (await Assert.ThrowsAsync<RpcException>(async () => await tasks.ListTasksAsync(new ListTasksRequest(), SurfaceHost.As("a.b.c"))))!;

        Assert.That((missing.StatusCode, garbage.StatusCode), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized)));
        Assert.That(missing.Headers.WwwAuthenticate.ToString(), Is.EqualTo("Bearer"));
        Assert.That(new[] { missingBody, garbageBody }.Select(ReasonOf), Is.EqualTo(new[] { "CREDENTIALS_MISSING", "TOKEN_REJECTED" }));
        Assert.That(new[] { grpc, rejected }.Select(e => (e.StatusCode, e.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason)),
            Is.EqualTo(new[] { (StatusCode.Unauthenticated, "CREDENTIALS_MISSING"), (StatusCode.Unauthenticated, "TOKEN_REJECTED") }));
    }

    [Test]
    public async Task Hides_the_registry_from_workloads_and_lets_root_read_it()
    {
        var agent = _host.Workload("agent-curious");
        var (get, _) = await _host.RestAsync(agent, HttpMethod.Get, "/v1/providers/tokens");
        var (_, list) = await _host.RestAsync(agent, HttpMethod.Get, "/v1/providers");
        var (create, _) = await _host.RestAsync(agent, HttpMethod.Post, "/v1/providers?providerId=mine", """{"type":"token"}""");
        var (types, _) = await _host.RestAsync(agent, HttpMethod.Get, "/v1/providerTypes/token");
        var (_, role) = await _host.RestAsync(_host.Person("root"), HttpMethod.Get, "/v1/providers/tokens/roles/reader");

        Assert.That((get.StatusCode, create.StatusCode, types.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.Forbidden, HttpStatusCode.OK)));
        Assert.That(list.TryGetProperty("providers", out var providers) ? providers.GetArrayLength() : 0, Is.Zero);
        Assert.That(role.GetProperty("revocability").GetString(), Is.EqualTo("DELETES"));
    }

    [Test]
    public async Task Updates_by_mask_and_etag_and_refuses_what_is_stale()
    {
        var root = _host.Person("root");
        var made = await _host.MustAsync(root, "/v1/providers?providerId=temporary", """{"type":"token","owner":"a","maxTtl":"60s"}""");
        var (_, changed) = await _host.RestAsync(root, HttpMethod.Patch, "/v1/providers/temporary?updateMask=owner", """{"owner":"b"}""");
        var stale = made.GetProperty("etag").GetString();
        var (conflict, error) = await _host.RestAsync(root, HttpMethod.Patch, "/v1/providers/temporary", $$"""{"owner":"c","etag":"{{stale}}"}""");
        var (taken, takenError) = await _host.RestAsync(root, HttpMethod.Post, "/v1/providers?providerId=temporary", """{"type":"token"}""");
        var (dry, _) = await _host.RestAsync(root, HttpMethod.Patch, "/v1/providers/temporary?validateOnly=true", """{"owner":"d"}""");
        var (_, after) = await _host.RestAsync(root, HttpMethod.Get, "/v1/providers/temporary");
        var (deleted, _) = await _host.RestAsync(root, HttpMethod.Delete, "/v1/providers/temporary");
        var (again, againError) = await _host.RestAsync(root, HttpMethod.Post, "/v1/providers?providerId=temporary", """{"type":"token"}""");

        Assert.That((changed.GetProperty("owner").GetString(), changed.GetProperty("maxTtl").GetString()), Is.EqualTo(("b", "60s")));
        Assert.That((conflict.StatusCode, ReasonOf(error)), Is.EqualTo((HttpStatusCode.Conflict, "ETAG_MISMATCH")));
        Assert.That((taken.StatusCode, ReasonOf(takenError)), Is.EqualTo((HttpStatusCode.Conflict, "ALREADY_EXISTS")));
        Assert.That((dry.StatusCode, after.GetProperty("owner").GetString()), Is.EqualTo((HttpStatusCode.OK, "b")));
        Assert.That((deleted.StatusCode, again.StatusCode, ReasonOf(againError)), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.Conflict, "NAME_WAS_USED")));
    }

    [Test]
    public async Task Refuses_the_etag_of_another_resource_on_both_transports()
    {
        var root = _host.Person("root");
        var one = await _host.MustAsync(root, "/v1/providers?providerId=etag-one", """{"type":"token","owner":"a"}""");
        await _host.MustAsync(root, "/v1/providers?providerId=etag-two", """{"type":"token","owner":"a"}""");
        var etag = one.GetProperty("etag").GetString()!;
        var (patched, patchError) = await _host.RestAsync(root, HttpMethod.Patch, "/v1/providers/etag-two", $$"""{"owner":"c","etag":"{{etag}}"}""");
        var (deleted, deleteError) = await _host.RestAsync(root, HttpMethod.Delete, $"/v1/providers/etag-two?etag={etag}");
        var providers = new Contracts.V1.Providers.ProvidersClient(_host.Channel);
        var grpc = await Assert.ThrowsAsync<RpcException>(async () => await providers.DeleteProviderAsync(new DeleteProviderRequest { Name = "providers/etag-two", Etag = etag }, SurfaceHost.As(root)));

        Assert.That((patched.StatusCode, deleted.StatusCode, grpc!.StatusCode), Is.EqualTo((HttpStatusCode.Conflict, HttpStatusCode.Conflict, StatusCode.Aborted)));
        Assert.That(new[] { ReasonOf(patchError), ReasonOf(deleteError), ReasonOf(grpc) }, Is.All.EqualTo("ETAG_MISMATCH"));
        await providers.DeleteProviderAsync(new DeleteProviderRequest { Name = "providers/etag-one", Etag = etag }, SurfaceHost.As(root));
    }

    [Test]
    public async Task A_repeated_suspension_is_the_same_on_both_transports()
    {
        var root = _host.Person("root");
        await _host.MustAsync(root, "/v1/providers?providerId=leaky", """{"type":"token"}""");
        var made = await _host.MustAsync(root, "/v1/suspensions?requestId=s-1", """{"target":"providers/leaky","reason":"it leaks"}""");
        var suspensions = new Suspensions.SuspensionsClient(_host.Channel);
        var request = new CreateSuspensionRequest { RequestId = "s-1", Suspension = new Suspension { Target = "providers/leaky", Reason = "it leaks" } };
        var again = await suspensions.CreateSuspensionAsync(request, SurfaceHost.As(root));
        request.Suspension.Reason = "another";
        var grpc = await Assert.ThrowsAsync<RpcException>(async () => await suspensions.CreateSuspensionAsync(request, SurfaceHost.As(root)));
        var (other, error) = await _host.RestAsync(root, HttpMethod.Post, "/v1/suspensions?requestId=s-1", """{"target":"providers/leaky","reason":"another"}""");

        Assert.That(again.Name, Is.EqualTo(made.GetProperty("name").GetString()));
        Assert.That((other.StatusCode, ReasonOf(error), ReasonOf(grpc!)), Is.EqualTo((HttpStatusCode.Conflict, "REQUEST_ID_REUSED", "REQUEST_ID_REUSED")));
    }

    [Test]
    public async Task Names_every_fault_of_a_configuration_and_of_a_policy()
    {
        var root = _host.Person("root");
        var (_, config) = await _host.RestAsync(root, HttpMethod.Post, "/v1/providers?providerId=wrong", """{"type":"token","config":{"audience":[]}}""");
        var (_, policy) = await _host.RestAsync(root, HttpMethod.Post, "/v1/policySets?policySetId=wrong", """{"kind":"SCOPED","text":"permit (principal, action == Action::\"isue\", resource);"}""");

        Assert.That((ReasonOf(config), FieldsOf(config)[0]), Is.EqualTo(("CONFIGURATION_INVALID", "provider.config.audience")));
        Assert.That((ReasonOf(policy), FieldsOf(policy)[0]), Is.EqualTo(("POLICY_INVALID", "policySet.text")));
    }

    [Test]
    public async Task Suspends_and_lifts()
    {
        var root = _host.Person("root");
        var agent = _host.Workload("agent-suspended");
        var task = await _host.MustAsync(agent, "/v1/tasks", """{"intent":{"what":"a"}}""");
        var workload = task.GetProperty("opener").GetProperty("workload").GetString();
        var made = await _host.MustAsync(root, "/v1/suspensions", $$"""{"target":"{{workload}}","reason":"leaked"}""");
        var (refused, error) = await _host.RestAsync(agent, HttpMethod.Post, $"/v1/{task.GetProperty("name").GetString()}/leases:issue", """{"role":"providers/tokens/roles/reader","parameters":{"table":"orders"}}""");
        var lifted = await _host.MustAsync(root, $"/v1/{made.GetProperty("name").GetString()}:lift", "{}");
        var (own, _) = await _host.RestAsync(root, HttpMethod.Post, "/v1/suspensions", """{"target":"identitySources/people","reason":"me"}""");

        Assert.That((refused.StatusCode, ReasonOf(error)), Is.EqualTo((HttpStatusCode.Forbidden, "SUSPENDED")));
        Assert.That((made.GetProperty("active").GetBoolean(), lifted.GetProperty("active").GetBoolean()), Is.EqualTo((true, false)));
        Assert.That(own.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task Ends_a_task_by_a_signed_signal_once()
    {
        var agent = _host.Workload("agent-hooked", run: "77");
        var task = (await _host.MustAsync(agent, "/v1/tasks", """{"intent":{"what":"a"}}""")).GetProperty("name").GetString()!;
        var body = $$$"""{"type":"task.ended","data":{"task":"{{{task}}}","outcome":"cancelled"}}""";
        var unsigned = await SignalAsync("ci", body, "msg_1", sign: false);
        var unknown = await SignalAsync("nobody", body, "msg_1", sign: true);
        var signed = await SignalAsync("ci", body, "msg_1", sign: true);
        var again = await SignalAsync("ci", body, "msg_1", sign: true);
        var (_, shown) = await _host.RestAsync(agent, HttpMethod.Get, "/v1/" + task);

        Assert.That((unsigned.StatusCode, unknown.StatusCode), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized)));
        Assert.That(await unsigned.Content.ReadAsStringAsync(), Is.EqualTo(await unknown.Content.ReadAsStringAsync()));
        Assert.That((signed.StatusCode, again.StatusCode), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.NoContent)));
        Assert.That((shown.GetProperty("state").GetString(), shown.GetProperty("endReason").GetString(), shown.GetProperty("outcome").GetString()), Is.EqualTo(("ENDED", "HOOK", "CANCELLED")));
    }

    [Test]
    public async Task Publishes_each_key_family_below_its_own_issuer()
    {
        foreach (var (family, algorithm) in new[] { ("lease", "ES256"), ("federation", "RS256"), ("receipt", "ES256") })
        {
            var (_, metadata) = await _host.RestAsync(null, HttpMethod.Get, $"/{family}/.well-known/openid-configuration");
            var (_, keys) = await _host.RestAsync(null, HttpMethod.Get, $"/{family}/.well-known/jwks.json");

            Assert.That(metadata.GetProperty("issuer").GetString(), Does.EndWith("/" + family));
            Assert.That(keys.GetProperty("keys")[0].GetProperty("alg").GetString(), Is.EqualTo(algorithm));
            Assert.That(keys.GetRawText(), Does.Not.Contain("\"d\""), "no private part");
        }
    }

    [Test]
    public async Task Answers_health_readiness_openapi_and_reflection_to_anybody()
    {
        using var health = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        using var ready = new HttpRequestMessage(HttpMethod.Get, "/readyz");
        Assert.That((await _host.SendAsync(health)).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await _host.SendAsync(ready)).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var (_, openapi) = await _host.RestAsync(null, HttpMethod.Get, "/openapi/v1.json");
        Assert.That(openapi.GetProperty("openapi").GetString(), Does.StartWith("3.1"));
    }

    [TestCase("token=garbage")]
    [TestCase("token=eyJhbGciOiJub25lIn0.e30.")]
    [TestCase("token=%FF%FE")]
    [TestCase("token=%00")]
    public async Task Answers_every_token_that_is_none_alike(string form)
    {
        using var request = Form(form, _host.Workload("service"));
        var response = await _host.SendAsync(request);

        Assert.That((response.StatusCode, await response.Content.ReadAsStringAsync()), Is.EqualTo((HttpStatusCode.OK, """{"active":false}""")));
    }

    [TestCase("")]
    [TestCase("token=")]
    [TestCase("token=a&token=b")]
    [TestCase("other=a")]
    public async Task Needs_one_token_to_introspect(string form)
    {
        using var request = Form(form, _host.Workload("service"));

        Assert.That((await _host.SendAsync(request)).StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private async Task<JsonElement> IntrospectAsync(string token)
    {
        using var request = Form("token=" + token, _host.Workload("service"));
        return JsonSerializer.Deserialize<JsonElement>(await (await _host.SendAsync(request)).Content.ReadAsStringAsync());
    }

    private static HttpRequestMessage Form(string form, string token) => new(HttpMethod.Post, "/oauth2/introspect")
    {
        Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded"),
        Headers = { Authorization = new("Bearer", token) },
    };

    private async Task<HttpResponseMessage> SignalAsync(string hook, string body, string id, bool sign)
    {
        var timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var key = sign ? StandardWebhooks.ReadSecret(SurfaceHost.HookSecret)! : new byte[32];
        var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/hooks/{hook}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", "v1," + signature);
        return await _host.SendAsync(request);
    }

    private static string? ReasonOf(RpcException error) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;

    private static string? ReasonOf(JsonElement error) => error.GetProperty("details")[0].GetProperty("reason").GetString();

    private static List<string?> FieldsOf(JsonElement error) =>
        [.. error.GetProperty("details").EnumerateArray().Where(d => d.TryGetProperty("fieldViolations", out _)).SelectMany(d => d.GetProperty("fieldViolations").EnumerateArray()).Select(v => v.GetProperty("field").GetString())];
}
