using CredBroker.Core.Clocks;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Retention;

/// <summary>
/// Forgets what can no longer matter, little by little and in no hurry: one batch a look, and none while others wait for the writer. Several nodes may do
/// it at once.
/// </summary>
public sealed partial class Pruner(IRetentionStore store, BrokerLimits limits, ILogger<Pruner> logger, StoreTime time)
{
    /// <summary>The most of each sort that one transaction forgets.</summary>
    public const int Batch = 500;

    /// <summary>The most rows of a tree that one transaction deletes: leases are in many indexes.</summary>
    public const int TreeBatch = 200;

    private static readonly TimeSpan BetweenBatches = TimeSpan.FromMilliseconds(250);

    /// <summary>Looks once. Answers when to look next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        if (time.State.TimeHolds) return time.Now() + BetweenBatches;
        var pruned = await store.PruneAsync(Instants.Truncate(time.Now() - limits.RequestIdsKept), Batch, cancellationToken);
        if (pruned.Requests + pruned.Deliveries > 0) LogPruned(logger, pruned.Requests, pruned.Deliveries);
        var forgotten = await store.ForgetTreeAsync(Instants.Truncate(time.Now() - limits.TreesKept), TreeBatch, cancellationToken);
        if (forgotten.Trees > 0) LogForgotten(logger, forgotten.Trees);
        var more = forgotten.More || pruned.Deferred || pruned.Requests == Batch || pruned.Deliveries == Batch;
        return more ? time.Now() + BetweenBatches : DateTimeOffset.MaxValue;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Forgot {Requests} request ids and {Deliveries} deliveries")]
    private static partial void LogPruned(ILogger logger, int requests, int deliveries);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Forgot {Trees} trees of tasks")]
    private static partial void LogForgotten(ILogger logger, int trees);
}
