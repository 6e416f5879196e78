namespace CredBroker.Providers.Azure.Tests.EndToEnd;

/// <summary>The machine's clock, moved ahead as a test says: ten minutes, or a day, of Azure's in no time of the broker's.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _ticks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));

    public void Move(TimeSpan ahead) => Interlocked.Exchange(ref _ticks, ahead.Ticks);

    /// <summary>Back to the machine's.</summary>
    public void Reset() => Move(TimeSpan.Zero);
}
