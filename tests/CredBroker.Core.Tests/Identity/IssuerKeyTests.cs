using System.Text.Json.Nodes;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class IssuerKeyTests
{
    private IdentityHarness _harness = null!;

    [SetUp]
    public async Task Start() => _harness = await IdentityHarness.StartAsync();

    [TearDown]
    public async Task Stop() => await _harness.DisposeAsync();

    [Test]
    public async Task Keys_are_fetched_once_for_many_callers()
    {
        _harness.Register();
        var tokens = Enumerable.Range(0, 50).Select(i => _harness.Mint(subject: $"agent-{i}")).ToArray();
        var attestations = await Task.WhenAll(tokens.Select(_harness.AttestAsync));
        Assert.That(attestations, Is.All.InstanceOf<Attestation.Attested>());
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(1));
        Assert.That(_harness.Issuer.DiscoveryRequests, Is.EqualTo(1));
    }

    [Test]
    public async Task A_new_key_is_fetched_when_its_first_token_comes()
    {
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint());
        _harness.Time.Advance(TimeSpan.FromSeconds(11));
        _harness.Issuer.RotateKey();
        var attestations = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _harness.AttestAsync(_harness.Mint())));
        Assert.That(attestations, Is.All.InstanceOf<Attestation.Attested>());
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(2));
    }

    [Test]
    public async Task A_storm_of_unknown_keys_cannot_make_the_broker_ask_and_ask()
    {
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint());
        for (var second = 0; second < 60; second++)
        {
            for (var i = 0; i < 20; i++)
                Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["kid"] = $"unknown-{second}-{i}" })), Is.EqualTo(RefusalReasons.KeyUnknown));
            _harness.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(_harness.Issuer.KeyRequests, Is.LessThanOrEqualTo(7));
    }

    [Test]
    public async Task An_unknown_key_is_remembered_as_unknown()
    {
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint());
        var token = _harness.MintWithHeader(new JsonObject { ["kid"] = "unknown" });
        _harness.Time.Advance(TimeSpan.FromSeconds(11));
        await _harness.RefuseAsync(token);
        _harness.Time.Advance(TimeSpan.FromSeconds(20));
        await _harness.RefuseAsync(token);
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(2));
    }

    [Test]
    public async Task A_key_that_its_issuer_withdrew_verifies_nothing_any_more()
    {
        _harness.Register();
        var token = _harness.Mint(lifetime: TimeSpan.FromHours(1));
        await _harness.AcceptAsync(token);
        _harness.Issuer.RotateKey(keepOld: false);
        _harness.Time.Advance(TimeSpan.FromSeconds(11));
        await _harness.AcceptAsync(_harness.Mint()); // Brings the new keys.
        Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(RefusalReasons.KeyUnknown), "not even from the cache of verified tokens");
    }

    [Test]
    public async Task An_issuer_that_is_down_is_tolerated_while_keys_are_fresh()
    {
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint());
        _harness.Issuer.Down = true;
        _harness.Time.Advance(TimeSpan.FromHours(24));
        await _harness.RefreshAsync();
        await _harness.AcceptAsync(_harness.Mint());
        _harness.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.IssuerUnavailable));
        _harness.Issuer.Down = false;
        _harness.Time.Advance(TimeSpan.FromSeconds(31));
        await _harness.AcceptAsync(_harness.Mint());
    }

    [Test]
    public async Task An_issuer_that_was_never_reached_is_asked_again_soon()
    {
        _harness.Register();
        _harness.Issuer.Down = true;
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.IssuerUnavailable));
        _harness.Issuer.Down = false;
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.IssuerUnavailable), "not at every request");
        _harness.Time.Advance(TimeSpan.FromSeconds(11));
        await _harness.AcceptAsync(_harness.Mint());
    }

    [Test]
    public async Task The_background_fetches_what_is_due_and_nothing_else()
    {
        _harness.Register();
        await _harness.RefreshAsync();
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(1), "before the first request");
        _harness.Time.Advance(TimeSpan.FromMinutes(14));
        await _harness.RefreshAsync();
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(1));
        _harness.Issuer.RotateKey();
        _harness.Time.Advance(TimeSpan.FromMinutes(1));
        await _harness.RefreshAsync();
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(2));
        await _harness.AcceptAsync(_harness.Mint());
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(2), "a request found the new key there");
    }

    [Test]
    public async Task A_discovery_document_of_another_issuer_is_worth_nothing()
    {
        _harness.Register();
        _harness.Issuer.ClaimedIssuer = "https://accounts.example.com";
        Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["iss"] = _harness.Issuer.Issuer })), Is.EqualTo(RefusalReasons.IssuerUnavailable));
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{\"keys\":{}}")]
    [TestCase("{\"keys\":[],\"keys\":[]}")]
    [TestCase("not json")]
    public async Task An_answer_that_is_no_key_set_leaves_what_is_known(string answer)
    {
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint());
        _harness.Issuer.KeysAnswer = answer;
        _harness.Time.Advance(TimeSpan.FromMinutes(16));
        await _harness.RefreshAsync();
        await _harness.AcceptAsync(_harness.Mint());
    }

    [Test]
    public async Task A_huge_answer_is_not_read()
    {
        _harness.Register();
        _harness.Issuer.KeysAnswer = _harness.Issuer.KeySet() + new string(' ', 300_000);
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.IssuerUnavailable));
    }

    [Test]
    public async Task A_key_is_used_for_its_own_purpose_alone()
    {
        _harness.Register();
        var set = JsonNode.Parse(_harness.Issuer.KeySet())!;
        foreach (var (name, value) in new (string, JsonNode?)[]
        {
            ("use", "enc"), ("kty", "RSA"), ("alg", "ES384"), ("crv", "P-384"), ("kty", "oct"), ("d", "AAAA"), ("key_ops", new JsonArray("sign")), ("x", "AAAA"), ("kid", 1), ("use", "wit-svid"),
        })
        {
            var changed = set.DeepClone();
            changed["keys"]![0]![name] = value;
            _harness.Issuer.KeysAnswer = changed.ToJsonString();
            _harness.Time.Advance(TimeSpan.FromMinutes(16));
            await _harness.RefreshAsync();
            Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.KeyUnknown), name);
        }
    }

    [Test]
    public async Task Two_keys_of_one_id_are_ambiguous_and_an_unknown_kind_of_key_is_skipped()
    {
        _harness.Register();
        var set = JsonNode.Parse(_harness.Issuer.KeySet())!;
        set["keys"]!.AsArray().Insert(0, new JsonObject { ["kty"] = "AKP", ["kid"] = _harness.Issuer.KeyId, ["alg"] = "ML-DSA-44", ["pub"] = "AAAA" });
        _harness.Issuer.KeysAnswer = set.ToJsonString();
        await _harness.AcceptAsync(_harness.Mint());

        set["keys"]!.AsArray().Add(set["keys"]![1]!.DeepClone());
        _harness.Issuer.KeysAnswer = set.ToJsonString();
        _harness.Time.Advance(TimeSpan.FromMinutes(16));
        await _harness.RefreshAsync();
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.KeyUnknown));
    }

    [Test]
    public async Task Keys_may_be_inline_or_in_a_file_for_the_operators_sources_alone()
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"keys-{TestContext.CurrentContext.Test.ID}.json");
        await File.WriteAllTextAsync(path, _harness.Issuer.KeySet());
        var inline = _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["one"], JwksInline = _harness.Issuer.KeySet() } }, "one", operatorOwned: true);
        var file = _harness.Register(spec => spec with { Oidc = spec.Oidc with { Audiences = ["two"], JwksFile = path } }, "two", operatorOwned: true);
        await _harness.AcceptAsync(_harness.Mint(audience: "one"));
        await _harness.AcceptAsync(_harness.Mint(audience: "two"));

        _harness.Issuer.RotateKey();
        await File.WriteAllTextAsync(path, _harness.Issuer.KeySet());
        _harness.Time.Advance(TimeSpan.FromSeconds(11));
        await _harness.AcceptAsync(_harness.Mint(audience: "two"));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(audience: "one")), Is.EqualTo(RefusalReasons.KeyUnknown));

        _harness.Replace(inline with { Version = 2, OperatorOwned = false });
        _harness.Replace(file with { Version = 2, OperatorOwned = false });
        Assert.That(await _harness.RefuseAsync(_harness.Mint(audience: "one")), Is.EqualTo(RefusalReasons.IssuerUnknown));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(audience: "two")), Is.EqualTo(RefusalReasons.IssuerUnknown));
        Assert.That(_harness.Issuer.KeyRequests + _harness.Issuer.DiscoveryRequests, Is.Zero);
        File.Delete(path);
    }

    [Test]
    public async Task A_verified_token_is_remembered_for_a_minute_and_never_past_its_end_or_its_source()
    {
        var source = _harness.Register();
        var token = _harness.Mint(lifetime: TimeSpan.FromSeconds(10));
        var first = await _harness.AcceptAsync(token);
        Assert.That(await _harness.AcceptAsync(token), Is.SameAs(first));
        _harness.Replace(source with { Version = 2, Spec = source.Spec with { Oidc = source.Spec.Oidc with { SubjectPrefix = "other-" } } });
        Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(RefusalReasons.SubjectRefused));
        _harness.Replace(source with { Version = 3 });
        await _harness.AcceptAsync(token);
        _harness.Time.Advance(TimeSpan.FromSeconds(40));
        Assert.That(await _harness.RefuseAsync(token), Is.EqualTo(RefusalReasons.TokenExpired));
    }
}
