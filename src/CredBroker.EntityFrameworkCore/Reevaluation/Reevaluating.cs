using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Reevaluation;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Reevaluation;

/// <summary>
/// Asks for re-evaluations, in the transaction of what changed, and settles their pages. All leases that a change can concern are there when it commits:
/// Reserve and renewal hold the policies' gate, and what they decided under policies before is not written after.
/// </summary>
internal static class Reevaluating
{
    /// <summary>Asks for one; one that is under way begins anew when it is through. With a delay it also waits from now, wherever it is.</summary>
    public static Task RequestAsync(WriteSession session, ReevaluationScope scope, TimeSpan delay)
    {
        session.MadeWork = true;
        var row = new ReevaluationRow
        {
            Id = scope.Workload ?? scope.Task ?? default,
            Workload = scope.Workload,
            TaskId = scope.Task,
            RequestedAt = session.Now,
            DueAt = session.Now + delay,
            Until = session.Now,
        };
        var conflict = "(id) DO UPDATE SET requested_at = excluded.requested_at, due_at = excluded.due_at, again = (x.cursor IS NOT NULL OR x.until > excluded.requested_at)";
        return session.UpsertAsync(session.Tables.Reevaluations, [row], delay > TimeSpan.Zero ? conflict + ", until = excluded.until, fence = x.fence + 1" : conflict);
    }

    /// <summary>Takes what is due; null if there is nothing.</summary>
    public static async Task<ReevaluationWork?> ClaimAsync(WriteSession session, TimeSpan holdFor)
    {
        var row = await session.FindAsync(
            session.Tables.Reevaluations, $"WHERE x.due_at <= {session.Now} AND x.until <= {session.Now} ORDER BY x.due_at, x.id LIMIT 1 {session.Dialect.ForUpdateSkipLocked}");
        if (row is null) return null;
        row.Fence++;
        row.Until = session.Now + holdFor;
        await session.UpdateAsync(session.Tables.Reevaluations, row, [nameof(row.Fence), nameof(row.Until)], $"id = {row.Id}");
        return ToWork(row);
    }

    /// <summary>Settles a page. The transaction holds the policies' gate.</summary>
    public static async Task<ReevaluationOutcome> SettleAsync(WriteSession session, ReevaluationStep step)
    {
        var row = await session.FindAsync(session.Tables.Reevaluations, $"WHERE x.id = {step.Work.Id} AND x.fence = {step.Work.Fence} {session.Dialect.ForUpdate}");
        if (row is null) return new ReevaluationOutcome.Lost();
        var gates = await Effective.GatesAsync(session, [Gates.Policies]);
        if ((gates.GetValueOrDefault(Gates.Policies)?.Version ?? 0) != step.PolicyVersion) return new ReevaluationOutcome.Stale();
        foreach (var ending in step.Ending)
            if (await EndAsync(session, ending)) row.Revoked++;
        foreach (var draft in step.Audit) session.Audit(draft);
        row.Examined += step.Examined;
        row.Unclear += step.Unclear;
        row.Cursor = step.Cursor;
        row.Until = session.Now + step.HoldFor;
        if (step.Cursor is not null || row.Again)
        {
            if (step.Cursor is null) (row.Again, row.Examined, row.Unclear) = (false, 0, 0);
            string[] changed = [nameof(row.Cursor), nameof(row.Again), nameof(row.Until), nameof(row.Examined), nameof(row.Revoked), nameof(row.Unclear)];
            await session.UpdateAsync(session.Tables.Reevaluations, row, changed, $"id = {row.Id}");
            return new ReevaluationOutcome.Moved(ToWork(row));
        }

        await session.ExecuteAsync($"DELETE FROM {session.Tables.Reevaluations.Name} WHERE id = {row.Id}");
        var work = ToWork(row);
        // What changed nothing for anybody is told only where somebody changed policies: tokens come by the second.
        if (work.Scope == ReevaluationScope.Everything || work.Revoked + work.Unclear > 0) session.Audit(Summary(work, step));
        return new ReevaluationOutcome.Finished(work);
    }

    private static async Task<bool> EndAsync(WriteSession session, NoLongerPermitted ending)
    {
        if (await session.FindAsync(session.Tables.Leases, $"WHERE x.id = {ending.Lease} AND x.state <= {LeaseState.Active} {session.Dialect.ForUpdate}") is not { } row) return false;
        var lease = LeaseMapping.ToLease(row);
        // What is dead in effect died of something else, which is about to be written.
        if (!(await Effective.ReadAsync(session, lease)).Of(lease).Effective.Live) return false;
        session.Audit(ending.Audit);
        await LeaseTransitions.ApplyAsync(session, lease, live: true, Actor.Broker, new LeaseEvent.Ended(EndReason.NoLongerPermitted, Decision: ending.Decision));
        return true;
    }

    private static AuditDraft Summary(ReevaluationWork work, ReevaluationStep step) => new(AuditTypes.PolicyReevaluated, Actor.Broker)
    {
        TaskId = work.Scope.Task,
        Resource = work.Scope.Cause,
        Detail = new() { ["examined"] = work.Examined, ["revoked"] = work.Revoked, ["unclear"] = work.Unclear, ["policy_version"] = step.PolicyVersion, ["policy_hash"] = step.PolicyHash },
    };

    private static ReevaluationWork ToWork(ReevaluationRow row) => new()
    {
        Id = row.Id,
        Scope = new ReevaluationScope(row.Workload, row.TaskId),
        Cursor = row.Cursor,
        Fence = row.Fence,
        RequestedAt = row.RequestedAt,
        Examined = row.Examined,
        Revoked = row.Revoked,
        Unclear = row.Unclear,
    };
}
