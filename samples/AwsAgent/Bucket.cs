using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Client.Tasks;

namespace AwsAgent;

/// <summary>
/// S3, as the holder of a session sees it. A real agent hands the credential to an AWS SDK; here the one request is signed by hand (Signature Version 4), so
/// that the sample needs no SDK.
/// </summary>
internal sealed class Bucket(IssuedLease lease) : IDisposable
{
    private const string NoBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    /// <summary>Reads an object; the answer's status is what matters here.</summary>
    public async Task<HttpStatusCode> ReadAsync(Uri address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        Sign(request, TimeProvider.System.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        using var answer = await _http.SendAsync(request);
        return answer.StatusCode;
    }

    public void Dispose() => _http.Dispose();

    private void Sign(HttpRequestMessage request, string date)
    {
        var address = request.RequestUri!;
        var headers = new (string Name, string Value)[]
        {
            ("host", address.IsDefaultPort ? address.Host : address.Authority),
            ("x-amz-content-sha256", NoBody),
            ("x-amz-date", date),
            ("x-amz-security-token", lease["session_token"].Reveal()),
        };
        var names = string.Join(';', headers.Select(header => header.Name));
        var canonical = string.Join('\n', ["GET", address.AbsolutePath, "", .. headers.Select(header => $"{header.Name}:{header.Value}"), "", names, NoBody]);
        var scope = $"{date[..8]}/{lease["region"].Reveal()}/s3/aws4_request";
        var toSign = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = scope.Split('/').Aggregate(Encoding.UTF8.GetBytes($"AWS4{lease["secret_access_key"].Reveal()}"), Hmac);
        foreach (var (name, value) in headers.Skip(1)) request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"AWS4-HMAC-SHA256 Credential={lease["access_key_id"].Reveal()}/{scope}, SignedHeaders={names}, Signature={Convert.ToHexStringLower(Hmac(key, toSign))}");
    }

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
