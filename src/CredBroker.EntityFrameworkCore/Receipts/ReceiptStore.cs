using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Receipts;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Tasks;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Receipts;

/// <summary>
/// The receipts: the latest one is made from the leases when it is read, since those of a closed one change no more; an earlier one is as it was kept when what had been
/// taken for dead reappeared.
/// </summary>
internal sealed class ReceiptStore(ReadContexts contexts, StoreTime clock) : IReceiptStore
{
    public Task<Receipt?> FindAsync(Uid task, int? revision, CancellationToken cancellationToken) =>
        contexts.ReadAsync(context => FindAsync(context, task, revision, cancellationToken));

    private async Task<Receipt?> FindAsync(BrokerContext context, Uid task, int? revision, CancellationToken cancellationToken)
    {
        var found = await TaskReads.Full(context, context.Tasks.Where(row => row.Id == task && row.EndedAt != null)).FirstOrDefaultAsync(cancellationToken);
        if (found is null) return null;
        var rows = await context.Receipts.Where(row => row.TaskId == task).OrderBy(row => row.Revision).ToListAsync(cancellationToken);
        var latest = rows.Count == 0 ? 1 : rows[^1].Revision;
        var wanted = revision ?? latest;
        var row = rows.Find(candidate => candidate.Revision == wanted);
        // An open revision was made from the leases as they were then: it is gone once a later one exists.
        if (wanted != latest && row?.Body is null) return null;
        var closed = wanted % 2 == 0;
        var children = await context.Tasks.Where(child => child.ParentId == task).OrderBy(child => child.Id).Select(child => child.Id).ToListAsync(cancellationToken);
        var entries = row?.Body is { } body ? ReceiptBody.Read(body) : await PresentAsync(context, task, cancellationToken);
        if (closed && row?.Body is null)
        {
            // Opened while it was read.
            if (await context.Receipts.AnyAsync(later => later.TaskId == task && later.Revision > wanted, cancellationToken)) return await FindAsync(context, task, revision, cancellationToken);
            // The tree is being forgotten, its leases first: what is left of them would say less than the truth.
            if (entries.Count != row!.Leases) return null;
        }

        return new Receipt(found.ToTask(), wanted, closed, row?.At ?? found.Task.EndedAt!.Value, entries, children);
    }

    private async Task<IReadOnlyList<LeaseView>> PresentAsync(BrokerContext context, Uid task, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var seen = await LeaseReads.Seen(context, context.Leases.Where(row => row.TaskId == task), context.Tasks).OrderBy(row => row.Lease.Id).ToListAsync(cancellationToken);
        return [.. seen.Select(row => row.ToView(now)).Select(view => view with { Lease = view.Lease with { Handle = null, Asked = LeaseAsked.Unknown } })];
    }
}
