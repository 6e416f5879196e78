using CredBroker.Abstractions;
using CredBroker.Core.Identity;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Signing;

/// <summary>Signs and verifies the broker's own tokens. Issuer, algorithm, key and <c>typ</c> follow from the family; nothing can choose them.</summary>
internal sealed class BrokerTokens(KeyRing ring, InstallationOptions installation, TimeProvider time)
{
    // Without this the handler would add times of the wall clock.
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    public Secret Sign(KeyFamily family, IReadOnlyDictionary<string, object> claims)
    {
        var all = new Dictionary<string, object>(claims, StringComparer.Ordinal) { ["iss"] = installation.IssuerOf(family) };
        return new Secret(Handler.CreateToken(new SecurityTokenDescriptor
        {
            Claims = all,
            SigningCredentials = ring.SignerOf(family),
            TokenType = KeyFamilies.TypeOf(family),
        }));
    }

    /// <summary>The token, when it is of this family, signed by a key that verifies, and in its time. Signature first: nothing else is asked of a forgery.</summary>
    public async ValueTask<StrictJwt?> VerifyAsync(KeyFamily family, string text)
    {
        var (token, _) = StrictJwt.Parse(text);
        if (token is null || token.Algorithm != KeyFamilies.AlgorithmOf(family) || token.Type != KeyFamilies.TypeOf(family)) return null;
        if (token.String("iss") != installation.IssuerOf(family) || ring.Find(family, token.KeyId) is not { } key) return null;
        return await TokenSignature.VerifyAsync(token, key, () => IsInTime(token)) ? token : null;
    }

    private bool IsInTime(StrictJwt token)
    {
        var now = time.GetUtcNow();
        return token.TryInstant("exp", out var expires) && now < expires && token.TryInstant("iat", out var issued) && issued <= now + TokenLifetime.Leeway;
    }
}
