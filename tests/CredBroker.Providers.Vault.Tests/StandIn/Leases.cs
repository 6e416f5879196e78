using System.Text.Json.Nodes;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>A lease on what an engine made.</summary>
internal sealed class Lease
{
    public required string Id { get; init; }

    public required string Path { get; init; }

    public required Token Token { get; init; }

    public required DateTimeOffset IssueTime { get; init; }

    public required DateTimeOffset ExpireTime { get; set; }

    public required string MountAccessor { get; init; }

    /// <summary>Undoes it at the backend; the answer is its error.</summary>
    public required Func<string?> Undo { get; init; }

    /// <summary>Tells the backend of a new end; the answer is its error. Null: it cannot be renewed.</summary>
    public Func<DateTimeOffset, string?>? Extend { get; init; }

    public TimeSpan DefaultTtl { get; init; }

    public TimeSpan MaxTtl { get; init; }

    public DateTimeOffset? LastRenewal { get; set; }

    public string? RevokeError { get; set; }

    /// <summary>Set while it is queued for revocation: when the next attempt is due.</summary>
    public DateTimeOffset? NextAttempt { get; set; }

    public int Attempts { get; set; }

    /// <summary>Waits between attempts are stretched by this.</summary>
    public double Jitter { get; set; } = 1;

    public bool Renewable(DateTimeOffset now) => Extend is not null && NextAttempt is null && RevokeError is null && now < ExpireTime;

    public JsonObject Describe(DateTimeOffset now)
    {
        var data = new JsonObject
        {
            ["expire_time"] = Durations.Time(ExpireTime),
            ["id"] = Id,
            ["issue_time"] = Durations.Time(IssueTime),
            ["last_renewal"] = LastRenewal is { } renewed ? Durations.Time(renewed) : null,
            ["path"] = Path,
            ["renewable"] = Renewable(now),
            ["ttl"] = Durations.Seconds(ExpireTime - now),
        };
        if (RevokeError is not null) data["revoke_error"] = RevokeError;
        return data;
    }
}

/// <summary>The expiration manager: what ends, when, and what is tried again.</summary>
internal sealed class Leases(TimeProvider clock)
{
    private const int MostAttempts = 6;
    private static readonly TimeSpan Queue = TimeSpan.FromMilliseconds(20);
    private readonly Dictionary<string, Lease> _leases = new(StringComparer.Ordinal);

    public IEnumerable<Lease> All => _leases.Values;

    public void Add(Lease lease) => _leases[lease.Id] = lease;

    public Lease? Find(string id) => _leases.GetValueOrDefault(id);

    public void Forget(Lease lease) => _leases.Remove(lease.Id);

    /// <summary>Revokes it now; the answer is the backend's error.</summary>
    public string? Revoke(Lease lease)
    {
        var error = lease.Undo();
        if (error is null) _leases.Remove(lease.Id);
        return error is null ? null : $"failed to revoke entry: resp: (*logical.Response)(nil) err: {error}";
    }

    /// <summary>Revokes it soon, and again. One that was given up has no timer any more.</summary>
    public void Enqueue(Lease lease, DateTimeOffset? at = null)
    {
        var now = at ?? clock.GetUtcNow();
        if (lease.NextAttempt is not null) return;
        lease.ExpireTime = now;
        if (lease.RevokeError is null) lease.NextAttempt = now + Queue;
    }

    /// <summary>Does whatever is due by now.</summary>
    public void Tick()
    {
        var now = clock.GetUtcNow();
        foreach (var lease in _leases.Values.ToList())
        {
            if (lease.NextAttempt is null && lease.RevokeError is null && lease.ExpireTime <= now) lease.NextAttempt = lease.ExpireTime + Queue;
            while (lease.NextAttempt is { } due && due <= now)
            {
                if (Revoke(lease) is not { } error) break;
                lease.Attempts++;
                lease.NextAttempt = lease.Attempts < MostAttempts ? due + (TimeSpan.FromSeconds(10 * Math.Pow(2, lease.Attempts)) * lease.Jitter) : null;
                if (lease.NextAttempt is null) lease.RevokeError = $"out of retries: {error}";
            }
        }
    }
}
