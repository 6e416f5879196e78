namespace CredBroker.Core.Identity;

/// <summary>A token's times, by our own clock.</summary>
internal sealed record TokenLifetime(DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>How far an issuer's clock may be off.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    public bool HasExpired(DateTimeOffset now) => now >= ExpiresAt + Leeway;

    /// <summary>The times are what calendars have. A matter of form, asked before the signature: the JOSE library throws on others.</summary>
    public static bool IsWellFormed(StrictJwt token) => token.TryInstant("exp", out _) && token.TryInstant("nbf", out _) && token.TryInstant("iat", out _);

    /// <summary>Reads and judges well-formed times (RFC 7519, sections 4.1.4 to 4.1.6).</summary>
    public static (TokenLifetime? Lifetime, Attestation.Refused? Refused) Read(StrictJwt token, TimeSpan longest, DateTimeOffset now)
    {
        token.TryInstant("exp", out var expires);
        token.TryInstant("nbf", out var notBefore);
        token.TryInstant("iat", out var issued);
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
