using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;

namespace CredBroker.Core.Suspensions;

/// <summary>A person's decision that a workload, an identity source, a provider or a role holds nothing until it is lifted.</summary>
public sealed record Suspension
{
    /// <summary>The suspension's id.</summary>
    public required Uid Id { get; init; }

    /// <summary>The id of what is suspended.</summary>
    public required Uid Target { get; init; }

    /// <summary>Its resource name, for people.</summary>
    public required string TargetName { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Who suspended it.</summary>
    public required Actor By { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it lifts itself; null when only a person lifts it.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The suspension generation that it made: leases reserved under an earlier one are dead for good.</summary>
    public long Generation { get; init; }

    /// <summary>When it was lifted.</summary>
    public DateTimeOffset? LiftedAt { get; init; }
}

/// <summary>The suspensions: each writes its gate's generation in the same transaction.</summary>
public interface ISuspensionStore
{
    /// <summary>
    /// Suspends, bumping the gate. All leases of the target are dead in effect at this commit. A repeated request answers the suspension that it made, lifted
    /// or not; null when its id was used with another body.
    /// </summary>
    Task<Suspension?> SuspendAsync(Suspension suspension, RequestKey? request, CancellationToken cancellationToken);

    /// <summary>Lifts one; null if there is none. What it killed stays dead.</summary>
    Task<Suspension?> LiftAsync(Uid suspension, Actor by, CancellationToken cancellationToken);

    /// <summary>Lifts what has reached its end, one batch. Answers whether there may be more.</summary>
    Task<bool> LiftDueAsync(int batch, CancellationToken cancellationToken);

    /// <summary>One; null if there is none.</summary>
    Task<Suspension?> FindAsync(Uid suspension, CancellationToken cancellationToken);

    /// <summary>A page, newest last; only those in force where <paramref name="inForce"/> is set.</summary>
    Task<Page<Suspension>> ListAsync(bool inForce, PageRequest page, CancellationToken cancellationToken);

    /// <summary>How many leases of each target are not proven dead; targets that hold none are left out.</summary>
    Task<IReadOnlyDictionary<Uid, long>> CountHeldAsync(IReadOnlyCollection<Uid> targets, CancellationToken cancellationToken);
}
