using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Receipts;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>Writes what the pure function made of a lease: the row under its version, the counters, the audit events, the receipt.</summary>
internal static class LeaseTransitions
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    /// <summary>Applies one event and writes its step.</summary>
    public static Task<(Lease After, LeaseStep Step)> ApplyAsync(WriteSession session, Lease lease, bool live, Actor by, LeaseEvent @event) =>
        ApplyAsync(session, lease, live, by, [@event]);

    /// <summary>Applies events one after another and writes their steps at once. Those that change nothing are passed over; the last step is answered.</summary>
    public static async Task<(Lease After, LeaseStep Step)> ApplyAsync(WriteSession session, Lease lease, bool live, Actor by, IReadOnlyList<LeaseEvent> events)
    {
        var after = lease;
        LeaseStep step = new LeaseStep.Unchanged("Nothing happened.");
        foreach (var @event in events)
        {
            var before = after;
            step = LeaseMachine.Apply(before, @event, live, session.Now);
            if (step is not LeaseStep.Moved moved) continue;
            after = moved.Lease;
            if (LeaseAudit.Of(before, after, @event, by) is { } told) session.Audit(told);
        }

        if (after.Version != lease.Version) await SaveAsync(session, lease, after);
        return (after, step);
    }

    /// <summary>Inserts a new lease.</summary>
    public static async Task AddAsync(WriteSession session, Lease lease, Actor by)
    {
        await Counters.AddAsync(session, lease.QuotaKeys, 1);
        await session.InsertAsync(session.Tables.Leases, LeaseMapping.ToRow(lease));
        foreach (var told in LeaseAudit.OfReserved(lease, by)) session.Audit(told);
        Tell(session, lease);
    }

    private static async Task SaveAsync(WriteSession session, Lease before, Lease after)
    {
        if (before.Unproven != after.Unproven) await Counters.AddAsync(session, after.QuotaKeys, after.Unproven ? 1 : -1);
        if (!before.Unproven && after.Unproven) await ReceiptWriter.ReopenAsync(session, after.TaskId);
        var changed = await session.UpdateAsync(
            session.Tables.Leases, LeaseMapping.ToRow(after), LeaseRow.Mutable, $"id = {after.Id} AND version = {before.Version}");
        if (changed != 1) throw new LostRaceException();
        if (before.Unproven && !after.Unproven) await ReceiptWriter.CloseIfDoneAsync(session, after.TaskId);
        if (before.DueAt != after.DueAt) Tell(session, after);
    }

    private static void Tell(WriteSession session, Lease lease)
    {
        if (lease.DueAt - session.Now < Soon) session.MadeWork = true;
    }
}
