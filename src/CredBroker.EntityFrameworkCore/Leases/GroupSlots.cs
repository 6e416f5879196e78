using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>
/// The room in a group's document. A lease takes a place until it is dead by the target's own clock: also once it was proven revoked, because what
/// revoked it is that its name stands in the document.
/// </summary>
internal static class GroupSlots
{
    // So that an index over the possible death alone finds what counts; no provider's late effect is that long.
    private static readonly TimeSpan LongestLateEffect = TimeSpan.FromDays(1);

    /// <summary>When the next place is free, if there is none now. The transaction holds the group.</summary>
    public static async Task<DateTimeOffset?> FullUntilAsync(WriteSession session, string targetIdentity, LeaseGroup group)
    {
        if (!session.Dialect.LocksRows) await session.InsertIfNewAsync(session.Tables.Groups, GroupRow.Of(targetIdentity, group));
        var (bound, dead) = BoundsOf(session);
        var taken = await session.ReadAsync(
            $"""
            SELECT count(*), min(x.possible_death_at + x.late_effect) FROM {session.Tables.Leases.Name} x
            WHERE x.group_uid = {group.Id} AND x.state <> {LeaseState.Void} AND x.possible_death_at > {bound} AND x.possible_death_at + x.late_effect > {dead}
            """,
            static reader => (Count: reader.GetInt64(0), First: SqlValues.ToInstant(reader.GetValue(1))));
        return taken[0].Count < group.Capacity ? null : (taken[0].First ?? session.Now) + LeaseGroup.ClockMargin;
    }

    /// <summary>A condition on <c>possible_death_at</c> alone, and what <c>possible_death_at + late_effect</c> must exceed for a lease to count.</summary>
    public static (DateTimeOffset Bound, DateTimeOffset Dead) BoundsOf(WriteSession session)
    {
        var dead = session.Now - LeaseGroup.ClockMargin;
        return (dead - LongestLateEffect, dead);
    }
}
