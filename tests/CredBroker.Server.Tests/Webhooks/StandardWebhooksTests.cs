using System.Text;
using System.Text.Json;
using CredBroker.AspNetCore.Webhooks;

namespace CredBroker.Server.Tests.Webhooks;

/// <summary>The vectors' file says where they come from.</summary>
[TestFixture]
internal sealed class StandardWebhooksTests
{
    private const string Right = "v1,dLqsUWetgC66Xg9QyHh72APtfyQVFbpqrZ7HzHCO2+k=";
    private static readonly JsonElement File =
        JsonSerializer.Deserialize<JsonElement>(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Webhooks", "standard-webhooks.json")));

    private static IEnumerable<TestCaseData> Vectors() =>
        File.GetProperty("vectors").EnumerateArray().Select(vector => new TestCaseData(vector).SetArgDisplayNames(vector.GetProperty("name").GetString()!));

    [TestCaseSource(nameof(Vectors))]
    public void Agrees_with_the_vector(JsonElement vector)
    {
        var now = vector.TryGetProperty("now", out var own) ? own.GetInt64() : File.GetProperty("now").GetInt64();
        var headers = vector.GetProperty("headers");
        var verdict = Verifier().Verify(
            new WebhookHeaders(Header(headers, "webhook-id"), Header(headers, "webhook-timestamp"), Header(headers, "webhook-signature")),
            Encoding.UTF8.GetBytes(vector.GetProperty("body").GetString()!),
            DateTimeOffset.FromUnixTimeSeconds(now));

        Assert.That(verdict == WebhookVerdict.Valid, Is.EqualTo(vector.GetProperty("valid").GetBoolean()), verdict.ToString());
    }

    [Test]
    public void Takes_eight_signatures_and_refuses_nine()
    {
        var wrong = "v1," + Convert.ToBase64String(new byte[32]) + " ";

        Assert.That(Verify(string.Concat(Enumerable.Repeat(wrong, 7)) + Right), Is.EqualTo(WebhookVerdict.Valid));
        Assert.That(Verify(string.Concat(Enumerable.Repeat(wrong, 8)) + Right), Is.EqualTo(WebhookVerdict.Malformed));
    }

    [TestCase("v1,")]
    [TestCase("v1")]
    [TestCase(",")]
    [TestCase("v1,dLqs")]
    [TestCase("v1a,dLqs")]
    [TestCase("v1,????")]
    [TestCase("V1,dLqsUWetgC66Xg9QyHh72APtfyQVFbpqrZ7HzHCO2+k=")]
    public void Refuses_what_is_no_signature(string signature) => Assert.That(Verify(signature), Is.EqualTo(WebhookVerdict.WrongSignature));

    [TestCase("whsec_")]
    [TestCase("whsec_c2hvcnQ=")]
    [TestCase("KVmgHIUq//SDiKS3hg/qN6elid9w84takRP5aRWGtrk=")]
    [TestCase("whpk_wR1bBRBytlWtplqi2YT+sDJ5hqPqxwrvc7TOoS8rR8Q=")]
    public void Refuses_what_is_no_secret(string text) => Assert.That(StandardWebhooks.ReadSecret(text), Is.Null);

    private static WebhookVerdict Verify(string signature) => Verifier().Verify(
        new WebhookHeaders("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "1674087231", signature),
        Encoding.UTF8.GetBytes("""{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}"""),
        DateTimeOffset.FromUnixTimeSeconds(1674087261));

    private static StandardWebhooks Verifier() => new(
        [StandardWebhooks.ReadSecret(File.GetProperty("secret").GetString()!)!],
        [StandardWebhooks.ReadPublicKey(File.GetProperty("public_key").GetString()!)!],
        TimeSpan.FromMinutes(5));

    private static string Header(JsonElement headers, string name) => headers.TryGetProperty(name, out var value) ? value.GetString()! : "";
}
