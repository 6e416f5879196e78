using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;

namespace CredBroker.Core.Revocation;

/// <summary>
/// Looks for what is due and starts it: ends what is overdue, fans out what ended, claims what each provider has free slots for. It never waits for a
/// provider, so that one which hangs holds up only itself.
/// </summary>
public sealed class RevocationDispatcher(
    ITaskStore tasks, ILeaseStore leases, ISuspensionStore suspensions, Catalog catalog, RevocationAttempt attempt, Breaker breaker, BrokerLimits limits, Signals signals, TimeProvider time)
{
    private const int Batch = 500;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly Slots _slots = new(limits.RevokeSlots);
    private int _running;

    /// <summary>How many attempts run on this node.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Looks once. Answers when to look next, unless <see cref="Signals"/> say sooner.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        signals.Take();
        while (await suspensions.LiftDueAsync(Batch, cancellationToken)) { }
        await catalog.RefreshAsync(cancellationToken);
        while ((await tasks.EndOverdueAsync(Batch, cancellationToken)).Count == Batch) { }
        while (await leases.FanOutAsync(Batch, cancellationToken)) { }
        var due = await leases.NextDueAsync(cancellationToken);
        var now = time.Now();
        foreach (var provider in due.TakeWhile(provider => provider.At <= now)) await StartAsync(provider.Provider, cancellationToken);
        return Earliest(now, due, await tasks.NextDueAsync(cancellationToken));
    }

    /// <summary>Waits, within a bound, until the attempts of this node have returned: for shutting down.</summary>
    public async Task DrainAsync(TimeSpan bound)
    {
        var started = time.GetTimestamp();
        while (Running > 0 && time.GetElapsedTime(started) < bound) await Task.Delay(TimeSpan.FromMilliseconds(50), time);
    }

    private async Task StartAsync(Uid provider, CancellationToken cancellationToken)
    {
        var max = Math.Min(_slots.FreeOf(provider), breaker.Allowance(provider));
        if (max <= 0) return;
        foreach (var lease in await leases.ClaimDueAsync(new Claim(provider, max, limits.ClaimFor), cancellationToken))
        {
            _slots.TryTake(provider);
            Interlocked.Increment(ref _running);
            _ = RunAsync(lease);
        }
    }

    private async Task RunAsync(Lease lease)
    {
        try
        {
            await attempt.RunAsync(lease, () =>
            {
                _slots.Release(lease.Gates.Provider.Uid);
                signals.Set();
            });
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            signals.Set();
        }
    }

    private DateTimeOffset Earliest(DateTimeOffset now, IReadOnlyList<ProviderDue> due, DateTimeOffset? taskDue)
    {
        var next = now + LongestPause;
        if (taskDue is { } at && at < next) next = at;
        foreach (var provider in due)
        {
            // What is due and was not taken waits for a free slot (which signals) or for the end of a pause.
            var when = provider.At > now ? provider.At : breaker.PausedUntil(provider.Provider);
            if (when < next) next = when.Value;
        }

        return next;
    }
}
