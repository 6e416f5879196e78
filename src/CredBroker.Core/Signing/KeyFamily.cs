namespace CredBroker.Core.Signing;

/// <summary>
/// The broker's own keys, in three families that never mix: each has its own issuer URL, keys, JWKS document and <c>typ</c>, so that a token of
/// one kind is worth nothing to a verifier of another.
/// </summary>
public enum KeyFamily
{
    /// <summary>Lease tokens: ES256, <c>at+jwt</c> (RFC 9068).</summary>
    Lease = 1,

    /// <summary>The broker's own log-ins at providers: RS256, which Entra demands, <c>JWT</c>.</summary>
    Federation = 2,

    /// <summary>Receipts and events: ES256, <c>cb-receipt+jwt</c>.</summary>
    Receipt = 3,
}

/// <summary>What distinguishes the families.</summary>
public static class KeyFamilies
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<KeyFamily> All { get; } = [KeyFamily.Lease, KeyFamily.Federation, KeyFamily.Receipt];

    /// <summary>The last segment of the family's issuer URL.</summary>
    public static string PathOf(KeyFamily family) => family switch
    {
        KeyFamily.Lease => "lease",
        KeyFamily.Federation => "federation",
        KeyFamily.Receipt => "receipt",
        _ => throw new ArgumentOutOfRangeException(nameof(family)),
    };

    /// <summary>The one algorithm of the family (RFC 7518, section 3.1).</summary>
    public static string AlgorithmOf(KeyFamily family) => family == KeyFamily.Federation ? "RS256" : "ES256";

    /// <summary>The <c>typ</c> header of the family's tokens.</summary>
    public static string TypeOf(KeyFamily family) => family switch
    {
        KeyFamily.Lease => "at+jwt",
        KeyFamily.Federation => "JWT",
        KeyFamily.Receipt => "cb-receipt+jwt",
        _ => throw new ArgumentOutOfRangeException(nameof(family)),
    };
}
