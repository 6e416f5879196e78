using CredBroker.Core;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>The store's time: the machine's, but never earlier than anything that was committed, also across restarts.</summary>
internal sealed class StoreClock(TimeProvider time)
{
    private long _high;

    /// <summary>Now.</summary>
    public DateTimeOffset Now()
    {
        var now = time.Now();
        var high = Instants.FromMicros(Volatile.Read(ref _high));
        return Instants.Max(now, high);
    }

    /// <summary>This was committed: nothing is earlier from here on.</summary>
    public void Raise(DateTimeOffset to)
    {
        var micros = to.ToMicros();
        for (var seen = Volatile.Read(ref _high); micros > seen;)
        {
            var before = Interlocked.CompareExchange(ref _high, micros, seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
