using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity;

/// <summary>What a look for a key found.</summary>
internal abstract record KeyLookup
{
    private KeyLookup()
    {
    }

    /// <summary>The key, and the generation of keys that it belongs to.</summary>
    public sealed record Found(SecurityKey Key, string Generation) : KeyLookup;

    /// <summary>The issuer has no such key.</summary>
    public sealed record Unknown : KeyLookup;

    /// <summary>The issuer's keys are not known, or too old to be trusted.</summary>
    public sealed record Unavailable : KeyLookup;
}

/// <summary>
/// The keys of one place. A request for a key that is not known fetches at most once in <see cref="FetchAtMostEvery"/>, and all who wait share
/// that fetch; everything else is done in the background. An issuer that is down is tolerated until the keys are <see cref="StaleAfter"/> old.
/// </summary>
internal sealed partial class IssuerKeys(KeyPlace place, TimeSpan refreshEvery, KeyFetcher fetcher, TimeProvider time, ILogger logger)
{
    public static readonly TimeSpan StaleAfter = TimeSpan.FromHours(24);
    public static readonly TimeSpan FetchAtMostEvery = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan UnknownFor = TimeSpan.FromSeconds(60);
    private const int MostUnknown = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _unknown = new(StringComparer.Ordinal);
    private Task? _fetching;
    private DateTimeOffset? _attemptedAt;
    private Snapshot? _snapshot = place is KeyPlace.Inline inline ? new Snapshot(inline.Keys, DateTimeOffset.MaxValue) : null;

    /// <summary>Finds a key, and fetches if that is due to an unknown id.</summary>
    public async ValueTask<KeyLookup> FindAsync(string keyId, string algorithm, CancellationToken cancellationToken)
    {
        Task fetching;
        bool isOurs;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var fresh = FreshAt(now);
            if (fresh?.Keys.Find(keyId, algorithm) is { } known) return new KeyLookup.Found(known, fresh.Keys.Generation);
            if (_fetching is null)
            {
                var isKnownAsUnknown = fresh is not null && _unknown.TryGetValue(keyId, out var until) && now < until;
                if (place is KeyPlace.Inline || isKnownAsUnknown || now - _attemptedAt < FetchAtMostEvery)
                    return fresh is null ? new KeyLookup.Unavailable() : new KeyLookup.Unknown();
            }

            isOurs = _fetching is null;
            fetching = _fetching ?? StartFetch(now);
        }

        await fetching.WaitAsync(cancellationToken);
        return Settle(keyId, algorithm, isOurs);
    }

    /// <summary>Whether the background should fetch now.</summary>
    public bool IsDue(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (place is KeyPlace.Inline || _fetching is not null || now - _attemptedAt < RetryEvery) return false;
            return _snapshot is null || now - _snapshot.FetchedAt >= refreshEvery;
        }
    }

    /// <summary>Fetches now, or joins the fetch that runs. A failure is logged and leaves what is known.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return (_fetching ?? StartFetch(time.GetUtcNow())).WaitAsync(cancellationToken);
        }
    }

    // A fetch that was under way may have been answered before the key was published: only one that began with this request shows that there is none.
    private KeyLookup Settle(string keyId, string algorithm, bool isOurs)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (FreshAt(now) is not { } fresh) return new KeyLookup.Unavailable();
            if (fresh.Keys.Find(keyId, algorithm) is { } key) return new KeyLookup.Found(key, fresh.Keys.Generation);
            if (!isOurs) return new KeyLookup.Unknown();
            if (_unknown.Count >= MostUnknown) _unknown.Clear();
            _unknown[keyId] = now + UnknownFor;
            return new KeyLookup.Unknown();
        }
    }

    private Snapshot? FreshAt(DateTimeOffset now) => _snapshot is not null && now - _snapshot.FetchedAt <= StaleAfter ? _snapshot : null;

    private Task StartFetch(DateTimeOffset now)
    {
        _attemptedAt = now;
        return _fetching = Task.Run(FetchAsync, CancellationToken.None);
    }

    private async Task FetchAsync()
    {
        VerificationKeys? keys = null;
        try
        {
            keys = await fetcher.FetchAsync(place);
        }
        catch (KeyFetchException e)
        {
            LogFailure(logger, place, e.Message);
        }
        finally
        {
            lock (_gate)
            {
                _fetching = null;
                if (keys is not null) Take(keys);
            }
        }
    }

    private void Take(VerificationKeys keys)
    {
        if (_snapshot?.Keys.Generation != keys.Generation) _unknown.Clear();
        _snapshot = new Snapshot(keys, time.GetUtcNow());
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "The keys of {Place} could not be fetched: {Why}")]
    private static partial void LogFailure(ILogger logger, KeyPlace place, string why);

    private sealed record Snapshot(VerificationKeys Keys, DateTimeOffset FetchedAt);
}
