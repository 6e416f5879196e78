using System.Buffers.Binary;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Retention;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Tasks;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Retention;

/// <summary>
/// Deletes a closed tree, a batch at a time and from its leaves: as long as anything of it is left its root is, so that the next batch finds it again, whatever
/// happens in between.
/// </summary>
internal static class Forgetting
{
    // A target's clock may be off by as much before nothing is issued there.
    private static readonly TimeSpan Margin = LeaseGroup.ClockMargin;

    /// <summary>The oldest root that ended before, after another one.</summary>
    public static IQueryable<TaskRow> Next(BrokerContext context, DateTimeOffset before, Uid after)
    {
        // Ids sort by time: what was made later cannot have ended before, and is not looked at.
        var bytes = new byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, before.ToUnixTimeMilliseconds() << 16);
        var last = Uid.FromBytes(bytes);
        return context.Tasks.Where(row => row.ParentId == null && row.EndedAt < before && row.Id > after && row.Id < last).OrderBy(row => row.Id).Take(1);
    }

    /// <summary>Whether something of a tree must still be known.</summary>
    public static Task<bool> LivesAsync(BrokerContext context, TaskRow root, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var dead = before - Margin;
        return TaskReads.UnderOrAt(context.Tasks, root.Path).AnyAsync(
            task => context.Leases.Any(lease => lease.TaskId == task.Id && (lease.State <= LeaseState.Revoking || lease.ClosedAt >= before || lease.PossibleDeathAt >= dead)), cancellationToken);
    }

    public static async Task<ForgetOutcome> RunAsync(WriteSession session, Uid rootId, DateTimeOffset before, int batch)
    {
        var (tasks, leases) = (session.Tables.Tasks.Name, session.Tables.Leases.Name);
        // Under the lock, since a late answer may have come meanwhile.
        if (await session.FindAsync(session.Tables.Tasks, $"WHERE x.id = {rootId}") is not { } root || await LivesAsync(session, root, before)) return ForgetOutcome.Nothing;
        var (from, to) = TaskReads.RangeUnder(root.Path);
        var rows = await session.ExecuteAsync($"""
            DELETE FROM {leases} WHERE id IN (
                SELECT l.id FROM {tasks} t JOIN {leases} l ON l.task_id = t.id WHERE t.id = {rootId} OR (t.path >= {from} AND t.path < {to}) LIMIT {batch})
            """);
        if (rows >= batch) return new ForgetOutcome(rows, 0, More: true);
        // The deepest first: a child is never without its parent, and the root is the last.
        var gone = await session.UidsAsync($"SELECT x.id FROM {tasks} x WHERE x.id = {rootId} OR (x.path >= {from} AND x.path < {to}) ORDER BY length(x.path) DESC, x.path LIMIT {Math.Max(1, (batch - rows) / 8)}");
        await DeleteTasksAsync(session, gone);
        if (!gone.Contains(rootId)) return new ForgetOutcome(rows + gone.Count, 0, More: true);
        session.Audit(new AuditDraft(AuditTypes.TaskForgotten, Actor.Broker) { TaskId = rootId, Resource = $"tasks/{rootId}" });
        return new ForgetOutcome(rows + gone.Count, 1, More: true);
    }

    private static async Task<bool> LivesAsync(WriteSession session, TaskRow root, DateTimeOffset before)
    {
        var (from, to) = TaskReads.RangeUnder(root.Path);
        var dead = before - Margin;
        return root.EndedAt is null || await session.CountAsync($"""
            SELECT 1 FROM {session.Tables.Tasks.Name} t JOIN {session.Tables.Leases.Name} l ON l.task_id = t.id
            WHERE (t.id = {root.Id} OR (t.path >= {from} AND t.path < {to})) AND (l.state <= 3 OR l.closed_at >= {before} OR l.possible_death_at >= {dead}) LIMIT 1
            """) > 0;
    }

    private static async Task DeleteTasksAsync(WriteSession session, IReadOnlyList<Uid> gone)
    {
        var ids = SqlList.Of(gone);
        var counters = SqlList.Of(gone.SelectMany(id => new[] { $"task:{id}", $"tree:{id}" }));
        await session.ExecuteAsync($"DELETE FROM {session.Tables.Receipts.Name} WHERE task_id IN {ids}");
        await session.ExecuteAsync($"DELETE FROM {session.Tables.Labels.Name} WHERE task_id IN {ids}");
        await session.ExecuteAsync($"DELETE FROM {session.Tables.Liveness.Name} WHERE task_id IN {ids}");
        await session.ExecuteAsync($"DELETE FROM {session.Tables.Texts.Name} WHERE owner_uid IN {ids}");
        await session.ExecuteAsync($"DELETE FROM {session.Tables.Counters.Name} WHERE key IN {counters}");
        await session.ExecuteAsync($"DELETE FROM {session.Tables.Tasks.Name} WHERE id IN {ids}");
    }
}
