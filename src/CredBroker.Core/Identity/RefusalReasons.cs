namespace CredBroker.Core.Identity;

/// <summary>Why a token was refused. Part of the contract: names are added, never changed.</summary>
public static class RefusalReasons
{
    /// <summary>No well-formed compact JWS: segments, base64url, UTF-8, JSON, depth, duplicate members.</summary>
    public const string TokenMalformed = "TOKEN_MALFORMED";

    /// <summary>Larger than any token of an issuer is.</summary>
    public const string TokenTooLarge = "TOKEN_TOO_LARGE";

    /// <summary>A header that brings its own key, or that changes what the token means.</summary>
    public const string HeaderRefused = "HEADER_REFUSED";

    /// <summary><c>alg</c> is not on the list.</summary>
    public const string AlgorithmRefused = "ALGORITHM_REFUSED";

    /// <summary>A <c>typ</c> that this source does not issue, or a kind of token that is worth nothing as a bearer token.</summary>
    public const string TokenTypeRefused = "TOKEN_TYPE_REFUSED";

    /// <summary>No registered source has this issuer, or this trust domain.</summary>
    public const string IssuerUnknown = "ISSUER_UNKNOWN";

    /// <summary>The source's keys could not be fetched, or are older than is safe. Trying again may help.</summary>
    public const string IssuerUnavailable = "ISSUER_UNAVAILABLE";

    /// <summary>The token is not meant for this broker.</summary>
    public const string AudienceRefused = "AUDIENCE_REFUSED";

    /// <summary>The issuer has no such key.</summary>
    public const string KeyUnknown = "KEY_UNKNOWN";

    /// <summary>The signature does not verify.</summary>
    public const string SignatureInvalid = "SIGNATURE_INVALID";

    /// <summary>Past its <c>exp</c>.</summary>
    public const string TokenExpired = "TOKEN_EXPIRED";

    /// <summary>Before its <c>nbf</c> or <c>iat</c>.</summary>
    public const string TokenNotYetValid = "TOKEN_NOT_YET_VALID";

    /// <summary>Without <c>exp</c>, or with a longer life than the source may give.</summary>
    public const string TokenLifeRefused = "TOKEN_LIFE_REFUSED";

    /// <summary>A person's log-in, where workloads are expected.</summary>
    public const string PersonRefused = "PERSON_REFUSED";

    /// <summary>A run that a stranger can cause.</summary>
    public const string EventRefused = "EVENT_REFUSED";

    /// <summary><c>sub</c> is missing, malformed, or not one that this source may vouch for.</summary>
    public const string SubjectRefused = "SUBJECT_REFUSED";

    /// <summary>A claim that the source needs is missing or has another form or value.</summary>
    public const string ClaimRefused = "CLAIM_REFUSED";
}
