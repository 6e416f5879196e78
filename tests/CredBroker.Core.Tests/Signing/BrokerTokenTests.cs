using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Identity;
using CredBroker.Core.Signing;
using CredBroker.Core.Tests.Identity;

namespace CredBroker.Core.Tests.Signing;

[TestFixture]
internal sealed class BrokerTokenTests
{
    private readonly MemoryKeyStore _store = new();
    private IdentityHarness _harness = null!;
    private KeyRing _ring = null!;
    private LeaseTokenSigner _signer = null!;
    private LeaseTokenVerifier _verifier = null!;
    private BrokerTokens _tokens = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _harness = await IdentityHarness.StartAsync();
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["credbroker:test01", "https://audience.example.org"], Typ = ["JWT", "at+jwt"] } });
        _ring = new KeyRing(_store, IdentityHarness.Installation, _harness.Time);
        await _ring.EnsureAsync(CancellationToken.None);
        _signer = new LeaseTokenSigner(_ring, IdentityHarness.Installation, new ReservedAudiences(IdentityHarness.Installation, _harness), _harness.Time);
        _verifier = new LeaseTokenVerifier(_ring, IdentityHarness.Installation, _harness.Time);
        _tokens = new BrokerTokens(_ring, IdentityHarness.Installation, _harness.Time);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _harness.DisposeAsync();

    [Test]
    public async Task A_lease_token_says_what_it_is_for()
    {
        var lease = Lease() with { Scopes = ["read", "write"], Claims = new Dictionary<string, string> { ["purpose"] = "nightly \"build\"" } };
        var text = (await _signer.SignAsync(lease, CancellationToken.None)).Reveal();
        var token = StrictJwt.Parse(text).Token!;
        var verified = await _verifier.VerifyAsync(text);
        Assert.Multiple(() =>
        {
            Assert.That((token.Algorithm, token.Type), Is.EqualTo(("ES256", "at+jwt")));
            Assert.That(token.Claims.EnumerateObject().Select(claim => claim.Name),
                Is.EquivalentTo(new[] { "iss", "sub", "client_id", "aud", "iat", "exp", "jti", "task_id", "scope", "purpose" }));
            Assert.That(token.String("purpose"), Is.EqualTo("nightly \"build\""));
            Assert.That(verified, Is.EqualTo(new VerifiedLeaseToken(
                lease.LeaseId, lease.TaskId, lease.Subject, lease.Audience, "read write", _harness.Time.GetUtcNow(), lease.ExpiresAt)));
        });
    }

    [TestCase("sts.amazonaws.com")]
    [TestCase("STS.AMAZONAWS.COM")]
    [TestCase("https://sts.amazonaws.com/")]
    [TestCase("https://sts.eu-west-1.amazonaws.com")]
    [TestCase("sts.amazonaws.com.cn")]
    [TestCase("api://AzureADTokenExchange")]
    [TestCase("api://azureadtokenexchangeusgov")]
    [TestCase("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x")]
    [TestCase("https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x")]
    [TestCase("https://oauth2.googleapis.com/token")]
    [TestCase("https://login.microsoftonline.com/tenant/oauth2/v2.0/token")]
    [TestCase("sigstore")]
    [TestCase("credbroker:test01")]
    [TestCase("credbroker:test01:provider:00000000000000000000000000")]
    [TestCase("https://broker.example.com")]
    [TestCase("https://BROKER.example.com:443/")]
    [TestCase("https://broker.example.com/lease")]
    [TestCase("https://broker.example.com/%6cease")]
    [TestCase("https://audience.example.org")]
    [TestCase("https://audience.example.org/")]
    [TestCase("HTTPS://AUDIENCE.EXAMPLE.ORG")]
    public async Task A_reserved_audience_is_refused(string audience)
    {
        Assert.That(_signer.IsReservedAudience(audience), Is.True);
        Assert.That(await RefusalOfAsync(Lease() with { Audience = audience }), Is.EqualTo((ProviderFault.Misconfigured, ProviderEffect.None)));
    }

    [TestCase("https://service.example.com")]
    [TestCase("orders")]
    [TestCase("https://notamazonaws.com")]
    [TestCase("http://127.0.0.1:9000")]
    [TestCase("spiffe://example.org/orders")]
    public void A_services_audience_is_not_reserved(string audience) => Assert.That(_signer.IsReservedAudience(audience), Is.False);

    [TestCase("iss")]
    [TestCase("sub")]
    [TestCase("AUD")]
    [TestCase("exp")]
    [TestCase("jti")]
    [TestCase("client_id")]
    [TestCase("scope")]
    [TestCase("cnf")]
    [TestCase("task_id")]
    [TestCase("groups")]
    [TestCase("nonce")]
    [TestCase("")]
    [TestCase("a b")]
    [TestCase("a\n")]
    [TestCase("ä")]
    public async Task A_registered_or_malformed_claim_is_refused(string name) =>
        Assert.That((await RefusalOfAsync(Lease() with { Claims = new Dictionary<string, string> { [name] = "x" } })).Effect, Is.EqualTo(ProviderEffect.None));

    [Test]
    public async Task Hostile_audiences_lives_and_scopes_are_refused()
    {
        var now = _harness.Time.GetUtcNow();
        foreach (var audience in new[] { "", "a b", "a\n", "ä", new string('a', 513) }) await RefusalOfAsync(Lease() with { Audience = audience });
        foreach (var expires in new[] { now, now.AddSeconds(-1), now.AddHours(25) }) await RefusalOfAsync(Lease() with { ExpiresAt = expires });
        foreach (var scope in new[] { "", "a b", "a\"", "a\\" }) await RefusalOfAsync(Lease() with { Scopes = [scope] });
    }

    [Test]
    public async Task Federation_assertions_are_each_providers_own()
    {
        var uid = Uid.New(_harness.Time);
        var identity = new FederationIdentity(_ring, IdentityHarness.Installation, uid, _harness.Time);
        var token = StrictJwt.Parse((await identity.MintAssertionAsync(CancellationToken.None)).Reveal()).Token!;
        var other = new FederationIdentity(_ring, IdentityHarness.Installation, Uid.New(_harness.Time), _harness.Time);
        Assert.Multiple(() =>
        {
            Assert.That((token.Algorithm, token.Type), Is.EqualTo(("RS256", "JWT")));
            Assert.That(token.String("sub"), Is.EqualTo($"test01:provider:{uid}"));
            Assert.That(token.String("aud"), Is.EqualTo(identity.Audience).And.Not.EqualTo(other.Audience));
            Assert.That(token.String("iss"), Is.EqualTo("https://broker.example.com/federation"));
            Assert.That(_signer.IsReservedAudience(identity.Audience), Is.True);
        });
    }

    [Test]
    public async Task A_federation_assertion_says_whom_it_is_sent_to_where_the_configuration_does()
    {
        var uid = Uid.New(_harness.Time);
        var identity = new FederationIdentity(_ring, IdentityHarness.Installation, uid, _harness.Time, "vault.example.com");
        var token = StrictJwt.Parse((await identity.MintAssertionAsync(CancellationToken.None)).Reveal()).Token!;
        Assert.That(token.String("aud"), Is.EqualTo($"credbroker:test01:provider:{uid}:vault.example.com").And.EqualTo(identity.Audience));
        Assert.That(_signer.IsReservedAudience(identity.Audience), Is.True, "no lease token can stand in for it");
    }

    [Test]
    public async Task Every_kind_of_token_is_worth_something_to_its_own_verifier_alone()
    {
        var audience = "credbroker:test01";
        var claims = new Dictionary<string, object>
        {
            ["sub"] = "agent-1",
            ["aud"] = audience,
            ["jti"] = Uid.New(_harness.Time).ToString(),
            ["task_id"] = Uid.New(_harness.Time).ToString(),
            ["iat"] = _harness.Time.GetUtcNow().ToUnixTimeSeconds(),
            ["exp"] = _harness.Time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(),
        };
        var kinds = new Dictionary<string, string> { ["workload"] = _harness.Mint(audience: audience), ["mark"] = new LeaseMarks(IdentityHarness.Installation).Make(Uid.New(_harness.Time)).ToString() };
        foreach (var family in KeyFamilies.All) kinds[family.ToString()] = _tokens.Sign(family, claims).Reveal();
        var verifiers = new Dictionary<string, Func<string, Task<bool>>>
        {
            ["workload"] = async token => await _harness.AttestAsync(token) is Attestation.Attested,
            ["mark"] = token => Task.FromResult(new LeaseMarks(IdentityHarness.Installation).Check(token, out _) == MarkVerdict.Ours),
            ["Lease"] = async token => await _verifier.VerifyAsync(token) is not null,
            ["Federation"] = async token => await _tokens.VerifyAsync(KeyFamily.Federation, token) is not null,
            ["Receipt"] = async token => await _tokens.VerifyAsync(KeyFamily.Receipt, token) is not null,
        };
        foreach (var (kind, token) in kinds)
        {
            foreach (var (verifier, isAccepted) in verifiers)
                Assert.That(await isAccepted(token), Is.EqualTo(kind == verifier), $"a {kind} token at the {verifier} verifier");
        }
    }

    [Test]
    public async Task A_lease_token_is_only_what_our_lease_key_signed_in_its_time()
    {
        var text = (await _signer.SignAsync(Lease(), CancellationToken.None)).Reveal();
        var parts = text.Split('.');
        var genuine = JsonNode.Parse(IdentityHarness.PayloadOf(text))!.AsObject();
        var forged = _harness.Issuer.Sign($$"""{"alg":"ES256","kid":"{{_ring.SignerOf(KeyFamily.Lease).Key.KeyId}}","typ":"at+jwt"}""", genuine.ToJsonString());
        string[] hostile = ["", "a.b.c", parts[0] + "." + parts[1] + ".", text + "x", text[..^4] + "AAAA", forged, new string('a', 100_000)];
        foreach (var token in hostile) Assert.That(await _verifier.VerifyAsync(token), Is.Null, token.Length > 80 ? token[..80] : token);

        var soon = (await _signer.SignAsync(Lease() with { ExpiresAt = _harness.Time.GetUtcNow().AddSeconds(5) }, CancellationToken.None)).Reveal();
        Assert.That(await _verifier.VerifyAsync(soon), Is.Not.Null);
        _harness.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(await _verifier.VerifyAsync(soon), Is.Null);
    }

    private LeaseToken Lease() => new()
    {
        LeaseId = Uid.New(_harness.Time),
        TaskId = Uid.New(_harness.Time),
        Subject = "ci/agent-1",
        Audience = "https://service.example.com",
        ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(_harness.Time.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds()),
    };

    private async Task<(ProviderFault Fault, ProviderEffect Effect)> RefusalOfAsync(LeaseToken token)
    {
        var refusal = await Assert.ThrowsAsync<ProviderException>(async () => await _signer.SignAsync(token, CancellationToken.None));
        return (refusal!.Fault, refusal.Effect);
    }
}
