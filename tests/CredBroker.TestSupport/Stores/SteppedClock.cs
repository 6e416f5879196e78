using Microsoft.Extensions.Time.Testing;

namespace CredBroker.TestSupport.Stores;

/// <summary>A machine's clock that somebody sets: what passes by the monotonic clock is the other's.</summary>
public sealed class SteppedClock(FakeTimeProvider passing) : TimeProvider
{
    /// <summary>By how much it is ahead.</summary>
    public TimeSpan Ahead { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => passing.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => passing.GetUtcNow() + Ahead;

    /// <inheritdoc/>
    public override long GetTimestamp() => passing.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => passing.CreateTimer(callback, state, dueTime, period);
}
