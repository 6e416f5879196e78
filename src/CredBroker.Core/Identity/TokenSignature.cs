using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity;

/// <summary>Checks a signature, and nothing else but what the caller hands in: issuer, audience and times are ours to judge.</summary>
internal static class TokenSignature
{
    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = StrictJwt.LongestToken };

    /// <summary>Whether the token is signed by this key and <paramref name="isInTime"/> says yes; the latter is asked only for good signatures.</summary>
    public static async ValueTask<bool> VerifyAsync(StrictJwt token, SecurityKey key, Func<bool> isInTime)
    {
        var result = await Handler.ValidateTokenAsync(token.Text, new TokenValidationParameters
        {
            ConfigurationManager = null,
            IssuerSigningKeyResolver = (_, _, _, _) => [key],
            LifetimeValidator = (_, _, _, _) => isInTime(),
            RequireSignedTokens = true,
            TryAllIssuerSigningKeys = false,
            ValidAlgorithms = [token.Algorithm],
            ValidateAudience = false,
            ValidateIssuer = false,
            ValidateLifetime = true,
            ValidateTokenReplay = false,
        });
        return result.IsValid;
    }
}
