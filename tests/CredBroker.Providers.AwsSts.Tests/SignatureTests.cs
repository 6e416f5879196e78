using System.Globalization;
using System.Text;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;
using CredBroker.Providers.AwsSts.Tests.StandIn;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>Both signatures, the one that the provider sends and the one by which the stand-in verifies, against vectors that neither made.</summary>
public sealed class SignatureTests
{
    private static readonly JsonElement[] Vectors =
        [.. JsonElement.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "sigv4-vectors.json"))).GetProperty("vectors").EnumerateArray()];

    private static IEnumerable<TestCaseData> All => Vectors.Select(vector => new TestCaseData(vector).SetArgDisplayNames(vector.GetProperty("name").GetString()!));

    // Presigned URLs and further headers are for who logs in with a signed request, which this provider does not.
    private static IEnumerable<TestCaseData> Posts => All.Where(test => test.Arguments[0] is JsonElement vector
        && Text(vector, "request", "method") == "POST" && vector.GetProperty("request").GetProperty("headers").EnumerateObject().Count() == 1);

    [TestCaseSource(nameof(Posts))]
    public void The_provider_signs_as_the_vector_does(JsonElement vector)
    {
        var address = new Uri(Text(vector, "request", "url"));
        var endpoint = new ServiceEndpoint(Text(vector, "service"), "", address, Text(vector, "region"));
        var credentials = vector.GetProperty("credentials");
        var token = credentials.GetProperty("sessionToken").GetString();
        var keys = new AwsKeys(Text(credentials, "accessKeyId"), new Secret(Text(credentials, "secretAccessKey")), token is null ? null : new Secret(token));
        var headers = RequestSigner.Sign(endpoint, keys, Encoding.UTF8.GetBytes(Text(vector, "request", "body")), TimeOf(vector));
        foreach (var header in vector.GetProperty("signedHeaders").EnumerateObject()) Assert.That(Spaceless(headers[header.Name]), Is.EqualTo(Spaceless(header.Value.GetString()!)));
        Assert.That(headers, Has.Count.EqualTo(vector.GetProperty("signedHeaders").EnumerateObject().Count()));
    }

    [Test]
    public void There_are_vectors_for_both_services_and_for_sessions()
    {
        Assert.That(Posts.Select(test => Text((JsonElement)test.Arguments[0]!, "service")).Distinct(), Is.EquivalentTo(new[] { "sts", "iam" }));
        Assert.That(Posts.Select(test => ((JsonElement)test.Arguments[0]!).GetProperty("credentials").GetProperty("sessionToken").ValueKind), Does.Contain(JsonValueKind.String));
    }

    [TestCaseSource(nameof(All))]
    public void The_stand_in_canonicalises_and_signs_as_the_vector_does(JsonElement vector)
    {
        var canonical = Text(vector, "canonicalRequest").Split('\n');
        var blank = Array.IndexOf(canonical, "", 3);
        var headers = canonical[3..blank].Select(line => line.Split(':', 2)).Select(pair => (pair[0], pair[1])).ToList();
        Assert.That(SigV4.Canonical(canonical[0], canonical[1], Shuffled(canonical[2]), headers, canonical[^1]), Is.EqualTo(Text(vector, "canonicalRequest")));
        var signature = SigV4.Sign(
            Text(vector, "credentials", "secretAccessKey"), Text(vector, "time"), Text(vector, "region"), Text(vector, "service"), canonical[0], canonical[1], canonical[2], headers, canonical[^1]);
        Assert.That(signature, Is.EqualTo(Text(vector, "signature")));
    }

    private static string Shuffled(string query) => string.Join('&', query.Split('&').Reverse());

    // Some put a space after the comma, some do not.
    private static string Spaceless(string header) => header.Replace(", ", ",", StringComparison.Ordinal);

    private static DateTimeOffset TimeOf(JsonElement vector) => DateTimeOffset.ParseExact(
        Text(vector, "time"), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    private static string Text(JsonElement json, params string[] path) => path.Aggregate(json, (element, name) => element.GetProperty(name)).GetString()!;
}
