namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>A database server behind an engine: its logins are checked for real, and it can be away.</summary>
public sealed class FakeDatabase(TimeProvider clock, int port)
{
    private readonly Dictionary<string, (string Password, DateTimeOffset ValidUntil)> _logins = new(StringComparer.Ordinal);

    /// <summary>Whether it answers.</summary>
    public bool Up { get; set; } = true;

    /// <summary>The administrator's password.</summary>
    public string AdminPassword { get; init; } = "admin";

    /// <summary>Every login there is, also while it is away.</summary>
    public IReadOnlyCollection<string> Logins => [.. _logins.Keys];

    /// <summary>What who connects is told while it is away.</summary>
    public string Refused => $"failed to connect to `user=bao_admin database=app`: 127.0.0.1:{port} (127.0.0.1): dial error: dial tcp 127.0.0.1:{port}: connect: connection refused";

    /// <summary>Whether this login opens a session now.</summary>
    public bool Accepts(string user, string password) =>
        Up && _logins.TryGetValue(user, out var login) && login.Password == password && clock.GetUtcNow() < login.ValidUntil;

    internal string? Create(string user, string password, DateTimeOffset validUntil)
    {
        if (!Up) return $"unable to start transaction: {Refused}";
        return _logins.TryAdd(user, (password, validUntil)) ? null : $"failed to execute query: ERROR: role \"{user}\" already exists (SQLSTATE 42710)";
    }

    internal string? Extend(string user, DateTimeOffset validUntil)
    {
        if (!Up) return Refused;
        if (_logins.TryGetValue(user, out var login)) _logins[user] = login with { ValidUntil = validUntil };
        return null;
    }

    internal string? Drop(string user)
    {
        if (!Up) return Refused;
        _logins.Remove(user);
        return null;
    }
}
