using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace CredBroker.AspNetCore.Webhooks;

/// <summary>The headers of a signed signal.</summary>
/// <param name="Id"><c>webhook-id</c>.</param>
/// <param name="Timestamp"><c>webhook-timestamp</c>, in Unix seconds.</param>
/// <param name="Signature"><c>webhook-signature</c>: signatures with their versions, separated by spaces.</param>
public sealed record WebhookHeaders(string Id, string Timestamp, string Signature);

/// <summary>What came of verifying a signal.</summary>
public enum WebhookVerdict
{
    /// <summary>One of the signatures is right and the time is near.</summary>
    Valid,

    /// <summary>A header is missing or can't be read, or there are too many signatures.</summary>
    Malformed,

    /// <summary>The time stamp is farther from now than tolerated.</summary>
    OutOfTime,

    /// <summary>No signature is right.</summary>
    WrongSignature,
}

/// <summary>
/// Verifies signals by the Standard Webhooks specification (github.com/standard-webhooks/standard-webhooks): <c>v1</c> is HMAC-SHA256, <c>v1a</c>
/// ed25519, both over <c>{id}.{timestamp}.{body}</c> with the body's raw bytes. A key of one version never verifies the other.
/// </summary>
/// <param name="secrets">Keys of <c>v1</c>: raw bytes.</param>
/// <param name="publicKeys">Keys of <c>v1a</c>: 32 bytes each.</param>
/// <param name="tolerance">How far the time stamp may be from now, both ways.</param>
public sealed class StandardWebhooks(IReadOnlyList<byte[]> secrets, IReadOnlyList<byte[]> publicKeys, TimeSpan tolerance)
{
    private const int MostSignatures = 8;
    private const int MostIdLength = 256;

    /// <summary>Reads a <c>whsec_…</c> secret; null if it is none or shorter than 24 bytes, the specification's least.</summary>
    public static byte[]? ReadSecret(string text) => ReadKey(text, "whsec_", least: 24, most: 64);

    /// <summary>Reads a <c>whpk_…</c> public key; null if it is none.</summary>
    public static byte[]? ReadPublicKey(string text) => ReadKey(text, "whpk_", least: 32, most: 32);

    /// <summary>Verifies a signal.</summary>
    public WebhookVerdict Verify(WebhookHeaders headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (headers.Id.Length is 0 or > MostIdLength || headers.Id.Any(c => c is <= ' ' or > '~' or '.')) return WebhookVerdict.Malformed;
        if (!long.TryParse(headers.Timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return WebhookVerdict.Malformed;
        var signatures = headers.Signature.Split(' ', MostSignatures + 2, StringSplitOptions.RemoveEmptyEntries);
        if (signatures.Length is 0 or > MostSignatures) return WebhookVerdict.Malformed;
        var content = Encoding.UTF8.GetBytes($"{headers.Id}.{headers.Timestamp}.").Concat(body.ToArray()).ToArray();
        var right = false;
        foreach (var signature in signatures) right |= IsRight(signature, content);
        if (!right) return WebhookVerdict.WrongSignature;
        return Math.Abs(now.ToUnixTimeSeconds() - seconds) > tolerance.TotalSeconds ? WebhookVerdict.OutOfTime : WebhookVerdict.Valid;
    }

    private bool IsRight(string signature, byte[] content)
    {
        var comma = signature.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0 || Decode(signature[(comma + 1)..], most: 64) is not { } bytes) return false;
        return signature[..comma] switch
        {
            "v1" => secrets.Aggregate(false, (found, secret) => found | CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, content), bytes)),
            "v1a" => bytes.Length == 64 && publicKeys.Aggregate(false, (found, key) => found | IsSignedBy(key, content, bytes)),
            _ => false,
        };
    }

    private static bool IsSignedBy(byte[] publicKey, byte[] content, byte[] signature)
    {
        var verifier = new Ed25519Signer();
        verifier.Init(forSigning: false, new Ed25519PublicKeyParameters(publicKey));
        verifier.BlockUpdate(content);
        return verifier.VerifySignature(signature);
    }

    private static byte[]? ReadKey(string text, string prefix, int least, int most) =>
        text.StartsWith(prefix, StringComparison.Ordinal) && Decode(text[prefix.Length..], most) is { } key && key.Length >= least ? key : null;

    private static byte[]? Decode(string text, int most)
    {
        if (text.Length > 4 * ((most + 2) / 3) || !Base64.IsValid(text)) return null;
        var bytes = Convert.FromBase64String(text);
        return bytes.Length <= most ? bytes : null;
    }
}
