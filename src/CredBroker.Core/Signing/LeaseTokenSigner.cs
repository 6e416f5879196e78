using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>Signs lease tokens: JWT access tokens (RFC 9068) for one audience, one task and one lease.</summary>
public sealed class LeaseTokenSigner : ILeaseTokenSigner
{
    private const int LongestAudience = 512;
    private const int LongestSubject = 2400;
    private const int MostClaims = 32;
    private const int LongestClaim = 1024;
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(24);

    // What verifiers act on (RFC 7519, 8693, 8705, 9068, OpenID Connect Core): a template must not be able to say it.
    private static readonly HashSet<string> Registered = new(StringComparer.OrdinalIgnoreCase)
    {
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "scp", "azp", "appid", "act", "may_act", "cnf", "nonce", "auth_time", "acr", "amr",
        "at_hash", "c_hash", "s_hash", "sid", "events", "toe", "txn", "sub_id", "sub_jwk", "typ", "email", "email_verified", "phone_number_verified", "groups", "roles",
        "entitlements", "tid", "oid", "active", "token_type", "username", "task_id",
    };

    private readonly BrokerTokens _tokens;
    private readonly ReservedAudiences _reserved;
    private readonly TimeProvider _time;

    /// <summary>Signs with the ring's lease keys.</summary>
    public LeaseTokenSigner(KeyRing ring, InstallationOptions installation, ReservedAudiences reserved, TimeProvider time)
    {
        _tokens = new BrokerTokens(ring, installation, time);
        _reserved = reserved;
        _time = time;
        Issuer = installation.IssuerOf(KeyFamily.Lease);
    }

    /// <inheritdoc/>
    public string Issuer { get; }

    /// <inheritdoc/>
    public bool IsReservedAudience(string audience) => _reserved.Contains(audience);

    /// <inheritdoc/>
    public ValueTask<Secret> SignAsync(LeaseToken token, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        var now = _time.GetUtcNow();
        Check(token, now);
        var claims = token.Claims.ToDictionary(claim => claim.Key, claim => (object)claim.Value, StringComparer.Ordinal);
        claims["sub"] = token.Subject;
        claims["client_id"] = token.Subject;
        claims["aud"] = token.Audience;
        claims["iat"] = now.ToUnixTimeSeconds();
        claims["exp"] = token.ExpiresAt.ToUnixTimeSeconds();
        claims["jti"] = token.LeaseId.ToString();
        claims["task_id"] = token.TaskId.ToString();
        if (token.Scopes.Count > 0) claims["scope"] = string.Join(' ', token.Scopes);
        return ValueTask.FromResult(_tokens.Sign(KeyFamily.Lease, claims));
    }

    private void Check(LeaseToken token, DateTimeOffset now)
    {
        if (token.Audience is not { Length: > 0 and <= LongestAudience } || !token.Audience.All(character => character is > ' ' and <= '~'))
            throw Refused($"An audience is 1 to {LongestAudience} printable ASCII characters without spaces.");
        if (IsReservedAudience(token.Audience))
            throw Refused("The audience is reserved: it is the broker's own, or a log-in that trusts the broker.");
        if (token.Subject is not { Length: > 0 and <= LongestSubject })
            throw Refused($"A subject is 1 to {LongestSubject} characters long.");
        if (token.ExpiresAt <= now || token.ExpiresAt - now > LongestLife)
            throw Refused("A lease token lives more than no time and at most 24 h.");
        if (token.Scopes.FirstOrDefault(scope => !IsScope(scope)) is not null)
            throw Refused("A scope is made of printable ASCII characters without space, quote and backslash (RFC 6749, section 3.3).");
        if (token.Claims.Count > MostClaims)
            throw Refused($"There can be at most {MostClaims} further claims.");
        foreach (var (name, value) in token.Claims)
        {
            if (Registered.Contains(name)) throw Refused($"The claim {name} is registered: verifiers act on it, and a template cannot set it.");
            if (!IsClaimName(name) || value is not { Length: <= LongestClaim })
                throw Refused($"A claim has a name of a letter and at most 127 further letters, digits and . _ - / :, and a value of at most {LongestClaim} characters.");
        }
    }

    private static bool IsScope(string scope) => scope.Length is > 0 and <= 256 && scope.All(character => character is > ' ' and <= '~' and not ('"' or '\\'));

    private static bool IsClaimName(string name) =>
        name.Length is > 0 and <= 128 && char.IsAsciiLetter(name[0]) && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-' or '/' or ':');

    private static ProviderException Refused(string words) => new(ProviderFault.Misconfigured, words, ProviderEffect.None);
}
