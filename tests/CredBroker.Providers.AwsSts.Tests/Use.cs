using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>Uses a credential as an AWS tool would: with a signed request.</summary>
internal static class Use
{
    public static async Task<bool> ReadsAsync(StandInHost host, IssuedCredential credential, TimeProvider time) =>
        (await ReadAsync(host, credential, time, $"/{S3.Bucket}/{S3.Object}")).Status == 200;

    public static async Task<(int Status, string Body)> ReadAsync(StandInHost host, IssuedCredential credential, TimeProvider time, string path)
    {
        using var client = host.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Address, path));
        Sign(request, credential.Fields["access_key_id"].Value.Reveal(), credential.Fields["secret_access_key"].Value.Reveal(), credential.Fields["session_token"].Value.Reveal(), "s3", time.GetUtcNow());
        using var response = await client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public static void Sign(HttpRequestMessage request, string id, string secret, string? token, string service, DateTimeOffset now, byte[]? body = null)
    {
        var date = SigV4.Date(now);
        var address = request.RequestUri!;
        var headers = new List<(string, string)> { ("host", address.IsDefaultPort ? address.Host : $"{address.Host}:{address.Port}"), ("x-amz-date", date) };
        request.Headers.TryAddWithoutValidation("x-amz-date", date);
        if (token is not null)
        {
            headers.Add(("x-amz-security-token", token));
            request.Headers.TryAddWithoutValidation("x-amz-security-token", token);
        }

        var region = service == "iam" ? "us-east-1" : Target.Region;
        var signature = SigV4.Sign(secret, date, region, service, request.Method.Method, address.AbsolutePath, address.Query.TrimStart('?'), headers, SigV4.Hash(body ?? []));
        var names = string.Join(';', headers.Select(header => header.Item1));
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={id}/{date[..8]}/{region}/{service}/aws4_request, SignedHeaders={names}, Signature={signature}");
    }
}

/// <summary>A journal that answers always the same.</summary>
internal sealed class Journal(bool goOn) : IIssueJournal
{
    public static Journal GoesOn { get; } = new(true);

    public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken) => Task.FromResult(goOn);
}
