using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests;

internal sealed class IssueTests
{
    [TestCase("scoped-token", Target.ScopedToken, 600, 2)]
    [TestCase("scoped-token", Target.ScopedToken, 90, 1)]
    [TestCase("scoped-token", """{"policies":["app"],"wrapFor":"1m"}""", 600, 3)]
    [TestCase("dynamic-secret", Target.DynamicSecret, 300, 3)]
    [TestCase("dynamic-secret", Target.DynamicSecret, 600, 4)]
    [TestCase("kv-read", Target.StoredValue, 600, 3)]
    public async Task Takes_as_many_calls_as_documented(string kind, string template, int seconds, int calls)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var before = target.Host.Log.Count;
        var request = target.NewRequest(kind, template, TimeSpan.FromSeconds(seconds));
        var credential = await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        Assert.That(target.Host.Log.Lines(before), Has.Count.EqualTo(calls));
        before = target.Host.Log.Count;
        await provider.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None);
        Assert.That(target.Host.Log.Lines(before), Has.Count.EqualTo(kind == "dynamic-secret" ? 4 : 2));
    }

    [Test]
    public async Task A_token_carries_what_joins_the_targets_log_to_the_brokers_and_no_more()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest("scoped-token", Target.ScopedToken);
        await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        var token = target.Bao.Root.Tokens.FindByAccessor(target.AccessorOf(request.ExternalName))!;
        Assert.That(token.Meta, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["credbroker_name"] = request.ExternalName,
            ["credbroker_mark"] = request.Mark,
            ["credbroker_task"] = request.TaskId.ToString(),
            ["credbroker_lease"] = request.LeaseId.ToString(),
        }));
        Assert.That(token.Policies, Is.EqualTo(new[] { "app" }), "and not default, by which it could renew itself");
        Assert.That(target.Bao.Ask("POST", "auth/token/renew-self", new JsonObject(), token.Id).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task A_token_role_that_adds_policies_is_found_out_before_anybody_has_the_token()
    {
        foreach (var template in new[] { Target.ScopedToken, """{"policies":["app"],"wrapFor":"1m"}""" })
        {
            await using var target = await Target.CreateAsync();
            await using var provider = target.Connect();
            await provider.CheckAsync(CancellationToken.None);
            var request = target.NewRequest("scoped-token", template);
            // As an older server does, which knows no no_default_policy.
            var body = new JsonObject { ["policies"] = new JsonArray("app"), ["display_name"] = request.ExternalName, ["ttl"] = "120s" };
            var answer = target.Bao.Ask("POST", "auth/token/create/broker", body, target.Bao.RootToken, wrap: template.Contains("wrapFor", StringComparison.Ordinal) ? "60s" : null);
            target.Host.Faults.Next(new StandInFault.Answers(answer), asked => asked.Path == "/v1/auth/token/create/broker");
            var failure = await Failure.OfAsync(() => provider.IssueAsync(request, Recorder.Of(), CancellationToken.None));
            Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)), failure.Message);
            Assert.That(failure.Message, Does.Contain("default"));
            Assert.That(target.Lives(request.ExternalName), Is.False);
        }
    }

    [Test]
    public async Task Ends_earlier_where_the_target_gives_less_and_says_so()
    {
        await using var target = await Target.CreateAsync();
        target.Bao.TokenRole("broker", ["app"], max: "5m");
        await using var provider = target.Connect();
        var request = target.NewRequest("scoped-token", Target.ScopedToken, TimeSpan.FromHours(1));
        var credential = await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        Assert.That(credential.ExpiresAt, Is.EqualTo(target.Clock.Broker.GetUtcNow().AddMinutes(5)));
        target.Clock.Broker.Advance(TimeSpan.FromMinutes(5));
        Assert.That(target.Accepts(credential), Is.False);
    }

    [Test]
    public async Task A_renewal_never_passes_what_was_asked_for_although_the_target_would_give_more()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var request = target.NewRequest("dynamic-secret", Target.DynamicSecret);
        var credential = await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        var now = target.Clock.Broker.GetUtcNow();
        var ends = await ((IRenewingProvider)provider).RenewAsync(
            new RenewRequest(request.LeaseId, request.ExternalName, credential.Handle, request.RoleKind, now.AddMinutes(20), now.AddSeconds(30)), CancellationToken.None);
        Assert.That(ends, Is.EqualTo(now.AddMinutes(20)));
        target.Clock.Broker.Advance(TimeSpan.FromMinutes(19));
        Assert.That(target.Accepts(credential));
        target.Clock.Broker.Advance(TimeSpan.FromMinutes(2));
        target.Lives(request.ExternalName);
        Assert.That(target.Accepts(credential), Is.False);
    }

    [Test]
    public async Task A_certificate_without_lease_has_the_life_that_was_asked_for()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var credential = await provider.IssueAsync(target.NewRequest("dynamic-secret", Target.UnleasedCertificate), Recorder.Of(), CancellationToken.None);
        using var certificate = X509Certificate2.CreateFromPem(credential.Fields["certificate"].Value.Reveal(), credential.Fields["private_key"].Value.Reveal());
        Assert.That(new DateTimeOffset(certificate.NotAfter), Is.EqualTo(target.Clock.Broker.GetUtcNow().AddMinutes(10)).Within(TimeSpan.FromSeconds(1)));
        Assert.That(credential.Fields["certificate"].MediaType, Is.EqualTo("application/x-pem-file"));
        Assert.That(credential.Fields.Keys, Is.EquivalentTo(new[] { "certificate", "private_key" }), "what the template names");
    }

    [Test]
    public async Task A_wrapped_token_is_unwrapped_once()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var credential = await provider.IssueAsync(target.NewRequest("scoped-token", """{"policies":["app"],"wrapFor":"1m"}"""), Recorder.Of(), CancellationToken.None);
        var wrapping = credential.Fields["token"].Value.Reveal();
        var unwrapped = JsonNode.Parse(target.Bao.Ask("POST", "sys/wrapping/unwrap", null, wrapping).Body)!["auth"]!["client_token"]!.GetValue<string>();
        Assert.That(target.Bao.Ask("GET", "auth/token/lookup-self", null, unwrapped).Status, Is.EqualTo(200));
        Assert.That(target.Bao.Ask("POST", "sys/wrapping/unwrap", null, wrapping).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task Works_with_a_username_template_that_holds_the_leases_name()
    {
        await using var target = await Target.CreateAsync();
        target.Bao.Database(5432, "named", template: "{{ .DisplayName | truncate 63 }}");
        target.Bao.Policy("app", """path "named/creds/app" { capabilities = ["read"] }""");
        await using var provider = target.Connect();
        var request = target.NewRequest("dynamic-secret", """{"path":"named/creds/app","policies":["app"]}""");
        var credential = await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        Assert.That(credential.Fields["username"].Value.Reveal(), Is.EqualTo($"token-{request.ExternalName}"));
    }

    [TestCaseSource(nameof(HostileAnswers))]
    public async Task Believes_no_answer_that_is_not_the_targets(string name, StandInAnswer answer, int call)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var seen = 0;
        target.Host.Faults.Always(new StandInFault.Answers(answer), asked => Target.Creates(asked) && seen++ == call);
        var recorder = Recorder.Of();
        var request = target.NewRequest("dynamic-secret", Target.DynamicSecret);
        var failure = await Failure.OfAsync(() => provider.IssueAsync(request, recorder, CancellationToken.None));
        Assert.That(failure.Message, Has.Length.LessThan(1000).And.Not.Contain("s.SECRETSECRETSECRETSECRET"));
        Assert.That(failure.Message.Any(char.IsControl), Is.False);
        target.Host.Faults.Clear();
        await target.RevokeUntilDeadAsync(provider, Target.Revoking(request, recorder.Handles.LastOrDefault(), request.Deadline + target.Type.LateEffect));
        Assert.That(target.Lives(request.ExternalName), Is.False);
    }

    private static IEnumerable<TestCaseData> HostileAnswers()
    {
        var answers = new (string Name, StandInAnswer Answer)[]
        {
            ("a proxy's page", StandInAnswer.Of(200, "<html>Welcome</html>", "text/html")),
            ("a proxy's error", StandInAnswer.Of(502, "<html>Bad gateway\r\n\u001b[2J</html>", "text/html")),
            ("a huge answer", StandInAnswer.Of(200, $$"""{"data":"{{new string('a', 3_000_000)}}"}""", "application/json")),
            ("a deep answer", StandInAnswer.Of(200, $"{{\"data\":{new string('[', 5000)}{new string(']', 5000)}}}", "application/json")),
            ("wrong types", StandInAnswer.Of(200, """{"auth":[],"data":7,"lease_id":{},"lease_duration":"soon"}""", "application/json")),
            ("an array", StandInAnswer.Of(200, "[]", "application/json")),
            ("nothing", StandInAnswer.Of(200, "", "application/json")),
            ("an empty object", StandInAnswer.Of(200, "{}", "application/json")),
            ("an error that tells a secret", StandInAnswer.Of(400, """{"errors":["bad token s.SECRETSECRETSECRETSECRET\n\u001b[31m"]}""", "application/json")),
            ("a redirect", StandInAnswer.Empty(307).With("Location", "https://evil.example/")),
            ("a token that lives no time", StandInAnswer.Of(200, """{"auth":{"client_token":"s.x","accessor":"a","policies":["app"],"lease_duration":0}}""", "application/json")),
        };
        foreach (var (name, answer) in answers)
            for (var call = 0; call < 3; call++) yield return new TestCaseData(name, answer, call).SetArgDisplayNames(name, $"call {call}");
    }
}
