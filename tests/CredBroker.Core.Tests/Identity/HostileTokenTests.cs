using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class HostileTokenTests
{
    private IdentityHarness _harness = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _harness = await IdentityHarness.StartAsync();
        _harness.Register();
        await _harness.AcceptAsync(_harness.Mint());
    }

    [OneTimeTearDown]
    public async Task Stop() => await _harness.DisposeAsync();

    [TestCase("none")]
    [TestCase("None")]
    [TestCase("NONE")]
    [TestCase("")]
    [TestCase("HS256")]
    [TestCase("HS512")]
    [TestCase("es256")]
    [TestCase("ES256K")]
    [TestCase("EdDSA")]
    [TestCase("RSA1_5")]
    [TestCase("dir")]
    public async Task Rejects_an_algorithm_off_the_list(string algorithm) =>
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["alg"] = algorithm })), Is.EqualTo(RefusalReasons.AlgorithmRefused));

    [Test]
    public async Task Rejects_a_token_without_algorithm() =>
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["alg"] = null })), Is.EqualTo(RefusalReasons.AlgorithmRefused));

    [Test]
    public async Task Rejects_a_token_without_signature()
    {
        var signed = _harness.Mint();
        Assert.That(await _harness.RefuseAsync(signed[..(signed.LastIndexOf('.') + 1)]), Is.EqualTo(RefusalReasons.TokenMalformed));
    }

    [Test]
    public async Task Rejects_an_HMAC_made_with_the_public_key()
    {
        var header = Encode($$"""{"alg":"HS256","kid":"{{_harness.Issuer.KeyId}}","typ":"JWT"}""");
        var text = $"{header}.{_harness.Mint().Split('.')[1]}";
        var mac = HMACSHA256.HashData(Encoding.ASCII.GetBytes(_harness.Issuer.PublicKeyPem), Encoding.ASCII.GetBytes(text));
        Assert.That(await _harness.RefuseAsync($"{text}.{Base64Url.EncodeToString(mac)}"), Is.EqualTo(RefusalReasons.AlgorithmRefused));
    }

    [TestCase("../../../../dev/null")]
    [TestCase("' OR '1'='1")]
    [TestCase("dev-1; DROP TABLE keys")]
    [TestCase("http://127.0.0.1/keys")]
    [TestCase("dev-1\0")]
    [TestCase("DEV-1")]
    [TestCase("\u202edev-1")]
    public async Task A_key_id_is_only_ever_a_dictionary_key(string keyId) =>
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["kid"] = keyId })), Is.EqualTo(RefusalReasons.KeyUnknown));

    [Test]
    public async Task Rejects_a_long_a_missing_and_a_numeric_key_id()
    {
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["kid"] = new string('k', 257) })), Is.EqualTo(RefusalReasons.KeyUnknown));
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["kid"] = null })), Is.EqualTo(RefusalReasons.KeyUnknown));
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["kid"] = 1 })), Is.EqualTo(RefusalReasons.KeyUnknown));
    }

    [TestCase("jku", "\"http://127.0.0.1:1/keys\"")]
    [TestCase("x5u", "\"http://127.0.0.1:1/cert\"")]
    [TestCase("x5c", "[\"MIIB\"]")]
    [TestCase("jwk", "{\"kty\":\"EC\"}")]
    [TestCase("crit", "[\"exp\"]")]
    [TestCase("crit", "[]")]
    [TestCase("b64", "false")]
    [TestCase("zip", "\"DEF\"")]
    [TestCase("enc", "\"A128GCM\"")]
    [TestCase("cty", "\"JWT\"")]
    [TestCase("p2c", "1000000000")]
    public async Task Rejects_a_header_that_brings_a_key_or_another_meaning(string name, string value)
    {
        var asked = _harness.Issuer.KeyRequests;
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { [name] = JsonNode.Parse(value) })), Is.EqualTo(RefusalReasons.HeaderRefused));
        Assert.That(_harness.Issuer.KeyRequests, Is.EqualTo(asked));
    }

    [Test]
    public async Task Rejects_duplicate_headers_and_claims_at_any_depth_and_in_any_spelling()
    {
        var id = _harness.Issuer.KeyId;
        var header = $$"""{"alg":"ES256","kid":"{{id}}","typ":"JWT"}""";
        var payload = IdentityHarness.PayloadOf(_harness.Mint());
        var twice = payload[..^1] + ",\"sub\":\"admin\"}";
        var escaped = payload[..^1] + ",\"s\\u0075b\":\"admin\"}";
        var nested = payload[..^1] + ",\"x\":{\"a\":1,\"a\":2}}";
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header[..^1] + ",\"alg\":\"none\"}", payload)), Is.EqualTo(RefusalReasons.TokenMalformed));
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header, twice)), Is.EqualTo(RefusalReasons.TokenMalformed));
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header, escaped)), Is.EqualTo(RefusalReasons.TokenMalformed));
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header, nested)), Is.EqualTo(RefusalReasons.TokenMalformed));
    }

    [Test]
    public async Task Rejects_deep_and_huge_tokens()
    {
        var header = $$"""{"alg":"ES256","kid":"{{_harness.Issuer.KeyId}}","typ":"JWT"}""";
        var deep = IdentityHarness.PayloadOf(_harness.Mint())[..^1] + ",\"x\":" + new string('[', 5000) + new string(']', 5000) + "}";
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header, deep)), Is.EqualTo(RefusalReasons.TokenMalformed));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(new JsonObject { ["x"] = new string('a', 16_000) })), Is.EqualTo(RefusalReasons.TokenTooLarge));
        Assert.That(await _harness.RefuseAsync(new string('.', 10_000_000)), Is.EqualTo(RefusalReasons.TokenTooLarge));
    }

    [Test]
    public async Task Rejects_invalid_UTF_8_and_lone_surrogates()
    {
        var header = Encoding.UTF8.GetBytes($$"""{"alg":"ES256","kid":"{{_harness.Issuer.KeyId}}","typ":"JWT"}""");
        var payload = Encoding.UTF8.GetBytes(IdentityHarness.PayloadOf(_harness.Mint()).Replace("agent-1", "agent-?", StringComparison.Ordinal));
        payload[Array.IndexOf(payload, (byte)'?')] = 0xff;
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header, payload)), Is.EqualTo(RefusalReasons.TokenMalformed));
        var surrogate = IdentityHarness.PayloadOf(_harness.Mint()).Replace("agent-1", "agent-\\ud800", StringComparison.Ordinal);
        Assert.That(await _harness.RefuseAsync(_harness.Issuer.Sign(header, Encoding.UTF8.GetBytes(surrogate))), Is.EqualTo(RefusalReasons.TokenMalformed));
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a.b.c")]
    [TestCase("a.b")]
    [TestCase("a.b.c.d.e")]
    [TestCase("{\"payload\":\"e30\",\"signatures\":[]}")]
    [TestCase("\0\0\0")]
    [TestCase("é.é.é")]
    public async Task Rejects_what_is_no_token(string text) => Assert.That(await _harness.RefuseAsync(text), Is.EqualTo(RefusalReasons.TokenMalformed));

    [Test]
    public async Task A_token_has_one_spelling()
    {
        var token = _harness.Mint();
        var parts = token.Split('.');
        foreach (var other in new[] { token + "=", token + "\n", " " + token, $"{parts[0]}=.{parts[1]}.{parts[2]}", $"{parts[0]}. {parts[1]}.{parts[2]}", token + ".", token.Replace('_', '/') + "+" })
            Assert.That(await _harness.RefuseAsync(other), Is.EqualTo(RefusalReasons.TokenMalformed), other);
    }

    [Test]
    public async Task Rejects_a_token_that_was_tampered_with()
    {
        var parts = _harness.Mint().Split('.');
        var payload = Encode(IdentityHarness.PayloadOf(_harness.Mint()).Replace("agent-1", "agent-2", StringComparison.Ordinal));
        Assert.That(await _harness.RefuseAsync($"{parts[0]}.{payload}.{parts[2]}"), Is.EqualTo(RefusalReasons.SignatureInvalid));
        Assert.That(await _harness.RefuseAsync($"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(new byte[64])}"), Is.EqualTo(RefusalReasons.SignatureInvalid));
        Assert.That(await _harness.RefuseAsync($"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(new byte[63])}"), Is.EqualTo(RefusalReasons.SignatureInvalid));
    }

    [Test]
    public async Task A_verified_token_is_no_passport_for_another_signature()
    {
        var token = _harness.Mint();
        await _harness.AcceptAsync(token);
        var parts = token.Split('.');
        Assert.That(await _harness.RefuseAsync($"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(new byte[64])}"), Is.EqualTo(RefusalReasons.SignatureInvalid));
    }

    [TestCase("wit+jwt")]
    [TestCase("WIT+jwt")]
    [TestCase("secevent+jwt")]
    [TestCase("cb-receipt+jwt")]
    [TestCase("at+jwt")]
    [TestCase("jwt")]
    [TestCase("")]
    public async Task Rejects_a_type_that_the_source_does_not_issue(string type) =>
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["typ"] = type })), Is.EqualTo(RefusalReasons.TokenTypeRefused).Or.EqualTo(RefusalReasons.HeaderRefused));

    [Test]
    public async Task Rejects_a_missing_and_a_numeric_type()
    {
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["typ"] = null })), Is.EqualTo(RefusalReasons.TokenTypeRefused));
        Assert.That(await _harness.RefuseAsync(_harness.MintWithHeader(new JsonObject { ["typ"] = 1 })), Is.EqualTo(RefusalReasons.TokenTypeRefused));
    }

    [Test]
    public async Task Refusals_repeat_nothing_of_the_token()
    {
        var refused = (Attestation.Refused)await _harness.AttestAsync(_harness.Mint(subject: "marked-7d1f\u001b[31m", audience: "marked-7d1f"));
        Assert.That(refused.Message, Does.Not.Contain("marked-7d1f"));
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
