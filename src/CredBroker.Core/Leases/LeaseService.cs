using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Leases;

/// <summary>Shows and revokes leases.</summary>
public sealed class LeaseService(ILeaseStore leases, TaskAccess access, IRegistryStore registry, Catalog catalog, Decider decider, Signals signals, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>A lease of a task that the caller may see; <paramref name="task"/> null to find it without its task.</summary>
    public async Task<Result<LeaseView>> GetAsync(Caller caller, Uid? task, Uid lease, CancellationToken cancellationToken)
    {
        var found = await leases.FindAsync(lease, cancellationToken);
        if (found is null || (task is { } expected && expected != found.Lease.TaskId)) return Errors.NotFound("lease");
        var seen = await access.ToSeeAsync(caller, found.Lease.TaskId, cancellationToken);
        return seen.Match<Result<LeaseView>>(_ => found, _ => Errors.NotFound("lease"));
    }

    /// <summary>Leases that the caller may see.</summary>
    public async Task<Result<Page<LeaseView>>> ListAsync(Caller caller, LeaseQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(query);
        if (query.Task is { } task)
        {
            var seen = await access.ToSeeAsync(caller, task, cancellationToken);
            if (seen is Result<AgentTask>.Refused { Error: var error }) return error;
            return await leases.ListAsync(query, page, cancellationToken);
        }

        return await leases.ListAsync(access.MaySeeAll(caller) ? query : query with { VisibleTo = TaskViewer.Of(caller) }, page, cancellationToken);
    }

    /// <summary>Revokes a lease: dead in effect when this answers. Revoking what is dead changes nothing.</summary>
    public async Task<Result<LeaseView>> RevokeAsync(Caller caller, Uid? task, Uid lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await leases.FindAsync(lease, cancellationToken);
        if (found is null || (task is { } expected && expected != found.Lease.TaskId)) return Errors.NotFound("lease");
        var mine = await access.ToEndAsync(caller, found.Lease.TaskId, cancellationToken);
        if (mine is Result<AgentTask>.Refused { Error: var error })
            return error.Reason == Reasons.ResourceNotFound ? Errors.NotFound("lease") : error;
        return await ApplyAsync(lease, new LeaseEvent.Ended(EndReason.Revoked), caller.Actor, cancellationToken);
    }

    /// <summary>Closes a lease whose target is gone for good, on a person's word: never shown as proven.</summary>
    public async Task<Result<LeaseView>> WriteOffAsync(Caller caller, Uid lease, string reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await leases.FindAsync(lease, cancellationToken);
        if (found is null) return Errors.NotFound("lease");
        if (!await MayAdministerAsync(caller, found.Lease.Gates.Provider.Uid, cancellationToken)) return Errors.NotFound("lease");
        var word = new Evidence("asserted", $"{caller.Workload.Name}: {reason}", time.Now());
        return await ApplyAsync(lease, new LeaseEvent.WrittenOff(word), caller.Actor, cancellationToken);
    }

    /// <summary>Waits until everything that a task and its descendants held is proven dead, or until cancelled. Answers how many are not.</summary>
    public async Task<long> WaitUntilProvenAsync(Uid task, CancellationToken cancellationToken)
    {
        while (true)
        {
            var unproven = (await registry.CountersAsync([$"task:{task}"], CancellationToken.None))[0];
            if (unproven == 0 || cancellationToken.IsCancellationRequested) return unproven;
            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Cancelled means: answer what is known.
        }
    }

    // Names are given again: what policy says of a name is said of the provider that has it now. Of one that is deleted only the root may.
    private async Task<bool> MayAdministerAsync(Caller caller, Uid provider, CancellationToken cancellationToken)
    {
        if (caller.IsRoot) return true;
        await catalog.RefreshAsync(cancellationToken);
        return catalog.Current.TryFindProvider(provider, out var registered) && registered.Entry.DeletedAt is null
            && decider.Administer(caller, "administerProvider", BrokerEntities.Provider(registered.Name)) is not { Allowed: false };
    }

    private async Task<Result<LeaseView>> ApplyAsync(Uid lease, LeaseEvent @event, Actor by, CancellationToken cancellationToken)
    {
        var outcome = await leases.ApplyAsync(new LeaseChange(lease, @event, by), cancellationToken);
        signals.Set();
        return outcome switch
        {
            ApplyOutcome.Applied { After: var after } => after,
            ApplyOutcome.Refused refused => new BrokerError(Reasons.StateConflict, refused.Why),
            _ => Errors.NotFound("lease"),
        };
    }
}
