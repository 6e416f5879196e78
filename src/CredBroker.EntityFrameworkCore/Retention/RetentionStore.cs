using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Retention;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Retention;

/// <summary>Forgets, in the database.</summary>
internal sealed class RetentionStore(BrokerWriter writer, ReadContexts contexts, StoreTime clock) : IRetentionStore
{
    public async Task<PruneOutcome> PruneAsync(DateTimeOffset requestsBefore, int batch, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var now = clock.Now();
        var due = await contexts.ReadAsync(async context =>
            await context.Requests.AnyAsync(row => row.At < requestsBefore, cancellationToken) || await context.Deliveries.AnyAsync(row => row.KeepUntil < now, cancellationToken));
        if (!due) return PruneOutcome.Nothing;
        if (!writer.Idle) return PruneOutcome.Nothing with { Deferred = true };
        return await writer.WriteAsync(Urgency.Later, LockSet.None, session => PruneAsync(session, requestsBefore, batch), cancellationToken);
    }

    private static async Task<PruneOutcome> PruneAsync(WriteSession session, DateTimeOffset requestsBefore, int batch)
    {
        var (requests, deliveries, tasks, leases) = (session.Tables.Requests.Name, session.Tables.Deliveries.Name, session.Tables.Tasks.Name, session.Tables.Leases.Name);
        var skip = session.Dialect.ForUpdateSkipLocked;
        // What another holds is somebody's repeat at this moment, or another node's to forget.
        var forgotten = await session.ExecuteAsync($"""
            DELETE FROM {requests} WHERE key IN (
                SELECT x.key FROM {requests} x WHERE x.at < {requestsBefore}
                AND NOT EXISTS (SELECT 1 FROM {tasks} t WHERE t.id = x.made AND t.ended_at IS NULL)
                AND NOT EXISTS (SELECT 1 FROM {leases} l JOIN {tasks} t ON t.id = l.task_id WHERE l.id = x.made AND (t.ended_at IS NULL OR l.state <= 3))
                ORDER BY x.at LIMIT {batch} {skip})
            """);
        var delivered = await session.ExecuteAsync($"""
            DELETE FROM {deliveries} WHERE (hook, delivery_id) IN (
                SELECT x.hook, x.delivery_id FROM {deliveries} x WHERE x.keep_until < {session.Now} ORDER BY x.keep_until LIMIT {batch} {skip})
            """);
        return new PruneOutcome(forgotten, delivered, Deferred: false);
    }
}
