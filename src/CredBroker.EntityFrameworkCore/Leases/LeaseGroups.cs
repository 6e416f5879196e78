using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>The claims on groups, in the database.</summary>
internal sealed class LeaseGroups(BrokerWriter writer, ReadContexts contexts, HandleProtection handles, StoreTime clock) : ILeaseGroups
{
    public Task<GroupAgenda> AgendaAsync(CancellationToken cancellationToken)
    {
        var now = clock.Now();
        return contexts.ReadAsync(async context =>
        {
            var leases = context.Leases.Where(lease => lease.GroupUid != null && lease.DueAt != null);
            var due = await leases.Where(lease => lease.DueAt <= now)
                .GroupBy(lease => new { lease.GroupUid, lease.ProviderUid }, (key, several) => new { key.GroupUid, key.ProviderUid, Lane = several.Min(lease => lease.Lane), At = several.Min(lease => lease.DueAt) })
                .Join(context.Groups, lease => lease.GroupUid, group => (Uid?)group.Uid, (lease, group) => new { group.Uid, group.Until, lease.ProviderUid, lease.Lane, lease.At })
                .ToListAsync(cancellationToken);
            var next = await leases.Where(lease => lease.DueAt > now).MinAsync(lease => lease.DueAt, cancellationToken);
            return new GroupAgenda([.. due.OrderBy(group => group.Lane).ThenBy(group => group.At).Select(group => new GroupDue(group.Uid, group.ProviderUid, Later(group.At!.Value, group.Until)))], next);
        });
    }

    public async Task<ClaimedGroup?> ClaimAsync(GroupClaim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        var claimed = await writer.WriteAsync(Urgency.End, LocksOf(claim.Group), session => GroupClaiming.ClaimAsync(session, claim), cancellationToken);
        return claimed is null ? null : claimed with { Due = [.. claimed.Due.Select(handles.Open)] };
    }

    public Task<GroupHold> HoldAsync(Uid group, TimeSpan holdFor, CancellationToken cancellationToken) =>
        writer.WriteAsync(LocksOf(group), session => GroupClaiming.HoldAsync(session, group, holdFor), cancellationToken);

    public Task<bool> ReleaseAsync(Uid group, long fence, TimeSpan after, CancellationToken cancellationToken) =>
        writer.WriteAsync(Urgency.Settle, LocksOf(group), session => GroupClaiming.ReleaseAsync(session, group, fence, after), cancellationToken);

    public Task<bool> OverflowAsync(Uid group, DateTimeOffset killedBefore, CancellationToken cancellationToken) =>
        writer.WriteAsync(Urgency.Settle, LocksOf(group), session => GroupOverflow.RecordAsync(session, group, killedBefore), cancellationToken);

    public async Task<bool> FanOutAsync(int batch, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (!await contexts.ReadAsync(context => context.Groups.AnyAsync(group => group.KilledBefore != null, cancellationToken))) return false;
        return await writer.WriteAsync(Urgency.End, LockSet.None, session => GroupOverflow.FanOutAsync(session, batch), cancellationToken);
    }

    public Task<IReadOnlyList<ProvenInGroup>> ProvenAsync(Uid group, CancellationToken cancellationToken)
    {
        var dead = clock.Now() - LeaseGroup.ClockMargin;
        return contexts.ReadAsync<IReadOnlyList<ProvenInGroup>>(async context =>
        {
            var proven = await context.Leases.Where(lease => lease.GroupUid == group && lease.State == LeaseState.Revoked)
                .Select(lease => new { lease.Id, lease.ExternalName, lease.PossibleDeathAt, lease.LateEffect }).ToListAsync(cancellationToken);
            return [.. proven.Where(lease => lease.PossibleDeathAt + lease.LateEffect > dead).Select(lease => new ProvenInGroup(lease.Id, lease.ExternalName))];
        });
    }

    private static LockSet LocksOf(Uid group) => new() { Groups = [group] };

    private static DateTimeOffset Later(DateTimeOffset left, DateTimeOffset right) => left > right ? left : right;
}

/// <summary>What ends because a document had no room.</summary>
internal static class GroupOverflow
{
    public static async Task<bool> RecordAsync(WriteSession session, Uid uid, DateTimeOffset killedBefore)
    {
        var group = await session.FindAsync(session.Tables.Groups, $"WHERE x.uid = {uid}");
        // It stands for as long as it must, and is told each time: what came after it is not to be ended by that.
        if (group is null || group.DeniedBefore >= killedBefore) return false;
        await session.ExecuteAsync($"UPDATE {session.Tables.Groups.Name} SET killed_before = {session.Now}, denied_before = {killedBefore} WHERE uid = {uid}");
        session.Audit(new AuditDraft(AuditTypes.GroupOverflowed, Actor.Broker) { Detail = new() { ["group"] = group.Name, ["target"] = group.TargetIdentity } });
        session.MadeWork = true;
        return true;
    }

    public static async Task<bool> FanOutAsync(WriteSession session, int batch)
    {
        var group = await session.FindAsync(session.Tables.Groups, $"WHERE x.killed_before IS NOT NULL ORDER BY x.uid LIMIT 1 {session.Dialect.ForUpdateSkipLocked}");
        if (group is null) return false;
        var rows = await session.ListAsync(
            session.Tables.Leases,
            $"WHERE x.group_uid = {group.Uid} AND x.state <= {LeaseState.Active} AND x.reserved_at <= {group.KilledBefore!.Value} ORDER BY x.id LIMIT {batch} {session.Dialect.ForUpdate}");
        foreach (var row in rows) await LeaseTransitions.ApplyAsync(session, LeaseMapping.ToLease(row), live: false, Actor.Broker, new LeaseEvent.Ended(EndReason.GroupOverflowed));
        if (rows.Count < batch) await session.ExecuteAsync($"UPDATE {session.Tables.Groups.Name} SET killed_before = NULL WHERE uid = {group.Uid}");
        return true;
    }
}
