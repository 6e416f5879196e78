using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Reevaluation;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Reevaluation;

/// <summary>The re-evaluations, in the database.</summary>
internal sealed class ReevaluationStore(BrokerWriter writer, ReadContexts contexts, StoreTime clock) : IReevaluationStore
{
    public async Task<ReevaluationWork?> ClaimAsync(TimeSpan holdFor, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        // Looked for without the writer: mostly there is nothing.
        if (!await contexts.ReadAsync(context => context.Reevaluations.AnyAsync(row => row.DueAt <= now && row.Until <= now, cancellationToken))) return null;
        return await writer.WriteAsync(Urgency.End, LockSet.None, session => Reevaluating.ClaimAsync(session, holdFor), cancellationToken);
    }

    public async Task<IReadOnlyList<LeaseView>> PageAsync(ReevaluationScope scope, Uid? after, int size, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var now = clock.Now();
        var seen = await contexts.ReadAsync(context =>
        {
            var leases = context.Leases.Where(row => row.State <= LeaseState.Active);
            if (after is { } cursor) leases = leases.Where(row => row.Id > cursor);
            if (scope.Workload is { } workload) leases = Under(context, leases, workload);
            if (scope.Task is { } task) leases = leases.Where(row => context.Tasks.Any(above => above.Id == task && row.TaskPath.StartsWith(above.Path)));
            return LeaseReads.Seen(context, leases.OrderBy(row => row.Id).Take(size), context.Tasks).ToListAsync(cancellationToken);
        });
        // Their handles stay encrypted: nobody revokes by what is read here.
        return [.. seen.Select(row => row.ToView(now)).Select(view => view with { Lease = view.Lease with { Handle = null } }).OrderBy(view => view.Lease.Id)];
    }

    public Task<ReevaluationOutcome> SettleAsync(ReevaluationStep step, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(step);
        return writer.WriteAsync(Urgency.End, new LockSet { Gates = [Gates.Policies] }, session => Reevaluating.SettleAsync(session, step), cancellationToken);
    }

    // Its own, and those of tasks below one that it performs: these need its permit too.
    private static IQueryable<LeaseRow> Under(BrokerContext context, IQueryable<LeaseRow> leases, Uid workload) => leases.Where(row =>
        row.WorkloadUid == workload
        || context.Tasks.Any(task => task.Id == row.TaskId && context.Tasks.Any(above =>
            above.RootId == task.RootId && above.Id != task.Id && (above.PerformerWorkload == workload || (above.PerformerWorkload == null && above.OpenerWorkload == workload))
            && task.Path.StartsWith(above.Path))));
}
