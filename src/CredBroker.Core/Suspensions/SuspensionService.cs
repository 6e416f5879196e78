using CredBroker.Abstractions;
using CredBroker.Cedar;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Suspensions;

/// <summary>A suspension as somebody asks for it.</summary>
/// <param name="Target">The resource name of what is suspended.</param>
/// <param name="Reason">Why.</param>
/// <param name="Until">When it lifts itself; null when only a person lifts it.</param>
/// <param name="ValidateOnly">Only say what would die.</param>
/// <param name="RequestId">The caller's request id; empty for none.</param>
/// <param name="MostLeases">
/// How many leases may die by it: of a whole identity source the caller says so, and has seen the number. That a great deal dies by a slip is an outage too.
/// </param>
public sealed record SuspendCommand(string Target, string Reason, DateTimeOffset? Until = null, bool ValidateOnly = false, string RequestId = "", long? MostLeases = null);

/// <summary>Stops a workload, an identity source, a provider or a role, and lifts that. Suspending and lifting are different rights.</summary>
public sealed class SuspensionService(ISuspensionStore store, IWorkloadStore workloads, Catalog catalog, Decider decider, OperatorRoot? root, Signals signals, TimeProvider time)
{
    /// <summary>A suspension with how many leases of its target are not proven dead.</summary>
    public sealed record Counted(Suspension Suspension, long Held);

    /// <summary>Suspends a target, or only says what would die. A repeat under the same request id answers the suspension of the first time.</summary>
    public async Task<Result<Counted>> SuspendAsync(Caller caller, SuspendCommand command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(command);
        var found = await FindTargetAsync(command.Target, cancellationToken);
        // Who may not suspend learns nothing of what there is.
        if (decider.Administer(caller, "suspend", found?.Entity ?? BrokerEntities.Workload(command.Target), found?.Entities ?? []) is { Allowed: false }) return Errors.Denied("suspend this");
        if (found is null) return Errors.NotFound(command.Target);
        if (IsRoot(found)) return new BrokerError(Reasons.PermissionDenied, "The operator's root, and the identity source that vouches for it, cannot be suspended.");
        if (command.Until <= time.Now()) return new BrokerError(Reasons.FieldsInvalid, "The end has passed.") { Violations = [new ValidationError("suspension.expire_time", "The end has passed.")] };
        var suspension = new Suspension
        {
            Id = Uid.New(time),
            Target = found.Uid,
            TargetName = command.Target,
            Reason = command.Reason,
            By = caller.Actor,
            CreatedAt = time.Now(),
            Until = command.Until is { } end ? Instants.Truncate(end) : null,
        };
        var counted = await CountAsync(suspension, cancellationToken);
        if (command.ValidateOnly) return counted;
        if (found.Entity.Type == "IdentitySource" && !(counted.Held <= command.MostLeases)) return NotConfirmed(counted.Held);
        var request = RequestKeys.Of(caller, "CreateSuspension", "", command.RequestId, 0, command.Target, command.Reason, $"{suspension.Until?.UtcTicks}");
        if (await store.SuspendAsync(suspension, request, cancellationToken) is not { } written)
            return new BrokerError(Reasons.RequestIdReused, "This request id was used with another suspension. Use a new one.");
        await catalog.RefreshAsync(cancellationToken);
        signals.Set();
        return counted with { Suspension = written };
    }

    /// <summary>Lifts a suspension. What it killed stays dead.</summary>
    public async Task<Result<Counted>> LiftAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var suspension = await store.FindAsync(id, cancellationToken);
        var found = suspension is null ? null : await FindTargetAsync(suspension.TargetName, cancellationToken);
        if (decider.Administer(caller, "liftSuspension", found?.Entity ?? BrokerEntities.Workload(id.ToString()), found?.Entities ?? []) is { Allowed: false }) return Errors.Denied("lift this suspension");
        if (await store.LiftAsync(id, caller.Actor, cancellationToken) is not { } lifted) return Errors.NotFound("suspension");
        await catalog.RefreshAsync(cancellationToken);
        return await CountAsync(lifted, cancellationToken);
    }

    /// <summary>One suspension, for those who may audit, suspend or lift.</summary>
    public async Task<Result<Counted>> GetAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        if (!decider.MaySeeAll(caller) || await store.FindAsync(id, cancellationToken) is not { } suspension) return Errors.NotFound("suspension");
        return await CountAsync(suspension, cancellationToken);
    }

    /// <summary>A page of suspensions.</summary>
    public async Task<Result<Page<Counted>>> ListAsync(Caller caller, bool inForce, PageRequest page, CancellationToken cancellationToken)
    {
        if (!decider.MaySeeAll(caller)) return Errors.Denied("read suspensions");
        var found = await store.ListAsync(inForce, page, cancellationToken);
        var held = await store.CountHeldAsync([.. found.Items.Select(suspension => suspension.Target).Distinct()], cancellationToken);
        return new Page<Counted>([.. found.Items.Select(suspension => new Counted(suspension, held.GetValueOrDefault(suspension.Target)))], found.Next);
    }

    private static BrokerError NotConfirmed(long held)
    {
        var count = held.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new(Reasons.StateConflict, $"{count} leases would die with this identity source. Say with most_leases that so many may.") { Metadata = new Dictionary<string, string> { ["leases"] = count } };
    }

    private async Task<Counted> CountAsync(Suspension suspension, CancellationToken cancellationToken) =>
        new(suspension, (await store.CountHeldAsync([suspension.Target], cancellationToken)).GetValueOrDefault(suspension.Target));

    private bool IsRoot(Target target) => root is not null
        && (target.Entity.Equals(BrokerEntities.Source(root.IdentitySource)) || target.Entity.Equals(BrokerEntities.Workload($"{root.IdentitySource}/{root.Subject}")));

    private async Task<Target?> FindTargetAsync(string name, CancellationToken cancellationToken)
    {
        var snapshot = catalog.Current;
        switch (name.Split('/'))
        {
            case ["workloads", var id] when Uid.TryParse(id, out var uid) && await workloads.FindAsync(uid, cancellationToken) is { } workload:
                return new Target(workload.Uid, BrokerEntities.Workload(workload.Name), [workload.ToEntity(snapshot.FindSource(workload.SourceName))]);
            case ["identitySources", var source] when snapshot.FindSource(source) is { } found:
                return new Target(found.Uid, BrokerEntities.Source(source), [found.ToEntity()]);
            case ["providers", var provider] when snapshot.Providers.TryGetValue(provider, out var found):
                return new Target(found.Uid, BrokerEntities.Provider(provider), [found.ToEntity()]);
            case ["providers", var provider, "roles", var role] when snapshot.TryFindRole(provider, role, out var above, out var found):
                return new Target(found.Uid, BrokerEntities.Role(provider, role), [above.ToEntity(), found.ToEntity(above)]);
            default:
                return null;
        }
    }

    private sealed record Target(Uid Uid, EntityUid Entity, IReadOnlyList<Entity> Entities);
}
