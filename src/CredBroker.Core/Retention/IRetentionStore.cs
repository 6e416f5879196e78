namespace CredBroker.Core.Retention;

/// <summary>What need not be kept for ever.</summary>
public interface IRetentionStore
{
    /// <summary>
    /// Forgets, at most <paramref name="batch"/> of each and after everybody who waits: deliveries past their time, and request ids first used before
    /// <paramref name="requestsBefore"/> whose task has ended. What made a lease is kept while the lease's task runs, for only the ended task refuses a repeat of it; what made a suspension while that is in force.
    /// </summary>
    Task<PruneOutcome> PruneAsync(DateTimeOffset requestsBefore, int batch, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets of one tree of tasks that ended before <paramref name="endedBefore"/>, at most about <paramref name="batch"/> rows and after everybody who waits: its leases, then
    /// its tasks from the leaves on, the root last. A tree is kept while anything of it is not proven dead, could still be alive at its target before
    /// <paramref name="endedBefore"/>, or was proven dead only since. The audit trail keeps what it says of it.
    /// </summary>
    Task<ForgetOutcome> ForgetTreeAsync(DateTimeOffset endedBefore, int batch, CancellationToken cancellationToken);
}

/// <summary>What came of forgetting a tree.</summary>
/// <param name="Rows">Rows that were deleted.</param>
/// <param name="Trees">Trees of which nothing is left.</param>
/// <param name="More">Whether there is more to forget, or others waited to be written and nothing was done.</param>
public sealed record ForgetOutcome(int Rows, int Trees, bool More)
{
    /// <summary>Nothing was there to forget.</summary>
    public static ForgetOutcome Nothing { get; } = new(0, 0, false);
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
