using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>
/// A compact JWS taken apart without leniency (RFC 7515, section 7.1; RFC 7519): exactly one spelling of base64url, valid UTF-8, no duplicate
/// member at any depth, bounded in size and depth. It proves nothing; the signature is checked elsewhere, over the same text.
/// </summary>
internal sealed class StrictJwt
{
    /// <summary>The longest token, in characters.</summary>
    public const int LongestToken = 16 * 1024;

    /// <summary>
    /// Types that are never a workload's bearer token: WIT-SVIDs, which need a proof of possession (WIT-SVID.md, section 4), the broker's
    /// receipts, security events (RFC 8417), log-out tokens and DPoP proofs (RFC 9449).
    /// </summary>
    public static readonly HashSet<string> NeverBearer =
        new(["wit+jwt", "cb-receipt+jwt", "secevent+jwt", "logout+jwt", "dpop+jwt"], StringComparer.OrdinalIgnoreCase);

    private const int DeepestJson = 8;
    private const int LongestKeyId = 256;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonDocumentOptions JsonOptions = new() { MaxDepth = DeepestJson, AllowDuplicateProperties = false };

    // The token would bring its own key (jwk, jku, x5c, x5u), or it means something else than it seems (RFC 7515, section 4.1; RFC 7797).
    private static readonly string[] RefusedHeaders = ["jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc", "cty", "apu", "apv", "epk", "p2s", "p2c"];

    private StrictJwt(string text, string algorithm, string keyId, string? type, JsonElement claims)
    {
        Text = text;
        Algorithm = algorithm;
        KeyId = keyId;
        Type = type;
        Claims = claims;
    }

    public string Text { get; }

    public string Algorithm { get; }

    public string KeyId { get; }

    /// <summary>The <c>typ</c> header; null when it is absent.</summary>
    public string? Type { get; }

    public JsonElement Claims { get; }

    /// <summary>The whole text's hash: two tokens have the same only if they are the same, signature included.</summary>
    public string FullHash => Hash(Text);

    /// <summary>The hash of what was signed.</summary>
    public string SignedHash => Hash(Text[..Text.LastIndexOf('.')]);

    /// <summary>A string claim; null when it is absent or no string.</summary>
    public string? String(string name) =>
        Claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public bool Has(string name) => Claims.TryGetProperty(name, out _);

    /// <summary>The audiences: a string or a list of strings (RFC 7519, section 4.1.3); null when it is neither.</summary>
    public IReadOnlyList<string>? Audiences()
    {
        if (!Claims.TryGetProperty("aud", out var audience)) return null;
        if (audience.ValueKind == JsonValueKind.String) return [audience.GetString()!];
        return audience.ValueKind == JsonValueKind.Array && audience.EnumerateArray().All(value => value.ValueKind == JsonValueKind.String)
            ? [.. audience.EnumerateArray().Select(value => value.GetString()!)]
            : null;
    }

    /// <summary>A NumericDate (RFC 7519, section 2): false when it is there and no instant that a calendar has.</summary>
    public bool TryInstant(string name, out DateTimeOffset? instant)
    {
        instant = null;
        if (!Claims.TryGetProperty(name, out var value)) return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and < 253_402_300_799d)) return false;
        instant = DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerMillisecond) * 1000);
        return true;
    }

    /// <summary>Takes a token apart.</summary>
    /// <returns>The token, or why it is none.</returns>
    public static (StrictJwt? Token, Attestation.Refused? Refused) Parse(string text)
    {
        if (text.Length > LongestToken) return Refuse(RefusalReasons.TokenTooLarge, $"The token is longer than {LongestToken} characters.");
        var parts = text.Split('.');
        if (parts.Length != 3)
            return Refuse(RefusalReasons.TokenMalformed, "A token is a compact JWS: three parts separated by dots. Encrypted and JSON forms are refused.");
        if (Decode(parts[0]) is not { } header || Decode(parts[1]) is not { } payload || !IsBase64Url(parts[2]))
            return Refuse(RefusalReasons.TokenMalformed, "The token's parts are not base64url of JSON objects: valid UTF-8, no padding, no member twice, not nested deeper than 8.");
        return ReadHeader(text, header, payload);
    }

    private static (StrictJwt? Token, Attestation.Refused? Refused) ReadHeader(string text, JsonElement header, JsonElement claims)
    {
        if (RefusedHeaders.FirstOrDefault(name => header.TryGetProperty(name, out _)) is { } refused)
            return Refuse(RefusalReasons.HeaderRefused, $"A token with the header {refused} is refused: keys come from the registered issuer alone, and no extension is understood.");
        if (!header.TryGetProperty("alg", out var alg) || alg.ValueKind != JsonValueKind.String || !IdentityPreset.AllAlgorithms.Contains(alg.GetString()!))
            return Refuse(RefusalReasons.AlgorithmRefused, $"The algorithm must be one of {string.Join(", ", IdentityPreset.AllAlgorithms)}.");
        string? type = null;
        if (header.TryGetProperty("typ", out var typ))
        {
            if (typ.ValueKind != JsonValueKind.String) return Refuse(RefusalReasons.TokenTypeRefused, "The header typ must be a string.");
            type = typ.GetString()!;
        }

        if (!header.TryGetProperty("kid", out var kid) || kid.ValueKind != JsonValueKind.String || kid.GetString() is not { Length: > 0 and <= LongestKeyId } keyId)
            return Refuse(RefusalReasons.KeyUnknown, $"The header kid is required: a string of at most {LongestKeyId} characters.");
        return (new StrictJwt(text, alg.GetString()!, keyId, type, claims), null);
    }

    private static JsonElement? Decode(string part)
    {
        if (!IsBase64Url(part)) return null;
        try
        {
            var json = StrictUtf8.GetString(Base64Url.DecodeFromChars(part));
            using var document = JsonDocument.Parse(json, JsonOptions);
            return document.RootElement.ValueKind == JsonValueKind.Object && HasOnlyText(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Reads every string once: a lone surrogate in an escape has no UTF-8 form, and reading it throws.</summary>
    private static bool HasOnlyText(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().All(member => member.Name is not null && HasOnlyText(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().All(HasOnlyText),
        JsonValueKind.String => element.GetString() is not null,
        _ => true,
    };

    private static readonly SearchValues<char> Base64UrlCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // The decoder skips white space and takes padding: neither is in a compact JWS.
    private static bool IsBase64Url(string part) => part.Length > 0 && part.Length % 4 != 1 && part.AsSpan().IndexOfAnyExcept(Base64UrlCharacters) < 0;

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private static (StrictJwt? Token, Attestation.Refused? Refused) Refuse(string reason, string message) => (null, new Attestation.Refused(reason, message));
}
