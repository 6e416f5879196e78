using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Workloads;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Reevaluation;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Workloads;

/// <summary>Writes who was seen. Stable ids are pinned at the first sight: the same subject with others is somebody else.</summary>
internal static class Seeing
{
    public static async Task<Workload> SeeAsync(WriteSession session, Workload seen)
    {
        var row = await FindAsync(session, seen);
        if (row is null)
        {
            row = WorkloadMapping.ToRow(seen);
            if (!await session.InsertIfNewAsync(session.Tables.Workloads, row)) throw new LostRaceException();
            await session.InsertIfNewAsync(session.Tables.Gates, new GateRow { Uid = row.Uid });
            session.Audit(Event(AuditTypes.WorkloadSeen, row, Actor.Broker));
            return WorkloadMapping.ToWorkload(row);
        }

        var fresh = WorkloadMapping.ToRow(seen);
        if (row.StableIds != fresh.StableIds) return await RefuseAsync(session, row, fresh.StableIds);
        var proves = (row.Attributes, row.Teams, row.Instance);
        (row.SourceName, row.Attributes, row.Teams, row.Instance) = (fresh.SourceName, fresh.Attributes, fresh.Teams, fresh.Instance);
        if (fresh.LastSeenAt > row.LastSeenAt) row.LastSeenAt = fresh.LastSeenAt;
        string[] changed = [nameof(row.SourceName), nameof(row.Attributes), nameof(row.Teams), nameof(row.Instance), nameof(row.LastSeenAt)];
        await session.UpdateAsync(session.Tables.Workloads, row, changed, $"uid = {row.Uid}");
        if (proves != (row.Attributes, row.Teams, row.Instance) && await HoldsAsync(session, row.Uid)) await Reevaluating.RequestAsync(session, new ReevaluationScope(row.Uid, null), TimeSpan.Zero);
        return WorkloadMapping.ToWorkload(row) with { RefusedStableIds = null };
    }

    public static async Task<Workload?> AcceptAsync(WriteSession session, Uid workload, Uid successor, Actor by)
    {
        var row = await session.FindAsync(session.Tables.Workloads, $"WHERE x.uid = {workload} AND x.replaced_at IS NULL {session.Dialect.ForUpdate}");
        if (row?.RefusedStableIds is not { } accepted) return null;
        row.ReplacedAt = session.Now;
        row.RefusedStableIds = null;
        await session.UpdateAsync(session.Tables.Workloads, row, [nameof(row.ReplacedAt), nameof(row.RefusedStableIds)], $"uid = {workload}");
        // Attributes, teams and instance were proven by the other's tokens: the successor's own next token brings its own.
        var next = new WorkloadRow
        {
            Uid = successor,
            SourceUid = row.SourceUid,
            SourceName = row.SourceName,
            Subject = row.Subject,
            StableIds = accepted,
            Attributes = "{}",
            Teams = "[]",
            FirstSeenAt = session.Now,
            LastSeenAt = session.Now,
        };
        await session.InsertAsync(session.Tables.Workloads, next);
        await session.InsertIfNewAsync(session.Tables.Gates, new GateRow { Uid = successor });
        session.Audit(Event(AuditTypes.WorkloadAccepted, next, by, workload));
        return WorkloadMapping.ToWorkload(next);
    }

    private static async Task<Workload> RefuseAsync(WriteSession session, WorkloadRow row, string other)
    {
        if (row.RefusedStableIds != other)
        {
            row.RefusedStableIds = other;
            await session.UpdateAsync(session.Tables.Workloads, row, [nameof(row.RefusedStableIds)], $"uid = {row.Uid}");
            session.Audit(Event(AuditTypes.WorkloadRecycled, row, Actor.Broker));
        }

        return WorkloadMapping.ToWorkload(row);
    }

    // Whether its attributes decide over anything that lives: its own, or what is held below a task that it performs.
    private static async Task<bool> HoldsAsync(WriteSession session, Abstractions.Uid workload)
    {
        var (leases, tasks) = (session.Tables.Leases.Name, session.Tables.Tasks.Name);
        return await session.CountAsync($"SELECT 1 FROM {leases} x WHERE x.workload_uid = {workload} AND x.state <= 3 LIMIT 1") > 0
            || await session.CountAsync($"SELECT 1 FROM {tasks} x WHERE (x.performer_workload = {workload} OR x.opener_workload = {workload}) AND x.ended_at IS NULL LIMIT 1") > 0;
    }

    private static Task<WorkloadRow?> FindAsync(WriteSession session, Workload seen) => session.FindAsync(
        session.Tables.Workloads, $"WHERE x.source_uid = {seen.SourceUid} AND x.subject = {seen.Subject} AND x.replaced_at IS NULL {session.Dialect.ForUpdate}");

    private static AuditDraft Event(string type, WorkloadRow row, Actor by, Uid? replaced = null) => new(type, by)
    {
        Resource = $"workloads/{row.Uid}",
        Detail = new() { ["name"] = $"{row.SourceName}/{row.Subject}", ["replaced"] = replaced?.ToString() },
    };
}
