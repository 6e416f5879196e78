namespace CredBroker.Core.Tests.Model;

/// <summary>
/// Runs what awaits on the one thread that drives a model, in the order in which it became ready. Nothing else may run its continuations: that is what makes a
/// history repeatable, so whatever comes from another thread is counted.
/// </summary>
internal sealed class Pump : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Run, object? State)> _ready = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;

    /// <summary>How often another thread interfered.</summary>
    public int Strangers { get; private set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_ready)
        {
            if (Environment.CurrentManagedThreadId != _thread) Strangers++;
            _ready.Enqueue((d, state));
        }
    }

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs all that is ready, and what becomes ready by it.</summary>
    public void Drain()
    {
        while (TryTake() is { } next) next.Run(next.State);
    }

    /// <summary>Waits here for something that runs on other threads: a store's transaction, which is one step of a history.</summary>
    public T Outside<T>(Func<Task<T>> work)
    {
        var here = Current;
        SetSynchronizationContext(null);
        try
        {
            return work().GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(here);
        }
    }

    private (SendOrPostCallback Run, object? State)? TryTake()
    {
        lock (_ready) return _ready.TryDequeue(out var next) ? next : null;
    }
}

/// <summary>One number of a history, which decides one step: everything random about that step comes from it.</summary>
internal sealed class Draw(uint seed)
{
    private ulong _state = ((ulong)seed + 1) * 0x9E3779B97F4A7C15;

    /// <summary>A number from 0 to below <paramref name="count"/>.</summary>
    public int Next(int count)
    {
        _state ^= _state << 13;
        _state ^= _state >> 7;
        _state ^= _state << 17;
        return (int)(_state % (uint)count);
    }

    /// <summary>Whether it is the one in so many.</summary>
    public bool OneIn(int count) => Next(count) == 0;

    /// <summary>One of several.</summary>
    public T Of<T>(IReadOnlyList<T> several) => several[Next(several.Count)];
}
