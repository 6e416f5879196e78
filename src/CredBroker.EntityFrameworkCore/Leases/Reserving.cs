using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>Reserve: the one transaction that makes a lease durable before its provider is called.</summary>
internal static class Reserving
{
    public static LockSet LocksOf(Reservation reservation) => LockSet.Of(
        reservation.Lease,
        reservation.Lease.QuotaKeys.Union(reservation.Charges.Select(charge => charge.Key)),
        GateVerdict.UidsOf(reservation.Generations, reservation.Lease.Gates.All));

    public static async Task<ReserveOutcome> RunAsync(WriteSession session, Reservation reservation)
    {
        var gates = reservation.Lease.Gates.All.ToList();
        var readings = new Readings(session);
        var tasks = readings.Rows(session.Tables.Tasks, $"WHERE x.id = {reservation.Lease.TaskId}");
        var gateRows = readings.Rows(session.Tables.Gates, $"WHERE x.uid IN {SqlList.Of(GateVerdict.UidsOf(reservation.Generations, gates))}");
        var requests = reservation.Request is { } request ? Requests.ReadWith(readings, session, request) : [];
        var takeCounters = Counters.ReadWith(readings, session, reservation.Charges.Select(charge => charge.Key));
        await readings.RunAsync();
        takeCounters();

        var task = tasks.FirstOrDefault() ?? throw new ArgumentException("The lease's task does not exist.", nameof(reservation));
        if (task.EndedAt is not null || task.Deadline <= session.Now) return new ReserveOutcome.TaskOver(TaskMapping.ToTask(task, null, null));
        switch (GateVerdict.Of(gateRows, reservation.Generations, gates))
        {
            case GateVerdict.Changed:
                return new ReserveOutcome.Stale();
            case GateVerdict.Suspended(var gate):
                return new ReserveOutcome.Suspended(gate);
            case GateVerdict.Quarantined:
                return new ReserveOutcome.Quarantined();
        }

        var earlier = requests.FirstOrDefault();
        if (earlier is not null && RefusalOf(earlier, reservation, session.Now) is { } refusal) return refusal;
        var superseded = earlier is null ? null : await session.FindAsync(session.Tables.Leases, $"WHERE x.id = {earlier.Made} {session.Dialect.ForUpdate}");
        var lease = superseded is null ? reservation.Lease : InPlaceOf(superseded, reservation.Lease);
        if (lease.MaxExpiresAt <= session.Now) return new ReserveOutcome.AlreadyExists(superseded!.Id);
        var spare = superseded is not null && superseded.State <= LeaseState.Revoking ? 1 : 0;
        if (await Counters.ExceededAsync(session, reservation.Charges, spare) is { } exceeded) return new ReserveOutcome.QuotaExceeded(exceeded);
        if (lease.Group is { } group && await GroupSlots.FullUntilAsync(session, lease.TargetIdentity, group) is { } freeAt) return new ReserveOutcome.GroupFull(group, freeAt);

        foreach (var draft in reservation.Audit) session.Audit(draft);
        if (reservation.Request is not null) await Requests.WriteAsync(session, reservation.Request, earlier, lease.Id);
        await LeaseTransitions.AddAsync(session, lease, reservation.By);
        if (superseded is not null)
            await LeaseTransitions.ApplyAsync(session, LeaseMapping.ToLease(superseded), live: false, reservation.By, new LeaseEvent.Ended(EndReason.Superseded, lease.Id));
        return new ReserveOutcome.Reserved(lease);
    }

    private static ReserveOutcome? RefusalOf(RequestRow earlier, Reservation reservation, DateTimeOffset now)
    {
        var request = reservation.Request!;
        if (!earlier.Body.AsSpan().SequenceEqual(request.Body)) return new ReserveOutcome.RequestMismatch();
        if (earlier.Attempt >= request.Attempt) return new ReserveOutcome.AttemptOvertaken(earlier.Made, earlier.Attempt);
        return earlier.At + reservation.SupersedeWindow < now ? new ReserveOutcome.AlreadyExists(earlier.Made) : null;
    }

    // A credential does not live longer by being asked for again: the first one's cap holds for all that take its place.
    private static Lease InPlaceOf(LeaseRow superseded, Lease lease)
    {
        var cap = Instants.Min(lease.MaxExpiresAt, superseded.MaxExpiresAt);
        var expiresAt = Instants.Min(lease.ExpiresAt, cap);
        return lease with
        {
            Supersedes = superseded.Id,
            MaxExpiresAt = cap,
            ExpiresAt = expiresAt,
            DueAt = lease.State == LeaseState.Active ? expiresAt : lease.DueAt,
        };
    }
}

/// <summary>Request ids: one row a key, which the database enforces.</summary>
internal static class Requests
{
    public static IReadOnlyList<RequestRow> ReadWith(Readings readings, WriteSession session, RequestKey request) =>
        readings.Rows(session.Tables.Requests, $"WHERE x.key = {request.Key} {session.Dialect.ForUpdate}");

    public static Task<RequestRow?> FindAsync(WriteSession session, RequestKey request) =>
        session.FindAsync(session.Tables.Requests, $"WHERE x.key = {request.Key} {session.Dialect.ForUpdate}");

    public static async Task WriteAsync(WriteSession session, RequestKey request, RequestRow? earlier, Abstractions.Uid made)
    {
        if (earlier is not null)
        {
            await session.ExecuteAsync($"UPDATE {session.Tables.Requests.Name} SET attempt = {request.Attempt}, made = {made} WHERE key = {request.Key}");
            return;
        }

        var row = new RequestRow { Key = request.Key, Body = request.Body, Attempt = request.Attempt, Made = made, At = session.Now };
        if (!await session.InsertIfNewAsync(session.Tables.Requests, row)) throw new LostRaceException();
    }
}
