using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Quarantine;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>Takes what is due: lane by lane, and within a lane each owner in turn, so that nobody's thousand leases stand before another's one.</summary>
internal static class Claiming
{
    // Turns are counted among the longest due of each lane: enough for several owners at their quota, and cheap under any backlog.
    private const int Window = 1024;

    public static async Task<IReadOnlyList<Lease>> RunAsync(WriteSession session, Claim claim)
    {
        var claimed = new List<Lease>();
        foreach (var row in await DueAsync(session, claim))
        {
            if (await TakeAsync(session, row, session.Now + claim.For) is { } taken) claimed.Add(taken);
        }

        return claimed;
    }

    /// <summary>Takes one that is due: what has run out is moved by the same step. Null when it cannot be taken after all.</summary>
    public static async Task<Lease?> TakeAsync(WriteSession session, LeaseRow row, DateTimeOffset until)
    {
        var lease = LeaseMapping.ToLease(row);
        var taken = new LeaseEvent.Claimed(until);
        LeaseEvent[] events = lease.State switch
        {
            LeaseState.Active => [new LeaseEvent.Ended(EndReason.Expired), taken],
            LeaseState.Pending => [new LeaseEvent.IssueDeadlinePassed(), taken],
            _ => [taken],
        };
        var (after, step) = await LeaseTransitions.ApplyAsync(session, lease, live: false, Actor.Broker, events);
        return step is LeaseStep.Moved ? after : null;
    }

    private static async Task<List<LeaseRow>> DueAsync(WriteSession session, Claim claim)
    {
        var claimable = await Holding.ClaimableAsync(session, claim.Provider);
        var leases = session.Tables.Leases.Name;
        var (provider, now, from) = (claim.Provider, session.Now, claim.OnlyRevoking ? LeaseState.Revoking : LeaseState.Pending);
        return await session.ListAsync(session.Tables.Leases, $"""
            JOIN (
                SELECT w.id, w.lane, w.due_at, ROW_NUMBER() OVER (PARTITION BY w.lane, w.workload_uid ORDER BY w.due_at, w.id) AS turn FROM (
                    SELECT * FROM (SELECT id, lane, due_at, workload_uid FROM {leases} WHERE provider_uid = {provider} AND lane = 0 AND group_uid IS NULL AND state >= {from} AND due_at <= {now}{claimable} ORDER BY due_at LIMIT {Window}) l0
                    UNION ALL
                    SELECT * FROM (SELECT id, lane, due_at, workload_uid FROM {leases} WHERE provider_uid = {provider} AND lane = 1 AND group_uid IS NULL AND state >= {from} AND due_at <= {now}{claimable} ORDER BY due_at LIMIT {Window}) l1
                    UNION ALL
                    SELECT * FROM (SELECT id, lane, due_at, workload_uid FROM {leases} WHERE provider_uid = {provider} AND lane = 2 AND group_uid IS NULL AND state >= {from} AND due_at <= {now}{claimable} ORDER BY due_at LIMIT {Window}) l2
                    UNION ALL
                    SELECT * FROM (SELECT id, lane, due_at, workload_uid FROM {leases} WHERE provider_uid = {provider} AND lane = 3 AND group_uid IS NULL AND state >= {from} AND due_at <= {now}{claimable} ORDER BY due_at LIMIT {Window}) l3
                ) w
            ) c ON c.id = x.id
            WHERE x.due_at <= {now} AND x.group_uid IS NULL AND x.state >= {from}
            ORDER BY c.lane, c.turn, c.due_at, c.id LIMIT {claim.Max} {session.Dialect.ForUpdateSkipLocked}
            """);
    }
}
