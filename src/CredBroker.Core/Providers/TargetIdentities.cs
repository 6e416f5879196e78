using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Providers;

/// <summary>Knows which target each provider points at. A provider that could not be asked when it was registered is asked before its first lease.</summary>
public sealed class TargetIdentities(ProviderPool pool, IRegistryStore store, Catalog catalog, TimeProvider time)
{
    private static readonly TimeSpan AskedFor = TimeSpan.FromSeconds(10);

    /// <summary>The target's identity; asks for it and keeps it if it is not known yet.</summary>
    public async Task<Result<string>> EnsureAsync(Registered<ProviderSpec> provider, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(provider);
        if (provider.Entry.TargetIdentity.Length > 0) return provider.Entry.TargetIdentity;
        using var patience = new Patience(AskedFor, time);
        ProviderHealth health;
        try
        {
            health = await patience.WaitAsync(CheckAsync(provider.Uid, cancellationToken), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            var fault = e is TimeoutException or OperationCanceledException ? ProviderFault.Unreachable : ProviderWords.Unexpected(e).Fault;
            return new BrokerError(Reasons.ProviderUnavailable, $"The provider {provider.Name} cannot be reached, and its target was never seen ({fault}).") { RetryAfter = TimeSpan.FromSeconds(5) };
        }

        await AcceptAsync(provider.Entry, health.TargetIdentity, Actor.Broker, cancellationToken);
        return health.TargetIdentity;
    }

    // It holds the provider until it truly returns, whether or not anybody still waits.
    private async Task<ProviderHealth> CheckAsync(Uid provider, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(AskedFor, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        await using var use = pool.Acquire(provider);
        return await use.Provider.CheckAsync(both.Token);
    }

    /// <summary>Keeps an identity as the one that evidence must come from.</summary>
    public async Task<RegistryOutcome> AcceptAsync(RegistryEntry entry, string identity, Actor by, CancellationToken cancellationToken, string reason = "")
    {
        ArgumentNullException.ThrowIfNull(entry);
        var next = entry with { TargetIdentity = identity, Version = entry.Version + 1, UpdatedAt = time.Now() };
        var outcome = await store.PutAsync(
            new RegistryChange(next, entry.Version, by)
            {
                Audit = new AuditDraft(AuditTypes.ProviderIdentityAccepted, by)
                {
                    Resource = $"providers/{entry.Name}",
                    Detail = new System.Text.Json.Nodes.JsonObject { ["from"] = entry.TargetIdentity, ["to"] = ProviderWords.Clean(identity) },
                    Texts = reason.Length > 0 ? new Dictionary<string, string> { ["reason"] = reason } : new Dictionary<string, string>(),
                },
            },
            cancellationToken);
        await catalog.RefreshAsync(cancellationToken);
        return outcome;
    }
}
