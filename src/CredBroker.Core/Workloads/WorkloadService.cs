using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;

namespace CredBroker.Core.Workloads;

/// <summary>Shows who was seen, and accepts a recycled subject as the new workload that it is.</summary>
public sealed class WorkloadService(IWorkloadStore store, ISuspensionStore suspensions, CallerDirectory directory, Catalog catalog, Decider decider)
{
    /// <summary>A workload with what it holds and whether it is suspended.</summary>
    public sealed record Shown(Workload Workload, long Held, bool Suspended);

    /// <summary>One workload, for auditors; everybody may see itself.</summary>
    public async Task<Result<Shown>> GetAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if ((id != caller.Workload.Uid && !decider.MaySeeAll(caller)) || await store.FindAsync(id, cancellationToken) is not { } workload) return Errors.NotFound("workload");
        return (await ShowAsync([workload], cancellationToken))[0];
    }

    /// <summary>A page of workloads.</summary>
    public async Task<Result<Page<Shown>>> ListAsync(Caller caller, Uid? source, PageRequest page, CancellationToken cancellationToken)
    {
        if (!decider.MaySeeAll(caller)) return Errors.Denied("read workloads");
        var found = await store.ListAsync(source, page, cancellationToken);
        return new Page<Shown>(await ShowAsync(found.Items, cancellationToken), found.Next);
    }

    /// <summary>Accepts the stable ids that were refused: a new workload, which inherits nothing of the earlier one.</summary>
    public async Task<Result<Shown>> AcceptAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var workload = await store.FindAsync(id, cancellationToken);
        var entity = BrokerEntities.Workload(workload?.Name ?? id.ToString());
        if (decider.Administer(caller, "administerWorkload", entity, workload is null ? [] : [workload.ToEntity(catalog.Current.FindSource(workload.SourceName))]) is { Allowed: false })
            return Errors.Denied("accept an identity");
        if (workload is null) return Errors.NotFound("workload");
        if (await store.AcceptAsync(id, caller.Actor, cancellationToken) is not { } accepted) return new BrokerError(Reasons.StateConflict, "No other stable ids were seen for this workload.");
        directory.Forget();
        return (await ShowAsync([accepted], cancellationToken))[0];
    }

    private async Task<IReadOnlyList<Shown>> ShowAsync(IReadOnlyList<Workload> found, CancellationToken cancellationToken)
    {
        var held = await suspensions.CountHeldAsync([.. found.Select(workload => workload.Uid)], cancellationToken);
        return [.. found.Select(workload => new Shown(workload, held.GetValueOrDefault(workload.Uid), catalog.Current.GateOf(workload.Uid).Suspended))];
    }
}
