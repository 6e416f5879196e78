using CredBroker.Abstractions;
using CredBroker.Core.Leases;

namespace CredBroker.Core.Reconciliation;

/// <summary>What a reconciliation keeps: who runs it, when the next is due, and what the last one found.</summary>
public interface IReconciliationStore
{
    /// <summary>All providers that were ever reconciled.</summary>
    Task<IReadOnlyList<ReconciliationStatus>> ListAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Takes a provider for a while, if it is due (or <paramref name="now"/>) and nobody else has it; null if not. A provider that is seen for the first time becomes due
    /// after <paramref name="firstAfter"/>.
    /// </summary>
    Task<ReconciliationClaim?> ClaimAsync(Uid provider, TimeSpan holdFor, TimeSpan firstAfter, bool now, CancellationToken cancellationToken);

    /// <summary>The leases of these ids that there are, whichever provider they belong to.</summary>
    Task<IReadOnlyDictionary<Uid, ReconciledLease>> FindAsync(IReadOnlyCollection<Uid> leases, CancellationToken cancellationToken);

    /// <summary>The pending and active leases of a provider in the order of ids, after one.</summary>
    Task<IReadOnlyList<ReconciledLease>> LivingAsync(Uid provider, Uid after, int most, CancellationToken cancellationToken);

    /// <summary>Keeps what was found, and gives the provider back; false, and nothing is kept, for who lost the claim.</summary>
    Task<bool> FinishAsync(ReconciliationClaim claim, ReconciliationReport report, DateTimeOffset nextAt, CancellationToken cancellationToken);
}

/// <summary>A provider taken for reconciliation.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="ProviderName">Its name, for the audit trail.</param>
/// <param name="Fence">What shows that it is still held.</param>
public sealed record ReconciliationClaim(Uid Provider, string ProviderName, long Fence)
{
    /// <summary>Since when the provider is in quarantine; null when it is in none.</summary>
    public DateTimeOffset? QuarantinedAt { get; init; }

    /// <summary>Until when somebody has accepted what no lease knows.</summary>
    public DateTimeOffset? AcceptedAt { get; init; }
}

/// <summary>How reconciliation of one provider stands.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="DueAt">When the next run is due.</param>
/// <param name="RunningUntil">Until when a node has it, unless it is over before; null when none has.</param>
/// <param name="CompleteAt">When the last complete listing began; null before the first.</param>
/// <param name="Last">What the last run found; null before the first.</param>
public sealed record ReconciliationStatus(Uid Provider, DateTimeOffset DueAt, DateTimeOffset? RunningUntil, DateTimeOffset? CompleteAt, ReconciliationReport? Last);

/// <summary>What a reconciliation must know of a lease.</summary>
public sealed record ReconciledLease
{
    /// <summary>The lease.</summary>
    public required Uid Id { get; init; }

    /// <summary>Its name at the target.</summary>
    public required string ExternalName { get; init; }

    /// <summary>Where it was made.</summary>
    public required string TargetIdentity { get; init; }

    /// <summary>Its role kind.</summary>
    public required string RoleKind { get; init; }

    /// <summary>Where it stands.</summary>
    public required LeaseState State { get; init; }

    /// <summary>Its version: what is done about it holds only for this one.</summary>
    public required long Version { get; init; }

    /// <summary>When it became active.</summary>
    public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>When it was closed.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>When it ends for the broker.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was reserved.</summary>
    public required DateTimeOffset ReservedAt { get; init; }

    /// <summary>When it dies by itself at the latest, as far as its row knows.</summary>
    public required DateTimeOffset PossibleDeathAt { get; init; }

    /// <summary>Whether nothing of it is at any target.</summary>
    public required bool Local { get; init; }
}
