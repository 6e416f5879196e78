using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>What decides a lease's effective state, read under the locks of the transaction.</summary>
internal sealed record Effective(DateTimeOffset? TaskEnd, IReadOnlyList<long> Suspensions, DateTimeOffset Now)
{
    public static async Task<Effective> ReadAsync(WriteSession session, Lease lease)
    {
        var readings = new Readings(session);
        var ends = readings.Of(
            $"SELECT x.ended_at, x.deadline FROM {session.Tables.Tasks.Name} x WHERE x.id = {lease.TaskId}",
            static reader => (Ended: SqlValues.ToInstant(reader.GetValue(0)), Deadline: SqlValues.ToInstant(reader.GetValue(1))));
        var rows = readings.Rows(session.Tables.Gates, $"WHERE x.uid IN {SqlList.Of(lease.Gates.All.Select(gate => gate.Uid).Distinct())}");
        await readings.RunAsync();
        var gates = rows.ToDictionary(row => row.Uid);
        return new Effective(
            EndOf(ends.FirstOrDefault().Ended, ends.FirstOrDefault().Deadline, session.Now),
            [.. lease.Gates.All.Select(gate => SuspensionOf(gates.GetValueOrDefault(gate.Uid), lease))],
            session.Now);
    }

    /// <summary>The effective state of the lease, before or after its step.</summary>
    public LeaseView Of(Lease lease) => new(lease, EffectiveState.Of(lease, TaskEnd, Suspensions, Now));

    /// <summary>A task past its deadline is over, whether or not somebody has written that yet.</summary>
    public static DateTimeOffset? EndOf(DateTimeOffset? ended, DateTimeOffset? deadline, DateTimeOffset now) => ended ?? (deadline <= now ? deadline : null);

    // In quarantine nobody knows which leases that live nowhere but here had been revoked: they count as if it were a suspension.
    private static long SuspensionOf(GateRow? gate, Lease lease) => gate is null ? 0 : gate.Suspension + (lease.Local && lease.ReservedAt <= gate.QuarantinedAt ? 1 : 0);

    public static async Task<Dictionary<Uid, GateRow>> GatesAsync(WriteSession session, IEnumerable<Uid> gates)
    {
        var rows = await session.ListAsync(session.Tables.Gates, $"WHERE x.uid IN {SqlList.Of(gates.Distinct())}");
        return rows.ToDictionary(row => row.Uid);
    }
}
