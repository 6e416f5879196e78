namespace CredBroker.Core.Identity;

/// <summary>Finds out who a caller is, by the bearer token that it shows. Suspension, pinned stable ids and rights are judged by others.</summary>
public sealed class Attestor(IssuerKeyCache keys, TimeProvider time)
{
    private readonly VerifiedTokens _verified = new();

    /// <summary>
    /// Looks at a token: its form, the source that it belongs to, the issuer's key, the signature, then times and claims. A token of an
    /// unknown issuer causes no traffic.
    /// </summary>
    /// <param name="bearerToken">The token, without the scheme's name.</param>
    /// <param name="cancellationToken">Stops waiting for an issuer's keys.</param>
    public async Task<Attestation> AttestAsync(string bearerToken, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(bearerToken);
        var (token, malformed) = StrictJwt.Parse(bearerToken);
        if (token is null) return malformed!;
        if (!TokenLifetime.IsWellFormed(token)) return Refuse(RefusalReasons.ClaimRefused, "exp, nbf and iat must be numbers of seconds since 1970.");
        var (source, mismatch) = FindSource(token);
        if (source is null) return mismatch!;

        var lookup = await keys.FindAsync(source, token.KeyId, token.Algorithm, cancellationToken);
        var attestation = lookup switch
        {
            KeyLookup.Found key => await VerifyAsync(token, source, key),
            KeyLookup.Unknown => Refuse(RefusalReasons.KeyUnknown, "The issuer has no key of this id for this algorithm."),
            _ => Refuse(RefusalReasons.IssuerUnavailable, "The issuer's keys cannot be fetched at the moment."),
        };
        return attestation is Attestation.Refused refused ? refused with { Source = source.Source.Name } : attestation;
    }

    private (CompiledSource? Source, Attestation.Refused? Refused) FindSource(StrictJwt token)
    {
        if (token.String("sub") is not { Length: > 0 } subject)
            return (null, Refuse(RefusalReasons.SubjectRefused, "sub is required."));
        if (token.Has("iss") && token.String("iss") is null)
            return (null, Refuse(RefusalReasons.IssuerUnknown, "iss must be a string."));
        var candidates = keys.Index().Find(token.String("iss"), subject);
        if (candidates.Count == 0)
            return (null, Refuse(RefusalReasons.IssuerUnknown, "No identity source is registered for this issuer, or for this trust domain."));
        var names = string.Join(',', candidates.Select(candidate => candidate.Source.Name).Order(StringComparer.Ordinal));
        if (token.Type is { } type && StrictJwt.NeverBearer.Contains(type))
            return (null, Refuse(RefusalReasons.TokenTypeRefused, "A token of this type is never a bearer token.", names));
        var audiences = token.Audiences() ?? [];
        var addressed = candidates.Where(candidate => audiences.Any(candidate.Audiences.Contains)).ToArray();
        if (addressed.Length != 1)
        {
            return (null, Refuse(RefusalReasons.AudienceRefused, addressed.Length == 0
                ? "The token is not meant for this broker: aud names none of the source's audiences."
                : "The token's audiences belong to more than one identity source: ask the issuer for one audience alone.", names));
        }

        return addressed[0] switch
        {
            var source when !source.Typ.Contains(token.Type ?? "") => (null, Refuse(RefusalReasons.TokenTypeRefused, "This source does not issue tokens of this typ.", source.Source.Name)),
            var source when !source.Algorithms.Contains(token.Algorithm) => (null, Refuse(RefusalReasons.AlgorithmRefused, "This source does not sign with this algorithm.", source.Source.Name)),
            var source => (source, null),
        };
    }

    private async Task<Attestation> VerifyAsync(StrictJwt token, CompiledSource source, KeyLookup.Found key)
    {
        var now = time.GetUtcNow();
        var hash = token.FullHash;
        if (_verified.Find(hash, source, key.Generation, now) is { } known) return known;

        TokenLifetime? lifetime = null;
        Attestation.Refused? refused = null;
        var isGood = await TokenSignature.VerifyAsync(token, key.Key, () =>
        {
            (lifetime, refused) = TokenLifetime.Read(token, source.MaxTokenLife, now);
            return refused is null;
        });
        if (!isGood || lifetime is null) return refused ?? Refuse(RefusalReasons.SignatureInvalid, "The signature does not verify with the issuer's key.");

        var attestation = ClaimReader.Read(token, source, lifetime);
        if (attestation is Attestation.Attested attested) _verified.Add(hash, source, key.Generation, attested, now);
        return attestation;
    }

    private static Attestation.Refused Refuse(string reason, string message, string source = "") => new(reason, message) { Source = source };
}
