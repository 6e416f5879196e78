using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Quarantine;

/// <summary>What a quarantine holds back: whatever follows from stored time alone, for leases from before it.</summary>
internal static class Holding
{
    private static readonly SqlText Everything = new("");

    /// <summary>The condition, after AND, on what may be claimed of a provider; nothing where it is in no quarantine.</summary>
    public static async Task<SqlText> ClaimableAsync(WriteSession session, Uid provider)
    {
        var since = await session.ReadAsync($"SELECT x.quarantined_at FROM {session.Tables.Gates.Name} x WHERE x.uid = {provider} AND x.quarantined_at IS NOT NULL", static reader => SqlValues.ToInstant(reader.GetValue(0)));
        // What is being revoked already, was decided; the rest is only due by its time.
        return since is [{ } at] ? new SqlText(string.Create(CultureInfo.InvariantCulture, $" AND (state = {(int)LeaseState.Revoking} OR reserved_at > {at.ToMicros()})")) : Everything;
    }

    /// <summary>Whether anything is in quarantine: nearly never, and then the queries are the plain ones.</summary>
    public static Task<bool> AnyAsync(BrokerContext context, CancellationToken cancellationToken) => context.Gates.AnyAsync(gate => gate.QuarantinedAt != null, cancellationToken);

    /// <summary>The tasks that may end by time: not those of trees that hold something in quarantine.</summary>
    public static IQueryable<TaskRow> Tasks(BrokerContext context, bool some) => some ? context.Tasks.Where(row => !Roots(context).Contains(row.RootId)) : context.Tasks;

    /// <summary>The same, of signs of life.</summary>
    public static IQueryable<LivenessRow> Liveness(BrokerContext context, bool some) => some
        ? context.Liveness.Where(row => !context.Tasks.Any(task => task.Id == row.TaskId && Roots(context).Contains(task.RootId)))
        : context.Liveness;

    private static IQueryable<Uid> Roots(BrokerContext context) =>
        from lease in context.Leases
        join gate in context.Gates on lease.ProviderUid equals gate.Uid
        join task in context.Tasks on lease.TaskId equals task.Id
        where gate.QuarantinedAt != null && lease.State <= LeaseState.Revoking && lease.ReservedAt <= gate.QuarantinedAt
        select task.RootId;
}
