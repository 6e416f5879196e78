using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Azure.Identity;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests;

public sealed class LogInTests
{
    [Test]
    public async Task Logs_in_by_its_own_assertion_in_one_call()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
        var calls = target.Host.Log.All.Where(request => request.Host == "login.microsoftonline.com").ToList();
        Assert.That(calls.Select(request => request.Path).Distinct(), Is.EqualTo(new[] { $"/{target.Azure.Tenant.Id}/oauth2/v2.0/token" }), "no discovery");
        Assert.That(calls, Has.Count.EqualTo(3), "one for each audience");
    }

    [Test]
    public async Task A_federated_credential_for_somebody_else_lets_nobody_in()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        target.Azure.ByHand(_ =>
        {
            var own = target.Azure.Broker.Federated.Single();
            target.Azure.Broker.Federated[0] = own with { Subject = $"{own.Subject}x" };
            return true;
        });
        await using var provider = target.Connect();
        var failure = await Failure.OfAsync(() => provider.CheckAsync(CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(ProviderFault.Denied));
        Assert.That(failure.Message, Does.Contain("700213").And.Contain($"audience {target.Context.Identity.Audience}"), "and says what must be trusted");
    }

    [Test]
    public void Who_could_not_be_asked_has_denied_nothing()
    {
        var unasked = new AuthenticationFailedException("No.", new AggregateException(new HttpRequestException("Name or service not known")));
        Assert.That(Faults.Translate(unasked, makes: false, CancellationToken.None)!.Fault, Is.EqualTo(ProviderFault.Unreachable));
        Assert.That(Faults.Translate(new AuthenticationFailedException("No."), makes: false, CancellationToken.None)!.Fault, Is.EqualTo(ProviderFault.Denied));
    }

    [Test]
    public async Task What_a_listener_in_the_place_of_Microsoft_catches_is_for_that_listener_alone()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        Assert.That(target.Type.AssertionHostOf(target.Configuration), Is.Empty, "Microsoft's own token endpoint cannot be changed");
        var repointed = target.Configure(document =>
        {
            document["endpoints"] = new JsonObject { ["authority"] = "https://localhost:8443", ["graph"] = "https://localhost:8443", ["resourceManager"] = "https://localhost:8443" };
            document.Remove("vaults");
        });
        Assert.That(target.Type.Validate(repointed), Is.Empty);
        Assert.That(target.Type.AssertionHostOf(repointed), Is.EqualTo("localhost"), "the audience of what is sent there ends in it");
    }

    [Test]
    public async Task A_lease_s_assertion_is_not_the_broker_s()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        var assertion = await target.Context.Identity.MintLeaseAssertionAsync(Uid.New(target.Clock.Broker), CancellationToken.None);
        using var client = target.Host.CreateClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = target.Azure.BrokerClientId,
            ["scope"] = "https://graph.microsoft.com/.default",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = assertion.Reveal(),
        });
        using var answer = await client.PostAsync(new Uri($"https://login.microsoftonline.com/{target.Azure.Tenant.Id}/oauth2/v2.0/token"), form);
        Assert.That((int)answer.StatusCode, Is.EqualTo(401));
    }

    [Test]
    public async Task A_client_secret_works_and_is_warned_about()
    {
        const string Secret = "S3cr3t~marked";
        await using var target = await Target.CreateAsync(Timing.Immediate(), secrets: new Dictionary<string, string> { ["azure"] = Secret });
        target.Azure.ByHand(_ =>
        {
            target.Azure.Broker.Passwords.Add(new PasswordObject(Tenant.NewId(), "standing", Secret, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch));
            return true;
        });
        var configuration = target.Configure(document => document["credential"] = Credential(target, "client-secret"));
        Assert.That(target.Type.SecretsOf(configuration).Single(), Is.EqualTo(new SecretUse(new SecretRef("azure"), "login.microsoftonline.com")));
        await using var provider = target.Connect(configuration);
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Healthy);
        Assert.That(health.Findings.Single(finding => finding.Subject == "log-in").Level, Is.EqualTo(FindingLevel.Warning));

        target.Azure.ByHand(_ => target.Azure.Broker.Passwords.RemoveAll(_ => true));
        target.Clock.Advance(TimeSpan.FromMinutes(6));
        var failure = await Failure.OfAsync(() => provider.CheckAsync(CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(ProviderFault.Denied));
        Assert.That(failure.ToString(), Does.Not.Contain(Secret));
    }

    [Test]
    public async Task A_certificate_works_and_is_warned_about()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=broker", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(30));
        var pem = $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}";
        await using var target = await Target.CreateAsync(Timing.Immediate(), secrets: new Dictionary<string, string> { ["azure"] = pem, ["broken"] = "no certificate" });
        target.Azure.ByHand(_ =>
        {
            target.Azure.Broker.Certificates[System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(certificate.RawData))] = key;
            return true;
        });
        await using var provider = target.Connect(target.Configure(document => document["credential"] = Credential(target, "client-certificate")));
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Healthy);
        Assert.That(health.Findings.Single(finding => finding.Subject == "log-in").Level, Is.EqualTo(FindingLevel.Warning));

        await using var broken = target.Connect(target.Configure(document => document["credential"] = Credential(target, "client-certificate", "broken")));
        Assert.That((await Failure.OfAsync(() => broken.CheckAsync(CancellationToken.None))).Fault, Is.EqualTo(ProviderFault.Misconfigured));
    }

    [Test]
    public async Task Another_tenant_is_told_apart()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect(target.Configure(document => document["tenantId"] = Tenant.NewId()));
        var failure = await Failure.OfAsync(() => provider.CheckAsync(CancellationToken.None));
        Assert.That(failure.Fault, Is.EqualTo(ProviderFault.Misconfigured));
        Assert.That(failure.Message, Does.Contain("90002"));
    }

    [Test]
    public async Task A_token_that_is_no_longer_taken_is_replaced_once()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        target.Azure.ByHand(tenant =>
        {
            tenant.Tokens.Clear();
            return true;
        });
        await provider.IssueAsync(target.NewRequest("app-password"), new Journal(), CancellationToken.None);
    }

    [Test]
    public async Task A_throttled_log_in_says_how_long_to_wait_and_made_nothing()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        await using var provider = target.Connect();
        target.Host.Faults.Always(StandInFault.Answers.Throttle(11), request => request.Host == "login.microsoftonline.com");
        var failure = await Failure.OfAsync(() => provider.IssueAsync(target.NewRequest("app-password"), new Journal(), CancellationToken.None));
        Assert.That((failure.Fault, failure.Effect, failure.RetryAfter), Is.EqualTo((ProviderFault.Throttled, ProviderEffect.None, (TimeSpan?)TimeSpan.FromSeconds(11))));
    }

    private static JsonObject Credential(Target target, string kind, string source = "azure") =>
        new() { ["clientId"] = target.Azure.BrokerClientId, ["kind"] = kind, ["secret"] = new JsonObject { ["source"] = source } };
}
