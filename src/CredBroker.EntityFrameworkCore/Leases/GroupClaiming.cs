using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Quarantine;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>Who may write a group's document. The transaction holds the group's row.</summary>
internal static class GroupClaiming
{
    public static async Task<ClaimedGroup?> ClaimAsync(WriteSession session, GroupClaim claim)
    {
        var group = await session.FindAsync(session.Tables.Groups, $"WHERE x.uid = {claim.Group}");
        if (group is null || group.Until > session.Now) return null;
        var rows = await session.ListAsync(
            session.Tables.Leases,
            $"WHERE x.group_uid = {claim.Group} AND x.provider_uid = {claim.Provider} AND x.state >= {(claim.OnlyRevoking ? LeaseState.Revoking : LeaseState.Pending)} AND x.due_at <= {session.Now}{await Holding.ClaimableAsync(session, claim.Provider)} ORDER BY x.lane, x.due_at, x.id LIMIT {claim.Max} {session.Dialect.ForUpdateSkipLocked}");
        if (rows.Count == 0) return null;
        // One call is about one role kind: the others come with the next.
        var due = rows.Where(row => row.RoleKind == rows[0].RoleKind).ToList();
        var late = due.Max(row => row.LateEffect);
        var length = claim.For + late;
        var taken = new List<Lease>();
        foreach (var row in due)
            if (await Claiming.TakeAsync(session, row, session.Now + length) is { } lease) taken.Add(lease);
        if (taken.Count == 0) return null;
        await TakeAsync(session, group, length);
        return new ClaimedGroup
        {
            Id = group.Uid,
            Name = group.Name,
            Fence = group.Fence,
            Length = length,
            LateEffect = late,
            Due = taken,
            StillDenied = await StillDeniedAsync(session, group.Uid, [.. taken.Select(lease => lease.Id)]),
        };
    }

    public static async Task<GroupHold> HoldAsync(WriteSession session, Uid uid, TimeSpan holdFor)
    {
        var group = await session.FindAsync(session.Tables.Groups, $"WHERE x.uid = {uid}") ?? throw new ArgumentException("The group has no lease yet.", nameof(uid));
        if (group.Until > session.Now) return new GroupHold(null, group.Until);
        if (await session.CountAsync($"SELECT 1 FROM {session.Tables.Leases.Name} x WHERE x.group_uid = {uid} AND x.due_at <= {session.Now} LIMIT 1") > 0)
            return new GroupHold(null, session.Now);
        await TakeAsync(session, group, holdFor);
        return new GroupHold(group.Fence, group.Until);
    }

    public static async Task<bool> ReleaseAsync(WriteSession session, Uid uid, long fence, TimeSpan after) =>
        await session.ExecuteAsync($"UPDATE {session.Tables.Groups.Name} SET until = {session.Now + after} WHERE uid = {uid} AND fence = {fence}") == 1;

    public static async Task<bool> HoldsAsync(WriteSession session, Lease lease, long fence) =>
        lease.Group is { } group && await session.CountAsync($"SELECT 1 FROM {session.Tables.Groups.Name} x WHERE x.uid = {group.Id} AND x.fence = {fence}") == 1;

    private static Task TakeAsync(WriteSession session, GroupRow group, TimeSpan holdFor)
    {
        group.Fence++;
        group.Until = session.Now + holdFor;
        return session.UpdateAsync(session.Tables.Groups, group, [nameof(GroupRow.Fence), nameof(GroupRow.Until)], $"uid = {group.Uid}");
    }

    // What is being revoked or was proven to be, and could live again by itself if the document forgot it.
    private static async Task<IReadOnlyList<DeniedCredential>> StillDeniedAsync(WriteSession session, Uid group, HashSet<Uid> taken)
    {
        var (bound, dead) = GroupSlots.BoundsOf(session);
        var rows = await session.ReadAsync(
            $"""
            SELECT x.id, x.external_name, x.possible_death_at, COALESCE(x.activated_at, x.issue_deadline + x.late_effect) FROM {session.Tables.Leases.Name} x
            WHERE x.group_uid = {group} AND x.state IN ({LeaseState.Revoking}, {LeaseState.Revoked}) AND x.possible_death_at > {bound} AND x.possible_death_at + x.late_effect > {dead}
            ORDER BY x.id
            """,
            static reader => (Id: SqlValues.ToUid(reader.GetValue(0)), Name: reader.GetString(1), At: SqlValues.ToInstant(reader.GetValue(2))!.Value, IssuedBy: SqlValues.ToInstant(reader.GetValue(3))));
        return [.. rows.Where(row => !taken.Contains(row.Id)).Select(row => new DeniedCredential(row.Name, row.At) { IssuedBy = row.IssuedBy })];
    }
}
