using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>The leases, in the database.</summary>
internal sealed class LeaseStore(BrokerWriter writer, ReadContexts contexts, ReadSessions sessions, HandleProtection handles, StoreTime clock) : ILeaseStore
{
    public Task<ReserveOutcome> ReserveAsync(Reservation reservation, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reservation);
        return writer.WriteAsync(Reserving.LocksOf(reservation), session => Reserving.RunAsync(session, reservation), cancellationToken);
    }

    public async Task<ApplyOutcome> ApplyAsync(LeaseChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        var @event = await SealAsync(change, cancellationToken);
        var locks = new LockSet
        {
            Lease = change.LeaseId,
            LeaseGates = @event is LeaseEvent.Issued or LeaseEvent.RenewalIntended or LeaseEvent.Renewed,
            Gates = change.Generations is { } generations ? [.. GateVerdict.UidsOf(generations, [])] : [],
            LeaseCounters = @event is LeaseEvent.NothingMade or LeaseEvent.ProvenGone or LeaseEvent.ProvenExpired or LeaseEvent.WrittenOff or LeaseEvent.Reappeared,
        };
        var outcome = await writer.WriteAsync(UrgencyOf(@event), locks, session => ApplyAsync(session, change, @event), cancellationToken);
        return outcome switch
        {
            ApplyOutcome.Applied applied => applied with { After = Open(applied.After) },
            ApplyOutcome.Refused refused => refused with { Current = Open(refused.Current) },
            ApplyOutcome.Fenced fenced => new ApplyOutcome.Fenced(Open(fenced.Current)),
            _ => outcome,
        };
    }

    public async Task<IReadOnlyList<Lease>> ClaimDueAsync(Claim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claim);
        var claimed = await writer.WriteAsync(Urgency.End, LockSet.None, session => Claiming.RunAsync(session, claim), cancellationToken);
        return [.. claimed.Select(handles.Open)];
    }

    public async Task<bool> FanOutAsync(int batch, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        // Looked for without the writer: mostly there is nothing, and whoever makes such work also says so.
        if (await sessions.ReadAsync(session => session.CountAsync($"SELECT 1 FROM {session.Tables.FanOuts.Name} LIMIT 1"), cancellationToken) == 0) return false;
        return await writer.WriteAsync(Urgency.End, LockSet.None, session => FanningOut.RunAsync(session, batch), cancellationToken);
    }

    public Task<IReadOnlyList<ProviderDue>> NextDueAsync(CancellationToken cancellationToken) =>
        contexts.ReadAsync(context => LeaseReads.NextDueAsync(context, cancellationToken));

    public async Task<LeaseView?> FindAsync(Uid lease, CancellationToken cancellationToken)
    {
        var seen = await sessions.ReadAsync(session => LeaseReads.FindAsync(session, lease), cancellationToken);
        return seen is null ? null : Open(seen.ToView(clock.Now()));
    }

    public async Task<Page<LeaseView>> ListAsync(LeaseQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(page);
        var now = clock.Now();
        var seen = await contexts.ReadAsync(context => LeaseReads.Filter(context, query, now).After(page, row => row.Lease.Id).ToListAsync(cancellationToken));
        return Paging.ToPage(seen, page, row => row.Lease.Id.ToString(), row => Open(row.ToView(now)));
    }

    private static Urgency UrgencyOf(LeaseEvent @event) => @event switch
    {
        LeaseEvent.RenewalIntended => Urgency.Renew,
        LeaseEvent.Ended or LeaseEvent.WrittenOff or LeaseEvent.Reappeared => Urgency.End,
        _ => Urgency.Settle,
    };

    private static async Task<ApplyOutcome> ApplyAsync(WriteSession session, LeaseChange change, LeaseEvent @event)
    {
        var row = await session.FindAsync(session.Tables.Leases, $"WHERE x.id = {change.LeaseId} {session.Dialect.ForUpdate}");
        if (row is null) return new ApplyOutcome.Unknown();
        var lease = LeaseMapping.ToLease(row);
        var effective = await Effective.ReadAsync(session, lease);
        var before = effective.Of(lease);
        if (change.Fence is { } fence && fence != lease.Fence) return new ApplyOutcome.Fenced(before);
        if (change.Version is { } version && version != lease.Version) return new ApplyOutcome.Fenced(before);
        if (change.GroupFence is { } groupFence && !await GroupClaiming.HoldsAsync(session, lease, groupFence)) return new ApplyOutcome.Fenced(before);
        if (change.Generations is { } generations && await GateVerdict.OfAsync(session, generations, []) is not GateVerdict.Holds) return new ApplyOutcome.Stale();
        var (after, step) = await LeaseTransitions.ApplyAsync(session, lease, before.Effective.Live, change.By, @event);
        if (step is LeaseStep.Refused refused) return new ApplyOutcome.Refused(before, refused.Why);
        return new ApplyOutcome.Applied(effective.Of(after), step is LeaseStep.Moved);
    }

    /// <summary>The event with its handle encrypted: before the writer has it, which must not wait for a key.</summary>
    private async Task<LeaseEvent> SealAsync(LeaseChange change, CancellationToken cancellationToken)
    {
        var handle = change.Event switch
        {
            LeaseEvent.Issued issued => issued.Handle,
            LeaseEvent.HandleRecorded recorded => recorded.Handle,
            LeaseEvent.Settling settling => settling.Handle,
            _ => null,
        };
        if (handle is null) return change.Event;
        var providers = await sessions.ReadAsync(session => session.UidsAsync($"SELECT x.provider_uid FROM {session.Tables.Leases.Name} x WHERE x.id = {change.LeaseId}"), cancellationToken);
        if (providers is not [var provider]) return change.Event;
        var closed = handles.Seal(handle, change.LeaseId, provider);
        return change.Event switch
        {
            LeaseEvent.Issued issued => issued with { Handle = closed },
            LeaseEvent.HandleRecorded => new LeaseEvent.HandleRecorded(closed),
            LeaseEvent.Settling settling => settling with { Handle = closed },
            var other => other,
        };
    }

    private LeaseView Open(LeaseView view) => view with { Lease = handles.Open(view.Lease) };
}
