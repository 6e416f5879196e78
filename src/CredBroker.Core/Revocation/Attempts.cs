using CredBroker.Abstractions;
using CredBroker.Core.Providers;

namespace CredBroker.Core.Revocation;

/// <summary>The attempts that run on this node, and how many more may start.</summary>
public sealed class Attempts(Breaker breaker, BrokerLimits limits, Signals signals)
{
    private readonly Slots _slots = new(limits.RevokeSlots);
    private readonly Slots _trying = new(int.MaxValue);
    private int _running;

    /// <summary>How many run.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>How many more a provider may have now: as many as it has free slots, unless it is at fault.</summary>
    public int RoomFor(Uid provider) => Math.Min(_slots.FreeOf(provider), breaker.Allowance(provider, _trying.TakenOf(provider)));

    /// <summary>Starts one, which takes a slot until it says that the provider's call has truly returned. Nobody waits for it.</summary>
    public void Start(Uid provider, Func<Action, Task> attempt)
    {
        _slots.TryTake(provider);
        _trying.TryTake(provider);
        Interlocked.Increment(ref _running);
        _ = RunAsync(provider, attempt);
    }

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
