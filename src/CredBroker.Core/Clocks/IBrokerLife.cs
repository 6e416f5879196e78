namespace CredBroker.Core.Clocks;

/// <summary>Reads the store's clock, and keeps a record of when the broker was there to receive signs of life.</summary>
public interface IBrokerLife
{
    /// <summary>
    /// Reads the clock and writes that the broker lives. After a time in which it did not, every task that was alive when it began gets a whole grace anew, one
    /// batch a call; until that is done no heartbeat counts as lost.
    /// </summary>
    Task<LifeSign> BeatAsync(Func<TimeSpan, TimeSpan> graceOf, int batch, CancellationToken cancellationToken);
}

/// <summary>What a sign of the broker's own life found.</summary>
/// <param name="Gap">How long no node had given one, if that was long; null otherwise.</param>
/// <param name="Revived">How many tasks got a new grace in this batch.</param>
/// <param name="More">Whether there are more.</param>
public sealed record LifeSign(TimeSpan? Gap, int Revived, bool More);
