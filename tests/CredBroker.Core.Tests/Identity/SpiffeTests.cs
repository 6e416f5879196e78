using System.Text.Json.Nodes;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Tests.Identity;

[TestFixture]
internal sealed class SpiffeTests
{
    // Where the standard leaves it open: refuse, but for harmless further headers.
    private static readonly HashSet<string> AcceptedByChoice = ["header-extra-private"];

    private static readonly JsonObject File = Recorded.Read("jwt-svids.json");

    private static IEnumerable<TestCaseData> Cases() => File["cases"]!.AsArray()
        .Select(entry => new TestCaseData(entry!["token"]!.GetValue<string>(), IsAccepted(entry)).SetName($"JWT_SVID_{entry["name"]}"));

    [TestCaseSource(nameof(Cases))]
    public async Task Judges_a_recorded_token(string token, bool accepted)
    {
        await using var harness = await IdentityHarness.StartAsync(now: Recorded.NowOf(File));
        Register(harness, "example.org");
        var attestation = await harness.AttestAsync(token);
        Assert.That(attestation is Attestation.Attested, Is.EqualTo(accepted), attestation.ToString());
    }

    [Test]
    public async Task Keys_of_trust_domains_are_never_pooled()
    {
        await using var harness = await IdentityHarness.StartAsync(now: Recorded.NowOf(File));
        Register(harness, "other.example.org", "other");
        Assert.That(await harness.RefuseAsync(Token("control")), Is.EqualTo(RefusalReasons.IssuerUnknown));
        Register(harness, "example.org");
        await harness.AcceptAsync(Token("control"));

        // Signed by example.org's key, which the source of other.example.org does not know in this test.
        harness.Replace(harness.Current[0] with { Version = 2, Spec = harness.Current[0].Spec with { Oidc = harness.Current[0].Spec.Oidc with { JwksInline = harness.Issuer.KeySet() } } });
        Assert.That(await harness.RefuseAsync(Token("sub-other-trust-domain")), Is.EqualTo(RefusalReasons.KeyUnknown));
    }

    [Test]
    public async Task A_token_given_out_twice_is_no_replay()
    {
        await using var harness = await IdentityHarness.StartAsync(now: Recorded.NowOf(File));
        Register(harness, "example.org");
        var first = await harness.AcceptAsync(Token("control"));
        var again = await harness.AcceptAsync(Token("control"));
        Assert.That(again.TokenHash, Is.EqualTo(first.TokenHash));
    }

    [Test]
    public async Task The_other_form_of_a_signature_names_the_same_token()
    {
        await using var harness = await IdentityHarness.StartAsync(now: Recorded.NowOf(File));
        Register(harness, "example.org");
        Assert.That((await harness.AcceptAsync(Token("signature-other-s"))).TokenHash, Is.EqualTo((await harness.AcceptAsync(Token("control"))).TokenHash));
    }

    [Test]
    public async Task A_source_may_be_held_to_a_part_of_its_trust_domain()
    {
        await using var harness = await IdentityHarness.StartAsync(now: Recorded.NowOf(File));
        Register(harness, "example.org/ns/other");
        Assert.That(await harness.RefuseAsync(Token("control")), Is.EqualTo(RefusalReasons.SubjectRefused));
    }

    [Test]
    public void Judges_SPIFFE_ids_as_the_standard_does()
    {
        Assert.Multiple(() =>
        {
            foreach (var entry in Recorded.Read("spiffe-ids.json")["ids"]!.AsArray())
            {
                var id = entry!["id"]!.GetValue<string>();
                var namesWorkload = id.StartsWith(SpiffeId.Scheme, StringComparison.Ordinal) && id[SpiffeId.Scheme.Length..].Contains('/', StringComparison.Ordinal);
                var valid = entry["valid"]?.GetValue<bool>() == true && namesWorkload;
                Assert.That(SpiffeId.TryParse(id, out _), Is.EqualTo(valid), id.Length > 100 ? id[..100] : id);
            }
        });
    }

    private static bool IsAccepted(JsonNode entry) =>
        entry["standard"]!.GetValue<string>() == "accept" || AcceptedByChoice.Contains(entry["name"]!.GetValue<string>());

    private static string Token(string name) =>
        File["cases"]!.AsArray().First(entry => entry!["name"]!.GetValue<string>() == name)!["token"]!.GetValue<string>();

    private static void Register(IdentityHarness harness, string below, string name = "mesh") => harness.Register(
        _ => new IdentitySourceSpec
        {
            Preset = "spire",
            Oidc = new OidcSpec
            {
                Audiences = [File["audience"]!.GetValue<string>()],
                JwksInline = File["bundle"]!.GetValue<string>(),
                MaxTokenLife = TimeSpan.FromDays(3660), // The recorded tokens end in 2036.
                SubjectPrefix = $"spiffe://{below}/",
            },
        },
        name,
        operatorOwned: true);
}
