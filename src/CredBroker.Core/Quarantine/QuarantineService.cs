using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Quarantine;

/// <summary>Shows what is in quarantine to those who may see everything; starts and releases it for those who administer the provider.</summary>
public sealed class QuarantineService(IQuarantineStore store, RegistryService registry, Catalog catalog, Decider decider, Signals signals)
{
    /// <summary>What is in quarantine, and what a release would do.</summary>
    public async Task<Result<IReadOnlyList<Quarantined>>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        decider.MaySeeAll(caller) ? new Result<IReadOnlyList<Quarantined>>.Ok(await store.ListAsync(cancellationToken)) : Errors.Denied("see what is in quarantine");

    /// <summary>Puts a provider into quarantine: such as after a restore that the broker could not notice. Doing it twice changes nothing.</summary>
    public async Task<Result<Quarantined>> StartAsync(Caller caller, string provider, string reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await FindAsync(caller, provider, cancellationToken);
        if (found is not Result<Uid>.Ok { Value: var uid }) return ((Result<Uid>.Refused)found).Error;
        await store.StartAsync(uid, QuarantineReason.ByHand, caller.Actor, reason, cancellationToken);
        await catalog.RefreshAsync(cancellationToken);
        return await OneAsync(uid, cancellationToken) is { } begun ? begun : new BrokerError(Reasons.ConcurrentChange, "It was released at the same moment. Look again.");
    }

    /// <summary>Releases a provider, or only says what that would do. What stored time says counts again from then on.</summary>
    public async Task<Result<Quarantined>> ReleaseAsync(Caller caller, string provider, string reason, bool validateOnly, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await FindAsync(caller, provider, cancellationToken);
        if (found is not Result<Uid>.Ok { Value: var uid }) return ((Result<Uid>.Refused)found).Error;
        if (await OneAsync(uid, cancellationToken) is not { } held) return new BrokerError(Reasons.StateConflict, "The provider is in no quarantine.");
        if (validateOnly) return held;
        if (!await store.ReleaseAsync(uid, held.Since, caller.Actor, reason, cancellationToken)) return new BrokerError(Reasons.ConcurrentChange, "Its quarantine changed at the same moment. Look again.");
        await catalog.RefreshAsync(cancellationToken);
        signals.Set();
        return held;
    }

    private async Task<Result<Uid>> FindAsync(Caller caller, string provider, CancellationToken cancellationToken)
    {
        await catalog.RefreshAsync(cancellationToken);
        if (registry.Refusal(RegistryAuthor.Of(caller), ResourceTypes.Provider, provider, null) is { } refusal) return refusal;
        return catalog.Current.Providers.TryGetValue(provider, out var found) ? found.Uid : Errors.NotFound("provider");
    }

    private async Task<Quarantined?> OneAsync(Uid provider, CancellationToken cancellationToken) => (await store.ListAsync(cancellationToken)).FirstOrDefault(one => one.Provider == provider);
}
