using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests;

internal sealed class LogInTests
{
    [Test]
    public async Task Logs_in_with_the_brokers_own_signature_so_that_no_secret_is_configured()
    {
        await using var target = await Target.CreateAsync();
        var identity = (TestIdentity)target.Context.Identity;
        target.Bao.Jwt("jwt", identity.PublicKeyPem, identity.Issuer, identity.Audience, identity.Subject);
        var configuration = target.Configure(auth: new JsonObject { ["jwt"] = new JsonObject { ["role"] = "broker" } });
        Assert.That(target.Type.SecretsOf(configuration), Is.Empty);
        await using var provider = target.Connect(configuration);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
    }

    [Test]
    public async Task Is_refused_with_the_signature_of_another_broker()
    {
        await using var target = await Target.CreateAsync();
        using var other = new TestIdentity(target.Clock.Broker, Uid.New(target.Clock.Broker));
        var identity = (TestIdentity)target.Context.Identity;
        target.Bao.Jwt("jwt", other.PublicKeyPem, identity.Issuer, identity.Audience, identity.Subject);
        await using var provider = target.Connect(target.Configure(auth: new JsonObject { ["jwt"] = new JsonObject { ["role"] = "broker" } }));
        var failure = await Failure.OfAsync(() => provider.CheckAsync(CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(ProviderFault.Denied));
        Assert.That(failure.Message, Does.Not.Contain("eyJ"));
    }

    [Test]
    public async Task Logs_in_with_a_service_accounts_token()
    {
        await using var target = await Target.CreateAsync();
        using var cluster = new TestIdentity(target.Clock.Broker, Uid.New(target.Clock.Broker));
        target.Bao.Jwt("kubernetes", cluster.PublicKeyPem, cluster.Issuer, cluster.Audience, cluster.Subject);
        var token = (await cluster.MintAssertionAsync(CancellationToken.None)).Reveal();
        var context = TestContexts.Create(target.Clock.Broker, new Dictionary<string, string> { ["sa"] = $"{token}\n" }, egress: target.Host.Egress);
        var configuration = target.Configure(auth: new JsonObject { ["kubernetes"] = new JsonObject { ["role"] = "broker", ["token"] = new JsonObject { ["source"] = "sa" } } });
        Assert.That(target.Type.SecretsOf(configuration), Is.EqualTo(new[] { new SecretUse(new SecretRef("sa"), target.Host.Address.Authority) }), "nothing proves a host without TLS: its port counts too");
        await using var provider = target.Connect(configuration, context);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
    }

    [Test]
    public async Task Logs_in_once_whoever_waits_for_it()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken), Recorder.Of(), CancellationToken.None)));
        Assert.That(target.Host.Log.Lines().Count(line => line.EndsWith("/login", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task Renews_its_own_token_in_time_and_logs_in_anew_at_its_largest_life()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var credential = await provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken, TimeSpan.FromHours(3)), Recorder.Of(), CancellationToken.None);
        for (var minutes = 0; minutes < 300; minutes += 20)
        {
            target.Clock.Broker.Advance(TimeSpan.FromMinutes(20));
            await provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken, TimeSpan.FromSeconds(60)), Recorder.Of(), CancellationToken.None);
            if (minutes == 120) Assert.That(target.Accepts(credential), "what was issued outlives the log-in that made it: it is an orphan");
        }

        var lines = target.Host.Log.Lines();
        Assert.That(lines.Count(line => line.EndsWith("/renew-self", StringComparison.Ordinal)), Is.GreaterThan(2));
        Assert.That(lines.Count(line => line.EndsWith("/login", StringComparison.Ordinal)), Is.EqualTo(2));
    }

    [Test]
    public async Task Logs_in_anew_when_its_token_is_not_known_any_more_and_makes_no_second_credential()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        target.Bao.Locked(() =>
        {
            foreach (var token in target.Bao.Root.Tokens.All.Where(token => token.DisplayName == "approle").ToList()) target.Bao.Root.Tokens.Revoke(token);
        });
        var request = target.NewRequest("scoped-token", Target.ScopedToken);
        var credential = await provider.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        Assert.That(target.Accepts(credential));
        Assert.That(target.AccessorOf(request.ExternalName), Is.Not.Empty, "there is exactly one");
    }

    [Test]
    public async Task Refuses_an_address_that_leads_to_two_clusters()
    {
        await using var target = await Target.CreateAsync();
        var other = new OpenBao(target.Clock);
        await using var provider = target.Connect();
        var second = other.Answer(new StandInRequest("GET", "localhost", "/v1/sys/health", new Dictionary<string, string>(), []));
        var health = 0;
        target.Host.Faults.Always(new StandInFault.Answers(second), request => request.Path == "/v1/sys/health" && ++health == 2);
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken), Recorder.Of(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect), Is.EqualTo((ProviderFault.TargetMismatch, ProviderEffect.None)));
    }

    [TestCase(ServerState.Sealed, false, ProviderFault.Unreachable)]
    [TestCase(ServerState.Active, true, ProviderFault.Unreachable)]
    public async Task Tells_a_server_that_is_not_ready_from_one_that_refuses(ServerState state, bool warming, ProviderFault fault)
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        (target.Bao.State, target.Bao.Warming) = (state, warming);
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("scoped-token", Target.ScopedToken), Recorder.Of(), CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(fault));
        (target.Bao.State, target.Bao.Warming) = (ServerState.Active, false);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
    }

    [Test]
    public async Task Works_within_a_namespace_and_tells_it_from_another()
    {
        await using var target = await Target.CreateAsync();
        target.Bao.Admin("POST", "sys/namespaces/team-a", new JsonObject());
        target.Bao.Policy("broker", $"{Administrator.BrokerPolicy}\n{Administrator.ListingPolicy}", "team-a");
        target.Bao.Policy("app", """path "auth/token/lookup-self" { capabilities = ["read"] }""", "team-a");
        target.Bao.TokenRole("broker", ["app"], "team-a");
        var (roleId, secretId) = target.Bao.AppRole("broker", "team-a");
        var context = TestContexts.Create(target.Clock.Broker, new Dictionary<string, string> { ["s"] = secretId }, egress: target.Host.Egress);
        var auth = new JsonObject { ["appRole"] = new JsonObject { ["roleId"] = roleId, ["secretId"] = new JsonObject { ["source"] = "s" } } };
        await using var inTeam = target.Connect(target.Configure(auth: auth, inNamespace: "team-a"), context);
        await using var inRoot = target.Connect();
        Assert.That((await inTeam.CheckAsync(CancellationToken.None)).TargetIdentity, Is.EqualTo($"{target.Bao.ClusterId}/team-a"));
        var request = target.NewRequest("scoped-token", Target.ScopedToken);
        var credential = await inTeam.IssueAsync(request, Recorder.Of(), CancellationToken.None);
        Assert.That(credential.Fields["namespace"].Value.Reveal(), Is.EqualTo("team-a"));
        var elsewhere = await Failure.OfAsync(() => inRoot.RevokeAsync(Target.Revoking(request, credential.Handle), CancellationToken.None));
        Assert.That(elsewhere.Fault, Is.EqualTo(ProviderFault.TargetMismatch));
        Assert.That(await target.RevokeUntilDeadAsync(inTeam, Target.Revoking(request, credential.Handle)), Is.InstanceOf<RevokeOutcome.Gone>());
    }

    [Test]
    public async Task Sends_the_header_that_no_form_and_no_link_can_send()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.IssueAsync(target.NewRequest("dynamic-secret", Target.DynamicSecret), Recorder.Of(), CancellationToken.None);
        Assert.That(target.Host.Log.All.Select(request => request.Header("X-Vault-Request")), Is.All.EqualTo("true"));
    }
}
