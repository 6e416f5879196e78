using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>What a lease can still do, under the locks of the transaction.</summary>
internal static class Effective
{
    public static async Task<EffectiveState> OfAsync(WriteSession session, Lease lease)
    {
        var ends = await session.ReadAsync(
            $"SELECT x.ended_at, x.deadline FROM {session.Tables.Tasks.Name} x WHERE x.id = {lease.TaskId}",
            static reader => (Ended: SqlValues.ToInstant(reader.GetValue(0)), Deadline: SqlValues.ToInstant(reader.GetValue(1))));
        var gates = await GatesAsync(session, lease.Gates.All.Select(gate => gate.Uid));
        return EffectiveState.Of(
            lease, EndOf(ends.FirstOrDefault().Ended, ends.FirstOrDefault().Deadline, session.Now), [.. lease.Gates.All.Select(gate => gates.GetValueOrDefault(gate.Uid)?.Suspension ?? 0)],
            session.Now);
    }

    /// <summary>A task past its deadline is over, whether or not somebody has written that yet.</summary>
    public static DateTimeOffset? EndOf(DateTimeOffset? ended, DateTimeOffset? deadline, DateTimeOffset now) => ended ?? (deadline <= now ? deadline : null);

    public static async Task<Dictionary<Uid, GateRow>> GatesAsync(WriteSession session, IEnumerable<Uid> gates)
    {
        var rows = await session.ListAsync(session.Tables.Gates, $"WHERE x.uid IN {SqlList.Of(gates.Distinct())}");
        return rows.ToDictionary(row => row.Uid);
    }
}
