using System.Linq.Expressions;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Suspensions;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Suspensions;

/// <summary>The suspensions, in the database.</summary>
internal sealed class SuspensionStore(BrokerWriter writer, ReadContexts contexts, StoreTime clock) : ISuspensionStore
{
    public Task<Suspension?> SuspendAsync(Suspension suspension, RequestKey? request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(suspension);
        return writer.WriteAsync(Urgency.End, new LockSet { Gates = [suspension.Target], Exclusive = true }, session => Suspending.SuspendAsync(session, suspension, request), cancellationToken);
    }

    public async Task<Suspension?> LiftAsync(Uid suspension, Actor by, CancellationToken cancellationToken)
    {
        if (await FindAsync(suspension, cancellationToken) is not { } found) return null;
        return await writer.WriteAsync(new LockSet { Gates = [found.Target], Exclusive = true }, session => Suspending.LiftAsync(session, found.Id, by), cancellationToken);
    }

    public async Task<bool> LiftDueAsync(int batch, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var due = await contexts.ReadAsync(context => context.Suspensions.Where(row => row.LiftedAt == null && row.Until <= now)
            .OrderBy(row => row.Until).Take(batch).Select(row => new { row.Id, row.Target }).ToListAsync(cancellationToken));
        if (due.Count == 0) return false;
        var locks = new LockSet { Gates = [.. due.Select(row => row.Target).Distinct()], Exclusive = true };
        await writer.WriteAsync(
            locks,
            async session =>
            {
                foreach (var row in due) await Suspending.LiftAsync(session, row.Id, Actor.Broker);
                return true;
            },
            cancellationToken);
        return due.Count == batch;
    }

    public async Task<Suspension?> FindAsync(Uid suspension, CancellationToken cancellationToken)
    {
        var found = await contexts.ReadAsync(context => Full(context, context.Suspensions.Where(row => row.Id == suspension)).FirstOrDefaultAsync(cancellationToken));
        return found?.ToSuspension();
    }

    public async Task<Page<Suspension>> ListAsync(bool inForce, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(page);
        var found = await contexts.ReadAsync(context =>
            Full(context, context.Suspensions.Where(row => !inForce || row.LiftedAt == null)).After(page, row => row.Row.Id).ToListAsync(cancellationToken));
        return Paging.ToPage(found, page, row => row.Row.Id.ToString(), row => row.ToSuspension());
    }

    public Task<IReadOnlyDictionary<Uid, long>> CountHeldAsync(IReadOnlyCollection<Uid> targets, CancellationToken cancellationToken) => contexts.ReadAsync(async context =>
    {
        var held = new Dictionary<Uid, long>();
        // A target is one of the four: each lease is found by one of the queries, whatever the number of targets.
        foreach (var gate in (Expression<Func<LeaseRow, Uid>>[])[row => row.SourceUid, row => row.WorkloadUid, row => row.ProviderUid, row => row.RoleUid])
        {
            var counts = await context.Leases.Where(row => row.State <= LeaseState.Revoking).Select(gate).Where(uid => targets.Contains(uid))
                .GroupBy(uid => uid).Select(group => new { group.Key, Count = group.LongCount() }).ToListAsync(cancellationToken);
            foreach (var count in counts) held[count.Key] = count.Count;
        }

        return (IReadOnlyDictionary<Uid, long>)held;
    });

    private static IQueryable<FullSuspension> Full(BrokerContext context, IQueryable<SuspensionRow> rows) =>
        from row in rows
        select new FullSuspension { Row = row, Reason = context.Texts.Where(text => text.OwnerUid == row.Id).Select(text => text.Body).FirstOrDefault() };
}

/// <summary>A suspension with its reason, which is stored apart.</summary>
internal sealed class FullSuspension
{
    public required SuspensionRow Row { get; init; }
    public string? Reason { get; init; }

    public Suspension ToSuspension() => new()
    {
        Id = Row.Id,
        Target = Row.Target,
        TargetName = Row.TargetName,
        Reason = Reason ?? "",
        By = new Actor(Row.ByKind, Row.ByName),
        CreatedAt = Row.CreatedAt,
        Until = Row.Until,
        Generation = Row.Generation,
        LiftedAt = Row.LiftedAt,
    };
}
