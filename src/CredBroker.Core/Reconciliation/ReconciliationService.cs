using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Reconciliation;

/// <summary>Shows reconciliation to those who may see it, and runs it for those who administer the provider.</summary>
public sealed class ReconciliationService(Reconciler reconciler, IReconciliationStore store, RegistryService registry, Catalog catalog, ProviderPool pool, Decider decider)
{
    /// <summary>How reconciliation of a provider stands.</summary>
    public async Task<Result<ReconciliationStatus>> GetAsync(Caller caller, string provider, CancellationToken cancellationToken)
    {
        await catalog.RefreshAsync(cancellationToken);
        if (registry.Refusal(RegistryAuthor.Of(caller), ResourceTypes.Provider, provider, null) is not null && !decider.MaySeeAll(caller)) return Errors.NotFound("provider");
        return catalog.Current.Providers.TryGetValue(provider, out var found) ? await StatusAsync(found.Uid, cancellationToken) : Errors.NotFound("provider");
    }

    /// <summary>Reconciles a provider now, and answers when that is over.</summary>
    public async Task<Result<ReconciliationStatus>> RunAsync(Caller caller, string provider, CancellationToken cancellationToken)
    {
        await catalog.RefreshAsync(cancellationToken);
        if (registry.Refusal(RegistryAuthor.Of(caller), ResourceTypes.Provider, provider, null) is { } refusal) return refusal;
        if (!catalog.Current.Providers.TryGetValue(provider, out var found)) return Errors.NotFound("provider");
        try
        {
            await using var use = pool.Acquire(found.Uid);
            if (use.Provider is not IListingProvider) return new BrokerError(Reasons.StateConflict, "This provider cannot list what is outstanding, so there is nothing to reconcile.");
        }
        catch (ProviderException e)
        {
            return new BrokerError(Reasons.ProviderUnavailable, $"The provider cannot be used ({e.Fault}): {Issuance.ProviderWords.Clean(e.Message)}");
        }

        if (await reconciler.RunNowAsync(found, cancellationToken) is null)
            return new BrokerError(Reasons.ConcurrentChange, "It is being reconciled at this moment. What that finds can be read when it is over.") { RetryAfter = TimeSpan.FromSeconds(5) };
        return await StatusAsync(found.Uid, cancellationToken);
    }

    private async Task<ReconciliationStatus> StatusAsync(Uid provider, CancellationToken cancellationToken) =>
        (await store.ListAsync(cancellationToken)).FirstOrDefault(status => status.Provider == provider) ?? new ReconciliationStatus(provider, default, null, null, null);
}
