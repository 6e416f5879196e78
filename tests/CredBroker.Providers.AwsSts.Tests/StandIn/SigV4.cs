using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>Signature Version 4, written from its description and independent of the SDK: it verifies what the SDK's signer signs.</summary>
internal static class SigV4
{
    public static string Sign(
        string secret, string date, string region, string service, string method, string path, string query, IReadOnlyList<(string Name, string Value)> signedHeaders, string payloadHash)
    {
        var canonical = Canonical(method, path, query, signedHeaders, payloadHash);
        var scope = $"{date[..8]}/{region}/{service}/aws4_request";
        var toSign = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}";
        var key = Hmac(Hmac(Hmac(Hmac(Encoding.UTF8.GetBytes($"AWS4{secret}"), date[..8]), region), service), "aws4_request");
        return Convert.ToHexStringLower(Hmac(key, toSign));
    }

    public static string Canonical(string method, string path, string query, IReadOnlyList<(string Name, string Value)> signedHeaders, string payloadHash)
    {
        var parameters = query.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2)).Select(pair => (Name: pair[0], Value: pair.Length > 1 ? pair[1] : ""))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal).Select(pair => $"{pair.Name}={pair.Value}");
        var headers = signedHeaders.Select(header => (Name: header.Name.ToLowerInvariant(), header.Value)).OrderBy(header => header.Name, StringComparer.Ordinal).ToList();
        return string.Join('\n',
        [
            method, path.Length == 0 ? "/" : path, string.Join('&', parameters),
            .. headers.Select(header => $"{header.Name}:{string.Join(' ', header.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))}"),
            "", string.Join(';', headers.Select(header => header.Name)), payloadHash,
        ]);
    }

    public static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static string Date(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset? ReadDate(string? text) => DateTimeOffset.TryParseExact(
        text, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date) ? date : null;

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
