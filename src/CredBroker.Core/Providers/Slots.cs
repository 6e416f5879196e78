using System.Collections.Concurrent;
using CredBroker.Abstractions;

namespace CredBroker.Core.Providers;

/// <summary>
/// The bulkheads of this node: how many calls each provider may have at once, for issuing and revoking apart. A call that was given up keeps its slot
/// until it truly returns, so that a target that hangs holds up only itself.
/// </summary>
public sealed class Slots(int size)
{
    private readonly ConcurrentDictionary<Uid, int> _taken = new();

    /// <summary>How many are free.</summary>
    public int FreeOf(Uid provider) => Math.Max(0, size - _taken.GetValueOrDefault(provider));

    /// <summary>How many are taken.</summary>
    public int TakenOf(Uid provider) => _taken.GetValueOrDefault(provider);

    /// <summary>Takes one; false when none is free.</summary>
    public bool TryTake(Uid provider)
    {
        while (true)
        {
            var taken = _taken.GetOrAdd(provider, 0);
            if (taken >= size) return false;
            if (_taken.TryUpdate(provider, taken + 1, taken)) return true;
        }
    }

    /// <summary>Gives one back.</summary>
    public void Release(Uid provider) => _taken.AddOrUpdate(provider, 0, (_, taken) => taken - 1);
}
