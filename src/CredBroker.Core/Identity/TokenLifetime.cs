namespace CredBroker.Core.Identity;

/// <summary>A token's times, by our own clock.</summary>
internal sealed record TokenLifetime(DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>How far an issuer's clock may be off.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    public bool HasExpired(DateTimeOffset now) => now >= ExpiresAt + Leeway;

    /// <summary>Reads and judges the times (RFC 7519, sections 4.1.4 to 4.1.6).</summary>
    public static (TokenLifetime? Lifetime, Attestation.Refused? Refused) Read(StrictJwt token, TimeSpan longest, DateTimeOffset now)
    {
        if (!token.TryInstant("exp", out var expires) || !token.TryInstant("nbf", out var notBefore) || !token.TryInstant("iat", out var issued))
            return Refuse(RefusalReasons.ClaimRefused, "exp, nbf and iat must be numbers of seconds since 1970.");
        if (expires is not { } end) return Refuse(RefusalReasons.TokenLifeRefused, "The token has no exp: it would be valid for ever.");
        var lifetime = new TokenLifetime(issued ?? now, end);
        if (lifetime.HasExpired(now)) return Refuse(RefusalReasons.TokenExpired, "The token has expired.");
        if (notBefore > now + Leeway || issued > now + Leeway) return Refuse(RefusalReasons.TokenNotYetValid, "The token is not valid yet.");
        if (notBefore >= end || issued >= end) return Refuse(RefusalReasons.TokenLifeRefused, "The token ends before it begins.");

        // Without iat nobody knows how old it is: what remains counts. nbf is no help, GitHub's is ten minutes early.
        if (end - lifetime.IssuedAt > longest) return Refuse(RefusalReasons.TokenLifeRefused, $"The token lives longer than the {longest.TotalMinutes:0} minutes that this source may give.");
        return (lifetime, null);
    }

    private static (TokenLifetime? Lifetime, Attestation.Refused? Refused) Refuse(string reason, string message) => (null, new Attestation.Refused(reason, message));
}
