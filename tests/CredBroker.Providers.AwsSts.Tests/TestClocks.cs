using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>A clock that moves when it is told to, and by itself past the short pauses that somebody waits out.</summary>
internal sealed class SteppingClock() : FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 34, 56, 789, TimeSpan.Zero))
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero && dueTime <= LongestPause) ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
        return timer;
    }
}

/// <summary>A target's clock beside the broker's.</summary>
internal sealed class TargetClock(TimeProvider broker) : TimeProvider
{
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => broker.GetUtcNow() + Offset;

    public override long GetTimestamp() => broker.GetTimestamp();

    public override long TimestampFrequency => broker.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => broker.CreateTimer(callback, state, dueTime, period);
}
