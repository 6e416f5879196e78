using System.Text.Json.Nodes;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class TokenRuleTests
{
    private IdentityHarness _harness = null!;

    [SetUp]
    public async Task Start() => _harness = await IdentityHarness.StartAsync();

    [TearDown]
    public async Task Stop() => await _harness.DisposeAsync();

    [Test]
    public async Task Attests_what_the_token_says_and_nothing_else()
    {
        var source = _harness.Register(spec => spec with
        {
            Oidc = spec.Oidc with
            {
                StableIdClaims = ["ids/owner", "ids/account"],
                InstanceClaims = ["run", "attempt"],
                Attributes = new Dictionary<string, string> { ["branch"] = "ref", ["number"] = "n", ["url"] = "https:~1~1example.com~1x", ["absent"] = "nothing" },
                TeamsClaim = "groups",
            },
        });
        var token = _harness.Mint(new JsonObject
        {
            ["ids"] = new JsonObject { ["owner"] = "o1", ["account"] = 42 },
            ["run"] = "9/1",
            ["attempt"] = 2,
            ["ref"] = "refs/heads/main",
            ["n"] = true,
            ["https://example.com/x"] = "y",
            ["groups"] = new JsonArray("platform", "group/sub"),
        });
        var identity = await _harness.AcceptAsync(token);
        Assert.Multiple(() =>
        {
            Assert.That(identity.SourceUid, Is.EqualTo(source.Uid));
            Assert.That(identity.Workload, Is.EqualTo("ci/agent-1"));
            Assert.That(identity.Environment, Is.EqualTo("test"));
            Assert.That(identity.OperatorOwned || identity.People, Is.False);
            Assert.That(identity.StableIds, Is.EqualTo(new Dictionary<string, string> { ["ids/account"] = "42", ["ids/owner"] = "o1" }));
            Assert.That(identity.Instance, Is.EqualTo("9%2F1/2"));
            Assert.That(identity.Attributes, Is.EqualTo(new Dictionary<string, string> { ["ci/branch"] = "refs/heads/main", ["ci/number"] = "true", ["ci/url"] = "y" }));
            Assert.That(identity.Teams, Is.EqualTo(new[] { "ci/group/sub", "ci/platform" }));
            Assert.That(identity.IssuedAt, Is.EqualTo(_harness.Time.GetUtcNow()));
            Assert.That(identity.ExpiresAt, Is.EqualTo(_harness.Time.GetUtcNow().AddMinutes(5)));
            Assert.That(identity.TokenHash, Does.Match(@"\A[0-9a-f]{64}\z"));
        });
    }

    [Test]
    public async Task An_unknown_issuer_causes_no_traffic()
    {
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.IssuerUnknown));
        _harness.Register();
        foreach (var issuer in new JsonNode?[] { null, 1, "", _harness.Issuer.Issuer + "/", _harness.Issuer.Issuer.ToUpperInvariant(), new JsonArray(_harness.Issuer.Issuer) })
            Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["iss"] = issuer })), Is.EqualTo(RefusalReasons.IssuerUnknown), issuer?.ToJsonString());
        Assert.That(_harness.Issuer.DiscoveryRequests + _harness.Issuer.KeyRequests, Is.Zero);
    }

    [TestCase("\"https://credbroker.example.com/\"")]
    [TestCase("\"HTTPS://credbroker.example.com\"")]
    [TestCase("\"https://credbroker.example.com,other\"")]
    [TestCase("\"https://credbroker.example\"")]
    [TestCase("\"https://credbroker.example.com.evil.example\"")]
    [TestCase("\"\"")]
    [TestCase("[]")]
    [TestCase("[\"https://credbroker.example.com\", 1]")]
    [TestCase("[[\"https://credbroker.example.com\"]]")]
    [TestCase("{\"https://credbroker.example.com\": true}")]
    [TestCase("true")]
    [TestCase("null")]
    public async Task Rejects_a_token_for_another_audience(string audience)
    {
        _harness.Register();
        Assert.That(await _harness.RefuseAsync(WithClaim("aud", audience)), Is.EqualTo(RefusalReasons.AudienceRefused));
        Assert.That(_harness.Issuer.KeyRequests, Is.Zero);
    }

    [Test]
    public async Task Accepts_one_audience_of_several_and_the_installations_own_by_default()
    {
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = null } });
        await _harness.AcceptAsync(WithClaim("aud", "[\"other\", \"credbroker:test01\"]"));
    }

    [Test]
    public async Task The_audience_tells_which_of_two_sources_a_token_is_for()
    {
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["one"] } }, "first");
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["two"] } }, "second");
        Assert.That((await _harness.AcceptAsync(_harness.Mint(audience: "two"))).SourceName, Is.EqualTo("second"));
        Assert.That(await _harness.RefuseAsync(WithClaim("aud", "[\"one\",\"two\"]")), Is.EqualTo(RefusalReasons.AudienceRefused));
    }

    [TestCase(null, RefusalReasons.TokenLifeRefused)]
    [TestCase("\"1795467000\"", RefusalReasons.ClaimRefused)]
    [TestCase("null", RefusalReasons.ClaimRefused)]
    [TestCase("0", RefusalReasons.TokenExpired)]
    [TestCase("-1", RefusalReasons.ClaimRefused)]
    [TestCase("1e300", RefusalReasons.ClaimRefused)]
    [TestCase("99999999999999999999", RefusalReasons.ClaimRefused)]
    [TestCase("9223372036854775808", RefusalReasons.ClaimRefused)]
    [TestCase("253402300799", RefusalReasons.ClaimRefused)]
    [TestCase("1795470301", RefusalReasons.TokenLifeRefused)]
    [TestCase("1795466700", null)]
    [TestCase("1795466671", null)]
    [TestCase("1795466670", RefusalReasons.TokenExpired)]
    [TestCase("1.795470300e9", null)]
    public async Task Judges_the_expiry(string? expires, string? reason)
    {
        _harness.Register();
        var issued = expires is "1795466700" or "1795466671" or "1795466670" ? 1795466600 : 1795466700;
        var token = expires is null ? _harness.Mint(new JsonObject { ["exp"] = null }) : WithClaim("exp", expires, new JsonObject { ["iat"] = issued });
        if (reason is null) await _harness.AcceptAsync(token);
        else Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(reason));
    }

    [TestCase("nbf", 31, RefusalReasons.TokenNotYetValid)]
    [TestCase("iat", 31, RefusalReasons.TokenNotYetValid)]
    [TestCase("nbf", 30, null)]
    [TestCase("iat", 30, null)]
    [TestCase("nbf", -600, null)]
    public async Task Judges_the_beginning(string claim, int seconds, string? reason)
    {
        _harness.Register();
        var token = _harness.Mint(new JsonObject { [claim] = _harness.Time.GetUtcNow().ToUnixTimeSeconds() + seconds });
        if (reason is null) await _harness.AcceptAsync(token);
        else Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(reason));
    }

    [Test]
    public async Task Without_iat_what_remains_of_the_life_counts()
    {
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint(new JsonObject { ["iat"] = null }, lifetime: TimeSpan.FromHours(1)));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["iat"] = null }, lifetime: TimeSpan.FromMinutes(61))), Is.EqualTo(RefusalReasons.TokenLifeRefused));
    }

    [TestCase("nonce")]
    [TestCase("at_hash")]
    [TestCase("c_hash")]
    [TestCase("auth_time")]
    public async Task Rejects_a_persons_log_in_unless_the_operator_said_people(string claim)
    {
        var token = _harness.Mint(new JsonObject { [claim] = "x" });
        var source = _harness.Register();
        Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(RefusalReasons.PersonRefused));
        _harness.Replace(source with { Version = 2, Spec = source.Spec with { People = true } });
        Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(RefusalReasons.PersonRefused), "a source of the API's cannot say people");
        _harness.Replace(source with { Version = 3, Spec = source.Spec with { People = true }, OperatorOwned = true });
        Assert.That((await _harness.AcceptAsync(token)).People, Is.True);
    }

    [TestCase("")]
    [TestCase("a\nb")]
    [TestCase("a\0b")]
    [TestCase("a\u001b[31mb")]
    [TestCase("a\u202eb")]
    [TestCase("a\u200bb")]
    [TestCase("a\u2028b")]
    [TestCase("spiffe://example.org/x")]
    public async Task Rejects_a_hostile_subject(string subject)
    {
        _harness.Register();
        Assert.That(await _harness.RefuseAsync(_harness.Mint(subject: subject)), Is.EqualTo(RefusalReasons.SubjectRefused).Or.EqualTo(RefusalReasons.IssuerUnknown));
    }

    [Test]
    public async Task Rejects_a_missing_numeric_and_long_subject()
    {
        _harness.Register();
        foreach (var subject in new JsonNode?[] { null, 1, new string('s', 2049), new JsonArray("agent-1") })
            Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["sub"] = subject })), Is.EqualTo(RefusalReasons.SubjectRefused));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["sub"] = null, ["Sub"] = "agent-1" })), Is.EqualTo(RefusalReasons.SubjectRefused));
    }

    [Test]
    public async Task Holds_a_source_to_its_prefix_and_required_claims()
    {
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { SubjectPrefix = "agent-", RequiredClaims = new Dictionary<string, string> { ["tenant/id"] = "7" } } });
        var tenant = new JsonObject { ["tenant"] = new JsonObject { ["id"] = 7 } };
        await _harness.AcceptAsync(_harness.Mint(tenant));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(tenant, subject: "admin-1")), Is.EqualTo(RefusalReasons.SubjectRefused));
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.ClaimRefused));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["tenant"] = new JsonObject { ["id"] = 8 } })), Is.EqualTo(RefusalReasons.ClaimRefused));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["tenant/id"] = 7 })), Is.EqualTo(RefusalReasons.ClaimRefused));
    }

    [TestCase("{\"a\":1}")]
    [TestCase("[\"main\"]")]
    [TestCase("1.5")]
    [TestCase("1e3")]
    public async Task Refuses_an_attribute_of_another_form_rather_than_leaving_it_out(string value)
    {
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Attributes = new Dictionary<string, string> { ["branch"] = "ref" } } });
        Assert.That(await _harness.RefuseAsync(WithClaim("ref", value)), Is.EqualTo(RefusalReasons.ClaimRefused));
    }

    [TestCase("{\"admin\":true}")]
    [TestCase("[\"a\", 1]")]
    [TestCase("[\"\"]")]
    [TestCase("[\"a\\u202eb\"]")]
    public async Task Refuses_hostile_teams(string value)
    {
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { TeamsClaim = "groups" } });
        Assert.That(await _harness.RefuseAsync(WithClaim("groups", value)), Is.EqualTo(RefusalReasons.ClaimRefused));
    }

    [Test]
    public async Task Teams_of_two_sources_never_meet()
    {
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["one"], TeamsClaim = "groups" } }, "corp", operatorOwned: true);
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["two"], TeamsClaim = "groups" } }, "ci");
        var claims = new JsonObject { ["groups"] = new JsonArray("admins", "corp/admins") };
        Assert.That((await _harness.AcceptAsync(_harness.Mint(claims, audience: "one"))).Teams, Does.Contain("corp/admins"));
        Assert.That((await _harness.AcceptAsync(_harness.Mint(claims, audience: "two"))).Teams, Is.EqualTo(new[] { "ci/admins", "ci/corp/admins" }));
    }

    [Test]
    public async Task The_brokers_own_issuers_vouch_for_nobody_even_if_they_got_registered()
    {
        _harness.Issuer.ClaimedIssuer = "https://broker.example.com/lease";
        _harness.Register(spec => spec with { Oidc = spec.Oidc with { Issuer = "https://broker.example.com/lease", JwksUri = _harness.Issuer.Issuer + "/keys" } });
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.IssuerUnknown));
    }

    private string WithClaim(string name, string json, JsonObject? further = null)
    {
        var claims = further ?? [];
        claims[name] = "@@";
        var payload = IdentityHarness.PayloadOf(_harness.Mint(claims)).Replace("\"@@\"", json, StringComparison.Ordinal);
        return _harness.Issuer.Sign($$"""{"alg":"ES256","kid":"{{_harness.Issuer.KeyId}}","typ":"JWT"}""", payload);
    }
}
