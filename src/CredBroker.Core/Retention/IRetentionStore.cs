namespace CredBroker.Core.Retention;

/// <summary>What need not be kept for ever.</summary>
public interface IRetentionStore
{
    /// <summary>
    /// Forgets, at most <paramref name="batch"/> of each and after everybody who waits: deliveries past their time, and request ids first used before
    /// <paramref name="requestsBefore"/> whose task has ended. What made a lease is kept while the lease's task runs, for only the ended task refuses a repeat of it.
    /// </summary>
    Task<PruneOutcome> PruneAsync(DateTimeOffset requestsBefore, int batch, CancellationToken cancellationToken);
}

/// <summary>What came of pruning.</summary>
/// <param name="Requests">Request ids that were forgotten.</param>
/// <param name="Deliveries">Deliveries that were forgotten.</param>
/// <param name="Deferred">Others waited to be written: nothing was done.</param>
public sealed record PruneOutcome(int Requests, int Deliveries, bool Deferred)
{
    /// <summary>Nothing was there to forget.</summary>
    public static PruneOutcome Nothing { get; } = new(0, 0, false);
}
