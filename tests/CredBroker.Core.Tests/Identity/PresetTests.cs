using System.Text.Json.Nodes;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class PresetTests
{
    private IdentityHarness _harness = null!;

    [SetUp]
    public async Task Start() => _harness = await IdentityHarness.StartAsync("RS256");

    [TearDown]
    public async Task Stop() => await _harness.DisposeAsync();

    [Test]
    public async Task GitHub_is_identified_by_ids_and_a_run_by_its_attempt()
    {
        RegisterGitHub();
        var named = await _harness.AcceptAsync(GitHub("branch"));
        var immutable = await _harness.AcceptAsync(GitHub("immutable"));
        var retried = await _harness.AcceptAsync(GitHub("branch", "run_attempt", "3"));
        Assert.Multiple(() =>
        {
            Assert.That(named.StableIds, Is.EqualTo(new Dictionary<string, string> { ["repository_id"] = "456789", ["repository_owner_id"] = "123456" }));
            Assert.That(immutable.StableIds, Is.EqualTo(named.StableIds));
            Assert.That(named.Instance, Is.EqualTo("9876543210/2"));
            Assert.That(retried.Instance, Is.Not.EqualTo(named.Instance));
            Assert.That(named.Attributes["ci/ref"], Is.EqualTo("refs/heads/main"));
        });
    }

    [TestCase("pull_request")]
    [TestCase("pull_request_target")]
    [TestCase("workflow_run")]
    [TestCase("issue_comment")]
    public async Task GitHub_runs_that_strangers_cause_are_refused(string cause)
    {
        RegisterGitHub();
        Assert.That(await _harness.RefuseAsync(GitHub("branch", "event_name", cause)), Is.EqualTo(RefusalReasons.EventRefused));
    }

    [TestCase("event_name")]
    [TestCase("repository_id")]
    [TestCase("repository_owner_id")]
    public async Task GitHub_tokens_without_what_identifies_them_are_refused(string claim)
    {
        RegisterGitHub();
        Assert.That(await _harness.RefuseAsync(GitHub("branch", claim, null)), Is.EqualTo(RefusalReasons.ClaimRefused));
    }

    [Test]
    public async Task Kubernetes_tokens_verify_as_they_were_recorded()
    {
        var recorded = Recorded.Read("kubernetes.json");
        _harness.Time.SetUtcNow(Recorded.NowOf(recorded));
        _harness.Issuer.KubernetesKeys = true;
        _harness.Issuer.KeysAnswer = recorded["keys"]!.GetValue<string>();
        _harness.Register(spec => spec with
        {
            Preset = "kubernetes",
            Oidc = new OidcSpec { Issuer = "https://kubernetes.example.org", JwksUri = _harness.Issuer.Issuer + "/keys", Audiences = ["https://credbroker.example.org"] },
        });
        var pod = await _harness.AcceptAsync(recorded["tokens"]!["bound to a Pod"]!.GetValue<string>());
        var secret = await _harness.AcceptAsync(recorded["tokens"]!["bound to a Secret"]!.GetValue<string>());
        Assert.Multiple(() =>
        {
            Assert.That(pod.Subject, Is.EqualTo("system:serviceaccount:agents:coder"));
            Assert.That(pod.StableIds, Has.Count.EqualTo(1).And.ContainKey("kubernetes.io/serviceaccount/uid"));
            Assert.That(pod.Instance, Is.Not.Null.And.EqualTo(pod.Attributes["ci/pod_uid"]));
            Assert.That(pod.Attributes["ci/namespace"], Is.EqualTo("agents"));
            Assert.That(secret.Instance, Is.Null);
        });
        Assert.That(await _harness.RefuseAsync(recorded["tokens"]!["expired (made by us)"]!.GetValue<string>()), Is.EqualTo(RefusalReasons.TokenExpired));
        Assert.That(await _harness.RefuseAsync(recorded["tokens"]!["not yet valid (made by us)"]!.GetValue<string>()), Is.EqualTo(RefusalReasons.TokenNotYetValid));
    }

    [Test]
    public async Task Kubernetes_tokens_have_no_type()
    {
        _harness.Register(spec => spec with { Preset = "kubernetes" });
        Assert.That(await _harness.RefuseAsync(_harness.Mint()), Is.EqualTo(RefusalReasons.TokenTypeRefused));
    }

    [Test]
    public async Task Entra_refuses_an_app_that_acts_for_a_person_and_allows_a_day()
    {
        _harness.Register(spec => spec with { Preset = "entra" });
        var claims = new JsonObject { ["oid"] = "o", ["tid"] = "t" };
        await _harness.AcceptAsync(_harness.Mint(claims, lifetime: TimeSpan.FromHours(24)));
        Assert.That(await _harness.RefuseAsync(_harness.Mint(claims, lifetime: TimeSpan.FromHours(25))), Is.EqualTo(RefusalReasons.TokenLifeRefused));
        claims["scp"] = "user_impersonation";
        Assert.That(await _harness.RefuseAsync(_harness.Mint(claims)), Is.EqualTo(RefusalReasons.PersonRefused));
    }

    [Test]
    public async Task Google_and_GitLab_fill_their_defaults()
    {
        _harness.Register(spec => spec with { Preset = "google", Oidc = spec.Oidc with { Audiences = ["g"] } }, "google");
        _harness.Register(spec => spec with { Preset = "gitlab", Oidc = spec.Oidc with { Audiences = ["l"] } }, "gitlab");
        var google = await _harness.AcceptAsync(_harness.Mint(new JsonObject { ["email"] = "a@b.example", ["email_verified"] = true }, subject: "1234567890", audience: "g"));
        var gitlab = await _harness.AcceptAsync(_harness.Mint(new JsonObject { ["namespace_id"] = "1", ["project_id"] = "2", ["job_id"] = "3" }, audience: "l"));
        Assert.Multiple(() =>
        {
            Assert.That(google.StableIds["sub"], Is.EqualTo("1234567890"));
            Assert.That(google.Attributes["google/email_verified"], Is.EqualTo("true"));
            Assert.That(gitlab.Instance, Is.EqualTo("3"));
        });
    }

    private void RegisterGitHub() => _harness.Register(spec => spec with { Preset = "github" });

    private string GitHub(string set, string? change = null, string? value = null)
    {
        var claims = Recorded.Read("github.json")[set]!.DeepClone().AsObject();
        foreach (var name in new[] { "iss", "aud", "exp", "iat", "nbf" }) claims.Remove(name);
        if (change is not null) claims[change] = value;
        return _harness.Mint(claims);
    }
}
