using System.Collections.Concurrent;
using CredBroker.Abstractions;

namespace CredBroker.Core.Providers;

/// <summary>
/// Backs off a provider that is at fault (unreachable, throttled, denied, misconfigured), with growing pauses and jitter. After a pause one lease
/// tries; its success opens the way at once. Without end: nothing is ever given up.
/// </summary>
public sealed class Breaker(TimeProvider time, Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);
    private readonly ConcurrentDictionary<Uid, (int Failures, DateTimeOffset Until)> _broken = new();

    /// <summary>
    /// How many more leases of a provider may be tried now, while <paramref name="trying"/> are: none in a pause, one in all after it, any number while
    /// it works.
    /// </summary>
    public int Allowance(Uid provider, int trying) =>
        !_broken.TryGetValue(provider, out var state) ? int.MaxValue : state.Until > time.GetUtcNow() || trying > 0 ? 0 : 1;

    /// <summary>When a provider in a pause may be tried again; null when it may be now.</summary>
    public DateTimeOffset? PausedUntil(Uid provider) => _broken.TryGetValue(provider, out var state) && state.Until > time.GetUtcNow() ? state.Until : null;

    /// <summary>It answered.</summary>
    public void Succeeded(Uid provider) => _broken.TryRemove(provider, out _);

    /// <summary>It was at fault. Answers when it may be tried again.</summary>
    public DateTimeOffset Failed(Uid provider, TimeSpan? retryAfter)
    {
        var state = _broken.AddOrUpdate(provider, _ => Next(1), (_, before) => Next(before.Failures + 1));
        return state.Until;

        (int, DateTimeOffset) Next(int failures)
        {
            var pause = Backoff.Of(failures, First, Longest, random);
            return (failures, time.Now() + (retryAfter > pause ? retryAfter.Value : pause));
        }
    }
}

/// <summary>Growing pauses.</summary>
public static class Backoff
{
    /// <summary>Doubles from <paramref name="first"/> to <paramref name="longest"/>, less up to a half at random, so that many do not return at once.</summary>
    public static TimeSpan Of(int failures, TimeSpan first, TimeSpan longest, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var full = first * Math.Pow(2, Math.Min(failures - 1, 20));
        var capped = full < longest ? full : longest;
        return capped * (1 - (random.NextDouble() / 2));
    }
}
