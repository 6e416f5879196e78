using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Tasks;

namespace CredBroker.Core.Leases;

/// <summary>A lease to be reserved, with everything that must still hold in the transaction that does it.</summary>
public sealed record Reservation
{
    /// <summary>The lease: <see cref="LeaseState.Pending"/>, or <see cref="LeaseState.Active"/> for a local one.</summary>
    public required Lease Lease { get; init; }

    /// <summary>The generations that the decision was made under: any other means to decide again.</summary>
    public required GenerationCheck Generations { get; init; }

    /// <summary>The counters to charge, each with its limit.</summary>
    public required IReadOnlyList<QuotaCharge> Charges { get; init; }

    /// <summary>The caller's request id, if it gave one.</summary>
    public RequestKey? Request { get; init; }

    /// <summary>How long a repeated request supersedes.</summary>
    public required TimeSpan SupersedeWindow { get; init; }

    /// <summary>Who asks.</summary>
    public required Actor By { get; init; }

    /// <summary>The decision's event and whatever else belongs to the same commit.</summary>
    public required IReadOnlyList<AuditDraft> Audit { get; init; }
}

/// <summary>The generations of a decision. A gate without a row has generation 0.</summary>
/// <param name="Versions">The configuration generation of identity source, provider and role, by id.</param>
/// <param name="PolicyVersion">The generation of the policies as a whole.</param>
public sealed record GenerationCheck(IReadOnlyDictionary<Uid, long> Versions, long PolicyVersion);

/// <summary>One counter to charge by one.</summary>
/// <param name="Key">The counter.</param>
/// <param name="Limit">The most that it may hold afterwards.</param>
/// <param name="What">What it counts, for the error: such as <c>live leases of this workload</c>.</param>
public sealed record QuotaCharge(string Key, long Limit, string What);

/// <summary>A caller's request id, unique per principal, instance, method and parent.</summary>
/// <param name="Key">SHA-256 over principal, instance, method, parent and request id.</param>
/// <param name="Body">SHA-256 over the canonical request without the attempt: another body under the same id is an error.</param>
/// <param name="Attempt">The attempt's number.</param>
public sealed record RequestKey(byte[] Key, byte[] Body, int Attempt);

/// <summary>What came of reserving.</summary>
public abstract record ReserveOutcome
{
    private ReserveOutcome()
    {
    }

    /// <summary>It is reserved; <see cref="Lease.Supersedes"/> names the lease whose place it took.</summary>
    public sealed record Reserved(Lease Lease) : ReserveOutcome;

    /// <summary>Something that the decision depends on has changed: decide again.</summary>
    public sealed record Stale : ReserveOutcome;

    /// <summary>The task has ended, or its deadline has passed.</summary>
    public sealed record TaskOver(AgentTask Task) : ReserveOutcome;

    /// <summary>One of the gates is suspended.</summary>
    public sealed record Suspended(Uid Gate) : ReserveOutcome;

    /// <summary>The provider is in quarantine, and issues nothing.</summary>
    public sealed record Quarantined : ReserveOutcome;

    /// <summary>A counter is at its limit.</summary>
    public sealed record QuotaExceeded(QuotaCharge Charge) : ReserveOutcome;

    /// <summary>The document that the lease would share has no room left.</summary>
    /// <param name="Group">The group.</param>
    /// <param name="FreeAt">When the next slot is free at the earliest that is known.</param>
    public sealed record GroupFull(LeaseGroup Group, DateTimeOffset FreeAt) : ReserveOutcome;

    /// <summary>The request id was used with another body.</summary>
    public sealed record RequestMismatch : ReserveOutcome;

    /// <summary>An equal or higher attempt of the same request came first.</summary>
    public sealed record AttemptOvertaken(Uid Lease, int StoredAttempt) : ReserveOutcome;

    /// <summary>The request was made before the supersede window.</summary>
    public sealed record AlreadyExists(Uid Lease) : ReserveOutcome;
}
