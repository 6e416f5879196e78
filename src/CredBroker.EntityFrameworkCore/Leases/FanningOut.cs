using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>
/// Moves what an end or a suspension covers towards revocation, in the order of ids and from where the last batch stopped. New leases cannot
/// come in between: Reserve holds the same root and gates.
/// </summary>
internal static class FanningOut
{
    private static readonly string[] GateColumns = ["source", "workload", "provider", "role"];

    public static async Task<bool> RunAsync(WriteSession session, int batch)
    {
        // Suspensions first: a person is waiting for them.
        var work = await session.FindAsync(session.Tables.FanOuts, $"ORDER BY x.gate IS NULL, x.id LIMIT 1 {session.Dialect.ForUpdateSkipLocked}");
        if (work is null) return false;
        for (var left = batch; left > 0;)
        {
            var rows = await NextAsync(session, work, left);
            foreach (var row in rows) await MoveAsync(session, work, row);
            left -= rows.Count;
            if (left == 0)
            {
                work.Cursor = rows[^1].Id;
                await session.UpdateAsync(session.Tables.FanOuts, work, [nameof(FanOutRow.GateColumn), nameof(FanOutRow.Cursor)], $"id = {work.Id}");
                return true;
            }

            if (work.TaskId is not null || work.GateColumn == GateColumns.Length - 1)
            {
                await session.ExecuteAsync($"DELETE FROM {session.Tables.FanOuts.Name} WHERE id = {work.Id}");
                return true;
            }

            (work.GateColumn, work.Cursor) = (work.GateColumn + 1, null);
        }

        return true;
    }

    private static Task<List<LeaseRow>> NextAsync(WriteSession session, FanOutRow work, int limit)
    {
        var after = work.Cursor ?? default(Uid);
        var locked = session.Dialect.ForUpdate;
        if (work.TaskId is { } task)
            return session.ListAsync(session.Tables.Leases, $"WHERE x.task_id = {task} AND x.state <= 3 AND x.id > {after} ORDER BY x.id LIMIT {limit} {locked}");
        var column = GateColumns[work.GateColumn];
        var (uid, suspension) = (new SqlText($"x.{column}_uid"), new SqlText($"x.{column}_suspension"));
        return session.ListAsync(
            session.Tables.Leases,
            $"WHERE {uid} = {work.Gate} AND {suspension} < {work.Generation} AND x.state <= 3 AND x.id > {after} ORDER BY x.id LIMIT {limit} {locked}");
    }

    private static Task MoveAsync(WriteSession session, FanOutRow work, LeaseRow row) => LeaseTransitions.ApplyAsync(
        session, LeaseMapping.ToLease(row), live: false, Actor.Broker, new LeaseEvent.Ended(work.TaskId is null ? EndReason.Suspended : EndReason.TaskEnded));
}
