using CredBroker.Abstractions;
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
    private Uid _after;

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

    public async Task<ForgetOutcome> ForgetTreeAsync(DateTimeOffset endedBefore, int batch, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        // Looked for without the writer, oldest first. What must still be known is passed over until all have been looked at.
        var (root, lives) = await contexts.ReadAsync(async context =>
        {
            var found = await Forgetting.Next(context, endedBefore, _after).FirstOrDefaultAsync(cancellationToken);
            return (found, found is not null && await Forgetting.LivesAsync(context, found, endedBefore, cancellationToken));
        });
        if (lives || root is null) _after = root?.Id ?? default;
        if (root is null) return ForgetOutcome.Nothing;
        if (lives || !writer.Idle) return ForgetOutcome.Nothing with { More = true };
        return await writer.WriteAsync(
            Urgency.Later, new LockSet { Tasks = [root.Id], Exclusive = true }, session => Forgetting.RunAsync(session, root.Id, endedBefore, batch), cancellationToken);
    }

    private static async Task<PruneOutcome> PruneAsync(WriteSession session, DateTimeOffset requestsBefore, int batch)
    {
        var (requests, deliveries, tasks, leases) = (session.Tables.Requests.Name, session.Tables.Deliveries.Name, session.Tables.Tasks.Name, session.Tables.Leases.Name);
        var suspensions = session.Tables.Suspensions.Name;
        var skip = session.Dialect.ForUpdateSkipLocked;
        // What another holds is somebody's repeat at this moment, or another node's to forget.
        var forgotten = await session.ExecuteAsync($"""
            DELETE FROM {requests} WHERE key IN (
                SELECT x.key FROM {requests} x WHERE x.at < {requestsBefore}
                AND NOT EXISTS (SELECT 1 FROM {tasks} t WHERE t.id = x.made AND t.ended_at IS NULL)
                AND NOT EXISTS (SELECT 1 FROM {leases} l JOIN {tasks} t ON t.id = l.task_id WHERE l.id = x.made AND (t.ended_at IS NULL OR l.state <= 3))
                AND NOT EXISTS (SELECT 1 FROM {suspensions} s WHERE s.id = x.made AND s.lifted_at IS NULL)
                ORDER BY x.at LIMIT {batch} {skip})
            """);
        var delivered = await session.ExecuteAsync($"""
            DELETE FROM {deliveries} WHERE (hook, delivery_id) IN (
                SELECT x.hook, x.delivery_id FROM {deliveries} x WHERE x.keep_until < {session.Now} ORDER BY x.keep_until LIMIT {batch} {skip})
            """);
        return new PruneOutcome(forgotten, delivered, Deferred: false);
    }
}
