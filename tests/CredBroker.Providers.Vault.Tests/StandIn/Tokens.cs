namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>The token store of one namespace.</summary>
internal sealed class Tokens(Realm realm, TimeProvider clock)
{
    public static readonly TimeSpan SystemMax = TimeSpan.FromSeconds(2_764_800);
    private readonly Dictionary<string, Token> _tokens = new(StringComparer.Ordinal);

    public IEnumerable<Token> All => _tokens.Values;

    public Token? Find(string id) => _tokens.GetValueOrDefault(id);

    public Token? FindByAccessor(string accessor) => _tokens.Values.FirstOrDefault(token => token.Accessor == accessor && accessor.Length > 0);

    public void Add(Token token) => _tokens[token.Id] = token;

    public string NewId() => $"s.{Random.Text(24)}{realm.Suffix}";

    public string NewAccessor() => $"{Random.Text(24)}{realm.Suffix}";

    public string NewLease(string path) => $"{path}/h{Random.Hex(64)}{realm.Suffix}";

    public Token Root()
    {
        var root = new Token
        {
            Id = NewId(),
            Accessor = NewAccessor(),
            Policies = ["root"],
            Path = "auth/token/root",
            IssueTime = clock.GetUtcNow(),
            DisplayName = "root",
            Orphan = true,
            NamespacePath = realm.NamespacePath,
            LeaseId = NewLease("auth/token/root"),
        };
        Add(root);
        return root;
    }

    /// <summary>A log-in's token.</summary>
    public Token LogIn(string mount, IEnumerable<string> policies, IReadOnlyDictionary<string, string> meta, string entity, TimeSpan ttl, TimeSpan max)
    {
        var token = new Token
        {
            Id = NewId(),
            Accessor = NewAccessor(),
            Policies = [.. policies.Append("default").Distinct().Order(StringComparer.Ordinal)],
            Path = $"auth/{mount}/login",
            IssueTime = clock.GetUtcNow(),
            Meta = meta,
            DisplayName = mount,
            EntityId = entity,
            Orphan = true,
            Renewable = true,
            LoginMax = max,
            CreationTtl = ttl,
            LastGrant = ttl,
            ExpireTime = clock.GetUtcNow() + ttl,
            NamespacePath = realm.NamespacePath,
            LeaseId = NewLease($"auth/{mount}/login"),
        };
        Add(token);
        return token;
    }

    /// <summary>Moves the end; the answer is what was granted, and the warning that it was cut.</summary>
    public (TimeSpan Granted, string? Warning) Renew(Token token, TimeSpan? increment)
    {
        if (token.ExpireTime is null) throw Refusal.Of(400, "invalid lease ID");
        if (!token.Renewable) throw Refusal.Of(400, "lease is not renewable");
        if (token.Role is { } name && !realm.TokenRoles.ContainsKey(name))
            throw Refusal.Reported(500, $"failed to renew entry: original token role \"{name}\" could not be found, not renewing");
        var now = clock.GetUtcNow();
        var asked = increment ?? token.LastGrant;
        var max = MaxFor(token) - (now - token.IssueTime);
        var granted = asked < max ? asked : max;
        token.LastGrant = granted;
        token.ExpireTime = now + granted;
        token.LastRenewal = now;
        return (granted, asked > granted ? $"TTL of \"{Durations.Show(asked)}\" exceeded the effective max_ttl of \"{Durations.Show(max)}\"; TTL value is capped accordingly" : null);
    }

    /// <summary>Ends a token and its children, and queues their leases.</summary>
    public void Revoke(Token token, DateTimeOffset? at = null)
    {
        if (!_tokens.Remove(token.Id)) return;
        foreach (var lease in realm.Leases.All.Where(lease => lease.Token == token).ToList()) realm.Leases.Enqueue(lease, at);
        foreach (var child in _tokens.Values.Where(child => child.Parent == token && !child.Orphan).ToList()) Revoke(child, at);
    }

    public void Tick()
    {
        var now = clock.GetUtcNow();
        foreach (var token in _tokens.Values.Where(token => token.ExpireTime <= now).ToList()) Revoke(token, token.ExpireTime);
    }

    // On renewal the role's maximum takes the place of the token's own: what it was created with is shown, and not enforced.
    private TimeSpan MaxFor(Token token)
    {
        if (token.LoginMax is { } login) return login;
        var own = token.Role is { } name ? realm.TokenRoles[name].TokenExplicitMax : token.ExplicitMax;
        return own > TimeSpan.Zero ? own : SystemMax;
    }
}
