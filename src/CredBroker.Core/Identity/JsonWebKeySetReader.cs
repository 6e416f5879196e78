using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity;

/// <summary>The public keys of an issuer.</summary>
/// <param name="Generation">A hash of the keys: it changes when they do, and only then.</param>
/// <param name="Keys">The keys by their id. Where an issuer gave one id to several, they are all here.</param>
internal sealed record VerificationKeys(string Generation, FrozenDictionary<string, VerificationKey[]> Keys)
{
    /// <summary>The one key that has this id and fits this algorithm; null when there is none or more than one.</summary>
    public SecurityKey? Find(string keyId, string algorithm)
    {
        if (!Keys.TryGetValue(keyId, out var keys)) return null;
        var fitting = keys.Where(key => key.Fits(algorithm)).ToArray();
        return fitting.Length == 1 ? fitting[0].Key : null;
    }
}

/// <summary>One public key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Kind"><c>RSA</c>, or the curve of an elliptic key.</param>
/// <param name="Algorithm">The only algorithm that the issuer allows it for; null when it says none.</param>
internal sealed record VerificationKey(SecurityKey Key, string Kind, string? Algorithm)
{
    /// <summary>A curve belongs to one algorithm (RFC 7518, section 3.4).</summary>
    public bool Fits(string algorithm) => (Algorithm is null || Algorithm == algorithm) && Kind switch
    {
        "RSA" => algorithm.StartsWith("RS", StringComparison.Ordinal) || algorithm.StartsWith("PS", StringComparison.Ordinal),
        "P-256" => algorithm == "ES256",
        "P-384" => algorithm == "ES384",
        "P-521" => algorithm == "ES512",
        _ => false,
    };
}

/// <summary>
/// Reads a JWK Set (RFC 7517, section 5) or a SPIFFE bundle. Keys that are not for verifying signatures, not understood or not safe are
/// skipped one by one: an issuer may publish what we do not know.
/// </summary>
internal static class JsonWebKeySetReader
{
    private const int MostKeys = 256;
    private const int SmallestRsa = 2048;
    private const int LargestRsa = 8192;

    /// <summary>The keys; null when this is no key set at all.</summary>
    public static VerificationKeys? Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array && keys.GetArrayLength() <= MostKeys
                ? Read(document.RootElement, keys)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static VerificationKeys Read(JsonElement set, JsonElement keys)
    {
        var uses = keys.EnumerateArray().Select(key => String(key, "use")).ToArray();
        var isBundle = set.TryGetProperty("spiffe_sequence", out _) || uses.Any(use => use is "x509-svid" or "jwt-svid" or "wit-svid");
        var read = keys.EnumerateArray()
            .Where(key => IsForSignatures(key, isBundle))
            .Select(ReadKey)
            .OfType<VerificationKey>()
            .ToArray();
        var byId = read.GroupBy(key => key.Key.KeyId, StringComparer.Ordinal).ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        var names = read.Select(key => $"{key.Key.KeyId} {key.Algorithm} {Base64Url.EncodeToString(key.Key.ComputeJwkThumbprint())}").Order(StringComparer.Ordinal);
        return new VerificationKeys(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', names)))), byId);
    }

    /// <summary>In a bundle each key verifies its own kind only (SPIFFE_Trust_Domain_and_Bundle.md, section 4.2.2).</summary>
    private static bool IsForSignatures(JsonElement key, bool isBundle)
    {
        if (key.ValueKind != JsonValueKind.Object) return false;
        var use = String(key, "use");
        if (isBundle ? use != "jwt-svid" : use is not ("sig" or null)) return false;
        if (key.TryGetProperty("d", out _) || key.TryGetProperty("k", out _)) return false; // A published private key vouches for nothing.
        return !key.TryGetProperty("key_ops", out var operations)
            || (operations.ValueKind == JsonValueKind.Array && operations.EnumerateArray().Any(operation => operation.ValueKind == JsonValueKind.String && operation.GetString() == "verify"));
    }

    private static VerificationKey? ReadKey(JsonElement key)
    {
        if (String(key, "kid") is not { Length: > 0 } keyId) return null;
        var algorithm = String(key, "alg");
        return String(key, "kty") switch
        {
            "RSA" => ReadRsa(key, keyId, algorithm),
            "EC" => ReadEllipticCurve(key, keyId, algorithm),
            _ => null,
        };
    }

    private static VerificationKey? ReadRsa(JsonElement key, string keyId, string? algorithm)
    {
        if (Bytes(key, "n") is not { } modulus || Bytes(key, "e") is not { Length: > 0 and <= 4 } exponent) return null;
        var bits = modulus.AsSpan().TrimStart((byte)0).Length * 8;
        if (bits is < SmallestRsa or > LargestRsa || exponent[^1] % 2 == 0 || exponent.AsSpan().TrimStart((byte)0) is [] or [1]) return null;
        return new VerificationKey(new RsaSecurityKey(new RSAParameters { Modulus = modulus, Exponent = exponent }) { KeyId = keyId }, "RSA", algorithm);
    }

    private static VerificationKey? ReadEllipticCurve(JsonElement key, string keyId, string? algorithm)
    {
        var (curve, size) = String(key, "crv") switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            "P-521" => (ECCurve.NamedCurves.nistP521, 66),
            _ => (default, 0),
        };
        if (size == 0 || Bytes(key, "x") is not { } x || Bytes(key, "y") is not { } y || x.Length != size || y.Length != size) return null;
        try
        {
            var ecdsa = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } });
            return new VerificationKey(new ECDsaSecurityKey(ecdsa) { KeyId = keyId }, String(key, "crv")!, algorithm);
        }
        catch (CryptographicException)
        {
            return null; // Not a point of the curve.
        }
    }

    private static string? String(JsonElement key, string name) =>
        key.ValueKind == JsonValueKind.Object && key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement key, string name) =>
        String(key, name) is { } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
