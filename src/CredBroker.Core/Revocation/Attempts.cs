using CredBroker.Abstractions;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Revocation;

/// <summary>The attempts that run on this node, and how many more may start.</summary>
public sealed class Attempts(Breaker breaker, BrokerLimits limits, Signals signals, Catalog catalog, ProviderTypes types)
{
    // Where there is no target, nothing can hang, and what limits is the store: it commits as many together as there are.
    private const int MostWithoutTarget = 512;
    private readonly Slots _slots = new(limits.RevokeSlots);
    private readonly Slots _trying = new(int.MaxValue);
    private int _running;

    /// <summary>How many run.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>How many more a provider may have now: as many as it has free slots, unless it is at fault.</summary>
    public int RoomFor(Uid provider)
    {
        var trying = _trying.TakenOf(provider);
        // Counted until they are settled: a claim must not run out while it waits to be written.
        var free = HasTarget(provider) ? _slots.FreeOf(provider) : InLargePortions(MostWithoutTarget - trying);
        return Math.Min(free, breaker.Allowance(provider, trying));
    }

    /// <summary>Starts one, which takes a slot until it says that the provider's call has truly returned. Nobody waits for it.</summary>
    public void Start(Uid provider, Func<Action, Task> attempt)
    {
        _slots.TryTake(provider);
        _trying.TryTake(provider);
        Interlocked.Increment(ref _running);
        _ = RunAsync(provider, attempt);
    }

    // Each claim looks through everything that is due: a few at a time would cost more than they bring.
    private static int InLargePortions(int free) => free < MostWithoutTarget / 4 ? 0 : free;

    private bool HasTarget(Uid provider) => !catalog.Current.TryFindProvider(provider, out var registered) || types.Find(registered.Spec.Type) is not { Local: true };

    private async Task RunAsync(Uid provider, Func<Action, Task> attempt)
    {
        try
        {
            await attempt(() =>
            {
                _slots.Release(provider);
                signals.Set();
            });
        }
        finally
        {
            _trying.Release(provider);
            Interlocked.Decrement(ref _running);
            signals.Set();
        }
    }
}
