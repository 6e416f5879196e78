using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Tasks;
using CredBroker.EntityFrameworkCore.Clocks;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Receipts;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Tasks;

/// <summary>Ends a task and all below it: rows of tasks, never of leases. What they held is dead in effect at the commit, and is moved in batches afterwards.</summary>
internal static class Ending
{
    public static async Task<EndTaskOutcome> RunAsync(WriteSession session, TaskEnd end)
    {
        if (await TaskReads.FindAsync(session, end.Task) is not { } task) return new EndTaskOutcome.Unknown();
        if (end.Delivery is { } delivery && !await RememberAsync(session, delivery, task.Id)) return new EndTaskOutcome.Repeated(task);
        if (task.EndedAt is not null) return new EndTaskOutcome.Ended(task, 0);
        var ended = await EndTreeAsync(session, task, end.Outcome, end.Reason, end.By);
        return new EndTaskOutcome.Ended((await TaskReads.FindAsync(session, task.Id))!, ended);
    }

    /// <summary>Ends what is over by itself. The locks are held, so that a sign of life or another end counts if it came first.</summary>
    public static async Task<IReadOnlyList<AgentTask>> EndOverdueAsync(WriteSession session, IReadOnlyList<Uid> tasks)
    {
        var ended = new List<AgentTask>();
        var heartbeatsCount = await LifeStore.HeartbeatsCountAsync(session);
        foreach (var id in tasks)
        {
            var task = await TaskReads.FindAsync(session, id);
            if (task is null || task.EndedAt is not null) continue;
            var alive = await session.FindAsync(session.Tables.Liveness, $"WHERE x.task_id = {id} AND x.watched {session.Dialect.ForUpdate}");
            TaskEndReason? reason = task.Deadline <= session.Now ? TaskEndReason.Deadline
                : heartbeatsCount && alive?.AliveUntil <= session.Now ? TaskEndReason.HeartbeatLost : null;
            if (reason is null) continue;
            await EndTreeAsync(session, task, TaskOutcome.Cancelled, reason.Value, Actor.Broker);
            ended.Add((await TaskReads.FindAsync(session, id))!);
        }

        return ended;
    }

    private static async Task<int> EndTreeAsync(WriteSession session, AgentTask task, TaskOutcome outcome, TaskEndReason reason, Actor by)
    {
        var tasks = session.Tables.Tasks;
        var (from, to) = TaskReads.RangeUnder(task.Path);
        var running = await session.ListAsync(tasks, $"WHERE (x.id = {task.Id} OR (x.path >= {from} AND x.path < {to})) AND x.ended_at IS NULL");
        await session.ExecuteAsync($"""
            UPDATE {tasks.Name} SET ended_at = {session.Now}, outcome = CASE WHEN id = {task.Id} THEN {outcome} ELSE {TaskOutcome.Cancelled} END,
            end_reason = CASE WHEN id = {task.Id} THEN {reason} ELSE {TaskEndReason.ParentEnded} END
            WHERE (id = {task.Id} OR (path >= {from} AND path < {to})) AND ended_at IS NULL
            """);
        await session.ExecuteAsync(
            $"UPDATE {session.Tables.Liveness.Name} SET watched = {false} WHERE watched AND task_id IN (SELECT x.id FROM {tasks.Name} x WHERE x.id = {task.Id} OR (x.path >= {from} AND x.path < {to}))");
        foreach (var charged in running.SelectMany(row => row.ChargedTo.Split('\n', StringSplitOptions.RemoveEmptyEntries)).GroupBy(key => key).OrderBy(group => group.Key, StringComparer.Ordinal))
            await Counters.AddAsync(session, [charged.Key], -charged.Count());
        session.Audit(new AuditDraft(AuditTypes.TaskEnded, by)
        {
            TaskId = task.Id,
            Resource = $"tasks/{task.Id}",
            Detail = new() { ["outcome"] = outcome.ToString(), ["reason"] = reason.ToString(), ["tasks"] = running.Count },
        });
        await HandOverAsync(session, running, task, (from, to));
        return running.Count;
    }

    /// <summary>What still lives is fanned out; the receipt of a task that holds nothing is closed at once.</summary>
    private static async Task HandOverAsync(WriteSession session, IReadOnlyList<TaskRow> ended, AgentTask task, (string From, string To) range)
    {
        var holding = (await session.UidsAsync($"""
            SELECT x.id FROM {session.Tables.Tasks.Name} x WHERE (x.id = {task.Id} OR (x.path >= {range.From} AND x.path < {range.To}))
            AND EXISTS (SELECT 1 FROM {session.Tables.Leases.Name} l WHERE l.task_id = x.id AND l.state <= 3)
            """)).ToHashSet();
        await session.InsertAsync(
            session.Tables.FanOuts, [.. ended.Where(row => holding.Contains(row.Id)).Select(row => new FanOutRow { Id = row.Id, TaskId = row.Id, CreatedAt = session.Now })]);
        foreach (var row in ended.Where(row => !holding.Contains(row.Id))) await ReceiptWriter.CloseIfDoneAsync(session, row.Id);
        session.MadeWork = true;
    }

    private static async Task<bool> RememberAsync(WriteSession session, HookDelivery delivery, Uid task)
    {
        var row = new DeliveryRow { Hook = delivery.Hook, DeliveryId = delivery.Id, TaskId = task, KeepUntil = delivery.KeepUntil };
        return await session.InsertIfNewAsync(session.Tables.Deliveries, row);
    }
}
