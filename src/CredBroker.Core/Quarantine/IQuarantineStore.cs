using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Quarantine;

/// <summary>Why a provider is in quarantine.</summary>
public enum QuarantineReason
{
    /// <summary>The database is older than what its witness, or this node, has seen committed: a backup was restored.</summary>
    Restored = 1,

    /// <summary>Its target has credentials under our valid mark that no lease knows.</summary>
    UnknownCredentials = 2,

    /// <summary>A person said so.</summary>
    ByHand = 3,
}

/// <summary>
/// Quarantine, by provider: of leases from before it began nothing is revoked on the word of stored time (expiry, deadline, lost heartbeats), and nothing new is issued.
/// Ends, revocations and suspensions go on. Leases of a local provider are dead in effect: nobody can know which of them had been revoked.
/// </summary>
public interface IQuarantineStore
{
    /// <summary>What is in quarantine now, with what its release would do.</summary>
    Task<IReadOnlyList<Quarantined>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Puts a provider into quarantine, from now on. False when it is already.</summary>
    Task<bool> StartAsync(Uid provider, QuarantineReason reason, Actor by, string words, CancellationToken cancellationToken);

    /// <summary>
    /// Releases one, if it still is the quarantine that began at <paramref name="since"/>; false if not. What a local provider issued before that ends for good by it.
    /// Things that no lease knows, and that were made before this instant, put it into no quarantine again.
    /// </summary>
    Task<bool> ReleaseAsync(Uid provider, DateTimeOffset since, Actor by, string words, CancellationToken cancellationToken);
}

/// <summary>A provider in quarantine, and what its release would do now.</summary>
public sealed record Quarantined
{
    /// <summary>The provider.</summary>
    public required Uid Provider { get; init; }

    /// <summary>Its name.</summary>
    public required string ProviderName { get; init; }

    /// <summary>Since when: leases that were reserved until then are in it.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why.</summary>
    public required QuarantineReason Reason { get; init; }

    /// <summary>Leases in it that are not proven dead.</summary>
    public required long Unproven { get; init; }

    /// <summary>Of these, those that are over by stored time: with the release they are revoked at the target, alive there or not.</summary>
    public required long Overdue { get; init; }

    /// <summary>Of these, those that live at no target but here: with the release they end.</summary>
    public required long Local { get; init; }
}
