namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>
/// A clock that two parties look at: the broker, for whom waiting passes time at once, and Azure, whose clock may be off. Nobody waits for real.
/// </summary>
public sealed class TestClock
{
    private readonly Lock _lock = new();
    private DateTimeOffset _now;
    private TimeSpan _offset;

    /// <summary>Begins at the machine's time, cut to the second: what the SDK signs itself goes by that.</summary>
    public TestClock()
    {
        var now = TimeProvider.System.GetUtcNow();
        _now = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        Broker = new LeapingTime(this);
        Target = new TargetTime(this);
    }

    /// <summary>What the broker sees. A timer is due at once, and time has passed.</summary>
    public TimeProvider Broker { get; }

    /// <summary>What Azure sees. Its timers are real ones.</summary>
    public TimeProvider Target { get; }

    /// <summary>By how much Azure's clock is behind.</summary>
    public TimeSpan TargetIsBehind
    {
        get
        {
            lock (_lock) return _offset;
        }

        set
        {
            lock (_lock) _offset = value;
        }
    }

    /// <summary>Passes time.</summary>
    public void Advance(TimeSpan by)
    {
        lock (_lock) _now += by;
    }

    /// <summary>Passes time until Azure's clock has reached an instant.</summary>
    public void AdvanceTargetTo(DateTimeOffset instant)
    {
        lock (_lock)
            if (_now - _offset < instant) _now = instant + _offset;
    }

    private DateTimeOffset Now()
    {
        lock (_lock) return _now;
    }

    private sealed class LeapingTime(TestClock clock) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.Now();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime <= TimeSpan.Zero || dueTime == Timeout.InfiniteTimeSpan) return System.CreateTimer(callback, state, dueTime, period);
            clock.Advance(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private sealed class TargetTime(TestClock clock) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.Now() - clock.TargetIsBehind;
    }
}
