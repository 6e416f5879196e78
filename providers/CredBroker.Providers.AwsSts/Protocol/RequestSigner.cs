using System.Security.Cryptography;
using Amazon.Runtime.Internal.Auth;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>
/// Signs a request of the Query protocol, or a plain GET: its canonical form is ours, always the same few headers, and the signature (Signature Version 4) is made by
/// AWSSDK.Core's signer at a time that is given.
/// </summary>
internal static class RequestSigner
{
    public const string ContentType = "application/x-www-form-urlencoded; charset=utf-8";

    /// <summary>The headers to send with the body: <c>X-Amz-Date</c>, <c>Authorization</c>, and <c>X-Amz-Security-Token</c> for a session.</summary>
    public static IReadOnlyDictionary<string, string> Sign(ServiceEndpoint endpoint, AwsKeys keys, byte[] body, DateTimeOffset now) =>
        Sign(endpoint, keys, "POST", "/", ("content-type", ContentType), Convert.ToHexStringLower(SHA256.HashData(body)), now);

    /// <summary>The headers of a GET of the endpoint's address, whose path has only what no service encodes: those above, and the body's hash, which S3 wants.</summary>
    public static IReadOnlyDictionary<string, string> SignGet(ServiceEndpoint endpoint, AwsKeys keys, DateTimeOffset now)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData([]));
        return new Dictionary<string, string>(Sign(endpoint, keys, "GET", endpoint.Address.AbsolutePath, ("x-amz-content-sha256", hash), hash, now), StringComparer.OrdinalIgnoreCase)
        {
            ["X-Amz-Content-Sha256"] = hash,
        };
    }

    private static Dictionary<string, string> Sign(
        ServiceEndpoint endpoint, AwsKeys keys, string method, string path, (string Name, string Value) further, string hash, DateTimeOffset now)
    {
        var at = now.UtcDateTime;
        var date = AWS4Signer.FormatDateTime(at, "yyyyMMdd'T'HHmmss'Z'");
        var address = endpoint.Address;
        var signed = new List<(string Name, string Value)>
        {
            further,
            ("host", address.IsDefaultPort ? address.Host : address.Authority),
            ("x-amz-date", date),
        };
        if (keys.SessionToken is { } token) signed.Add(("x-amz-security-token", token.Reveal()));
        signed.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        var names = string.Join(';', signed.Select(header => header.Name));
        string[] canonical = [method, path, "", .. signed.Select(header => $"{header.Name}:{header.Value}"), "", names, hash];
        var signature = AWS4Signer.ComputeSignature(
            keys.AccessKeyId, keys.SecretAccessKey.Reveal(), endpoint.Region, at, endpoint.Service, names, string.Join('\n', canonical));
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["X-Amz-Date"] = date, ["Authorization"] = signature.ForAuthorizationHeader };
        if (keys.SessionToken is { } session) headers["X-Amz-Security-Token"] = session.Reveal();
        return headers;
    }
}
