using System.Collections.Concurrent;

namespace CredBroker.Core.Quotas;

/// <summary>Token buckets of this node: a minute's worth at once, refilled evenly. What is asked for too fast waits, and is told how long.</summary>
public sealed class RateLimits(TimeProvider time)
{
    private const int MostBuckets = 100_000;
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Takes one from every bucket, or from none: then how long to wait, and which bucket is empty.</summary>
    public (TimeSpan Wait, string What)? TryTake(params ReadOnlySpan<RateCharge> charges)
    {
        var now = time.GetTimestamp();
        if (_buckets.Count > MostBuckets) Prune(now);
        for (var i = 0; i < charges.Length; i++)
        {
            var bucket = _buckets.GetOrAdd(charges[i].Key, static (_, capacity) => new Bucket(capacity), charges[i].PerMinute);
            if (bucket.TryTake(charges[i].PerMinute, now, time) is not { } wait) continue;
            for (var taken = 0; taken < i; taken++) _buckets[charges[taken].Key].GiveBack();
            return (wait, charges[i].What);
        }

        return null;
    }

    private void Prune(long now)
    {
        foreach (var (key, bucket) in _buckets)
            if (bucket.IsFull(now, time)) _buckets.TryRemove(key, out _);
    }

    private sealed class Bucket(int capacity)
    {
        private readonly Lock _lock = new();
        private double _tokens = capacity;
        private long _at;
        private int _perMinute = capacity;

        public TimeSpan? TryTake(int perMinute, long now, TimeProvider time)
        {
            lock (_lock)
            {
                Refill(perMinute, now, time);
                if (_tokens >= 1)
                {
                    _tokens--;
                    return null;
                }

                return TimeSpan.FromMinutes((1 - _tokens) / perMinute);
            }
        }

        public void GiveBack()
        {
            lock (_lock) _tokens++;
        }

        public bool IsFull(long now, TimeProvider time)
        {
            lock (_lock)
            {
                Refill(_perMinute, now, time);
                return _tokens >= _perMinute;
            }
        }

        private void Refill(int perMinute, long now, TimeProvider time)
        {
            if (_at != 0) _tokens = Math.Min(perMinute, _tokens + (time.GetElapsedTime(_at, now).TotalMinutes * perMinute));
            _at = now;
            _perMinute = perMinute;
        }
    }
}

/// <summary>One bucket to take from.</summary>
/// <param name="Key">The bucket.</param>
/// <param name="PerMinute">How many a minute it gives, at least 1.</param>
/// <param name="What">What it limits, for the error.</param>
public readonly record struct RateCharge(string Key, int PerMinute, string What);
