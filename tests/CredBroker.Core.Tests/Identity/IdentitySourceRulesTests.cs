using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Identity;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class IdentitySourceRulesTests
{
    [TestCase("""{"preset":"github"}""")]
    [TestCase("""{"preset":"gitlab","oidc":{"issuer":"https://gitlab.corp.example","audiences":["credbroker"]}}""")]
    [TestCase("""{"preset":"kubernetes","oidc":{"issuer":"https://kubernetes.default.svc","jwksUri":"https://10.0.0.1/openid/v1/jwks"}}""")]
    [TestCase("""{"preset":"entra","oidc":{"issuer":"https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"}}""")]
    [TestCase("""{"preset":"spire","oidc":{"jwksUri":"https://spire.example.org/keys","subjectPrefix":"spiffe://example.org/"}}""")]
    [TestCase("""{"oidc":{"issuer":"http://127.0.0.1:5000","maxTokenLife":"30m","typ":["JWT",""],"algorithms":["ES256"],"attributes":{"pod":"kubernetes.io/pod/name"}}}""")]
    public void Accepts_a_sound_source(string json) => Assert.That(Validate(json), Is.Empty);

    [TestCase("""{"oidc":{"isuer":"https://a.example"}}""", "oidc.isuer")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","audiences":[]}}""", "oidc.audiences")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","audiences":[""]}}""", "oidc.audiences[0]")]
    [TestCase("""{"oidc":{}}""", "oidc.issuer")]
    [TestCase("""{"type":"saml","oidc":{"issuer":"https://a.example"}}""", "type")]
    [TestCase("""{"preset":"gihub"}""", "preset")]
    [TestCase("""{"people":true,"oidc":{"issuer":"https://a.example"}}""", "people")]
    [TestCase("""{"environment":"a b","oidc":{"issuer":"https://a.example"}}""", "environment")]
    [TestCase("""{"oidc":{"issuer":"http://a.example"}}""", "oidc.issuer")]
    [TestCase("""{"oidc":{"issuer":"https://a.example?x"}}""", "oidc.issuer")]
    [TestCase("""{"oidc":{"issuer":"https://user@a.example"}}""", "oidc.issuer")]
    [TestCase("""{"oidc":{"issuer":"file:///etc/passwd"}}""", "oidc.issuer")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","jwksUri":"http://a.example/keys"}}""", "oidc.jwksUri")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","jwksInline":"{}"}}""", "oidc.jwksInline")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","jwksFile":"/etc/keys.json"}}""", "oidc.jwksFile")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","jwksUri":"https://a.example/k","discoveryUrl":"https://a.example/d"}}""", "oidc")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","algorithms":["HS256"]}}""", "oidc.algorithms[0]")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","algorithms":["none"]}}""", "oidc.algorithms[0]")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","algorithms":[]}}""", "oidc.algorithms")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","typ":[null]}}""", "oidc.typ[0]")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","typ":["wit+jwt"]}}""", "oidc.typ[0]")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","typ":["application/WIT+JWT"]}}""", "oidc.typ[0]")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","maxTokenLife":"25h"}}""", "oidc.maxTokenLife")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","maxTokenLife":"x"}}""", "oidc.maxTokenLife")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","attributes":{"a/b":"x"}}}""", "oidc.attributes.a/b")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","attributes":{"a":"x//y"}}}""", "oidc.attributes.a")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","attributes":{"a":"x~2"}}}""", "oidc.attributes.a")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","teamsClaim":"/groups"}}""", "oidc.teamsClaim")]
    [TestCase("""{"oidc":{"issuer":"https://a.example","subjectPrefix":"spiffe://example.org/"}}""", "oidc.subjectPrefix")]
    [TestCase("""{"preset":"spire","oidc":{"jwksUri":"https://a.example/k"}}""", "oidc.subjectPrefix")]
    [TestCase("""{"preset":"spire","oidc":{"jwksUri":"https://a.example/k","subjectPrefix":"spiffe://example.org"}}""", "oidc.subjectPrefix")]
    [TestCase("""{"preset":"spire","oidc":{"subjectPrefix":"spiffe://example.org/"}}""", "oidc")]
    [TestCase("""{"preset":"entra","oidc":{"issuer":"https://login.microsoftonline.com/common/v2.0"}}""", "oidc.issuer")]
    [TestCase("""{"preset":"entra","oidc":{"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"}}""", "oidc.issuer")]
    public void Says_where_a_source_is_wrong(string json, string path) => Assert.That(Validate(json).Select(error => error.Path), Does.Contain(path));

    [TestCase("https://broker.example.com/lease")]
    [TestCase("https://broker.example.com/federation")]
    [TestCase("https://broker.example.com/receipt")]
    [TestCase("https://broker.example.com/lease/")]
    [TestCase("https://BROKER.example.com:443/Lease")]
    [TestCase("https://broker.example.com./lease")]
    [TestCase("https://broker.example.com/x/../lease")]
    [TestCase("https://broker.example.com/%6cease")]
    [TestCase("https://broker.example.com/lease/.well-known/jwks.json")]
    public void Refuses_the_brokers_own_issuers_in_every_spelling(string issuer)
    {
        Assert.That(Validate($$$"""{"oidc":{"issuer":"{{{issuer}}}"}}""").Select(error => error.Path), Does.Contain("oidc.issuer"));
        Assert.That(Validate($$$"""{"oidc":{"issuer":"https://a.example","jwksUri":"{{{issuer}}}"}}""").Select(error => error.Path), Does.Contain("oidc.jwksUri"));
    }

    [Test]
    public void Reports_everything_at_once() => Assert.That(
        Validate("""{"type":"x","environment":"a b","people":true,"oidc":{"issuer":"http://a.example","audiences":[],"typ":["wit+jwt"]}}"""), Has.Count.EqualTo(6));

    [Test]
    public void The_operator_may_do_what_the_API_may_not()
    {
        const string Keys = """{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k\",\"crv\":\"P-256\",\"x\":\"94kF0ybtFPXpVAH-3-aKplXqdzbM_lVm0fRLJ_2Fgnw\",\"y\":\"pc8tl-PjEHekFaGDEe3btbRYRIQCMFRkXOL1FJ9HbrE\"}]}""";
        var json = $$$"""{"people":true,"oidc":{"issuer":"https://a.example","jwksInline":"{{{Keys}}}"}}""";
        Assert.That(Validate(json, operatorOwned: true), Is.Empty);
        Assert.That(Validate(json).Select(error => error.Path), Is.EqualTo(new[] { "people", "oidc.jwksInline" }));
    }

    [Test]
    public void The_same_issuer_needs_distinct_audiences()
    {
        var time = new FakeTimeProvider();
        var first = new RegisteredIdentitySource(Uid.New(time), "first", 1, new IdentitySourceSpec { Preset = "github" }, false);
        IReadOnlyList<ValidationError> Conflicts(string name, IdentitySourceSpec spec) => IdentitySourceRules.Conflicts(name, spec, IdentityHarness.Installation, [first]);
        Assert.Multiple(() =>
        {
            Assert.That(Conflicts("second", new IdentitySourceSpec { Preset = "github" }), Has.Count.EqualTo(1));
            Assert.That(Conflicts("second", new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://token.actions.githubusercontent.com" } }), Has.Count.EqualTo(1));
            Assert.That(Conflicts("second", new IdentitySourceSpec { Preset = "github", Oidc = new OidcSpec { Audiences = ["other"] } }), Is.Empty);
            Assert.That(Conflicts("first", new IdentitySourceSpec { Preset = "github" }), Is.Empty);
            Assert.That(Conflicts("second", new IdentitySourceSpec { Preset = "gitlab" }), Is.Empty);
        });
    }

    private static IReadOnlyList<ValidationError> Validate(string json, bool operatorOwned = false) =>
        IdentitySourceRules.Validate(JsonDocument.Parse(json).RootElement, IdentityHarness.Installation, operatorOwned);
}
