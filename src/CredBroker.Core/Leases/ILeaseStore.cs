using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Tasks;

namespace CredBroker.Core.Leases;

/// <summary>
/// The leases. Every member is one whole intention in one transaction, with its audit events and counters; nobody is answered before the commit.
/// Locks are taken in one order: root task, gates, counters by key, leases by id, audit.
/// </summary>
public interface ILeaseStore
{
    /// <summary>
    /// Locks the root task's row shared, re-reads the gates, settles the request id, charges the quotas and writes lease, decision and audit.
    /// A local lease is active at once.
    /// </summary>
    Task<ReserveOutcome> ReserveAsync(Reservation reservation, CancellationToken cancellationToken);

    /// <summary>
    /// Applies one event through <see cref="LeaseMachine"/>. <see cref="LeaseEvent.Issued"/> and the events of renewal take the gates that Reserve takes,
    /// so that the effective state they see is the one they commit under.
    /// </summary>
    Task<ApplyOutcome> ApplyAsync(LeaseChange change, CancellationToken cancellationToken);

    /// <summary>
    /// Takes what is due at one provider and stands alone (<see cref="ILeaseGroups"/> has the rest), in the order of the lanes and fair between owners within one: expiring and claiming are one transaction.
    /// What another node holds is skipped, not waited for.
    /// </summary>
    Task<IReadOnlyList<Lease>> ClaimDueAsync(Claim claim, CancellationToken cancellationToken);

    /// <summary>Moves what is dead in effect (ended tasks, suspensions) towards revocation, one batch. Answers whether there may be more.</summary>
    Task<bool> FanOutAsync(int batch, CancellationToken cancellationToken);

    /// <summary>Providers that have work, beside that in groups, each with when its next work is due, soonest first.</summary>
    Task<IReadOnlyList<ProviderDue>> NextDueAsync(CancellationToken cancellationToken);

    /// <summary>A lease with its effective state; null if there is none.</summary>
    Task<LeaseView?> FindAsync(Uid lease, CancellationToken cancellationToken);

    /// <summary>A page of leases, newest last, with their effective states.</summary>
    Task<Page<LeaseView>> ListAsync(LeaseQuery query, PageRequest page, CancellationToken cancellationToken);
}

/// <summary>The database cannot take or answer this now, or nobody knows whether it took it.</summary>
/// <param name="message">What happened.</param>
/// <param name="outcomeUnknown">The commit was sent and its answer lost: read again before answering anybody.</param>
/// <param name="innerException">The cause.</param>
public sealed class StoreUnavailableException(string message, bool outcomeUnknown, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>The commit was sent and its answer lost.</summary>
    public bool OutcomeUnknown { get; } = outcomeUnknown;

    /// <summary>When trying again may help, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>A lease with what it can still do.</summary>
public sealed record LeaseView(Lease Lease, EffectiveState Effective);

/// <summary>When a provider has work next.</summary>
public sealed record ProviderDue(Uid Provider, DateTimeOffset At);

/// <summary>What a node takes.</summary>
/// <param name="Provider">Whose leases.</param>
/// <param name="Max">How many at most.</param>
/// <param name="For">How long it holds them.</param>
public sealed record Claim(Uid Provider, int Max, TimeSpan For)
{
    /// <summary>Only what is being revoked already: nothing new dies on the word of time.</summary>
    public bool OnlyRevoking { get; init; }
}

/// <summary>One event for one lease.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="Event">What happened.</param>
/// <param name="By">Who caused it, for the audit trail: a workload, or the broker itself.</param>
public sealed record LeaseChange(Uid LeaseId, LeaseEvent Event, Actor By)
{
    /// <summary>The fence that the worker holds; null for those who hold no claim.</summary>
    public long? Fence { get; init; }

    /// <summary>The version that was looked at, where the event is only about that; null for any.</summary>
    public long? Version { get; init; }

    /// <summary>The fence of the lease's group that the worker holds; null for those who hold none.</summary>
    public long? GroupFence { get; init; }

    /// <summary>The generations that the decision behind the event was made under; null for what nothing decided.</summary>
    public GenerationCheck? Generations { get; init; }
}

/// <summary>What came of an event.</summary>
public abstract record ApplyOutcome
{
    private ApplyOutcome()
    {
    }

    /// <summary>The lease as it is now, whether or not the event changed it.</summary>
    public sealed record Applied(LeaseView After, bool Changed) : ApplyOutcome;

    /// <summary>The event is not possible in the lease's state.</summary>
    public sealed record Refused(LeaseView Current, string Why) : ApplyOutcome;

    /// <summary>The claim was lost: another node, or another event, came first.</summary>
    public sealed record Fenced(LeaseView Current) : ApplyOutcome;

    /// <summary>Something that the decision depends on has changed: decide again.</summary>
    public sealed record Stale : ApplyOutcome;

    /// <summary>There is no such lease.</summary>
    public sealed record Unknown : ApplyOutcome;
}

/// <summary>Which leases are listed. All given conditions must hold.</summary>
public sealed record LeaseQuery
{
    /// <summary>Only leases of this task.</summary>
    public Uid? Task { get; init; }

    /// <summary>Only leases of tasks that this workload opened or performs; null for those who may see all.</summary>
    public TaskViewer? VisibleTo { get; init; }

    /// <summary>Only in these states.</summary>
    public IReadOnlyList<LeaseState>? States { get; init; }

    /// <summary>Only those alive in effect, or only those that are not.</summary>
    public bool? Live { get; init; }

    /// <summary>Only of this provider.</summary>
    public Uid? Provider { get; init; }

    /// <summary>Only of this role.</summary>
    public Uid? Role { get; init; }

    /// <summary>Only held by this workload.</summary>
    public Uid? Workload { get; init; }

    /// <summary>Only under this identity source.</summary>
    public Uid? Source { get; init; }

    /// <summary>Only those that expire before.</summary>
    public DateTimeOffset? ExpiresBefore { get; init; }

    /// <summary>Only those that expire after.</summary>
    public DateTimeOffset? ExpiresAfter { get; init; }

    /// <summary>Only those whose last attempt to revoke failed.</summary>
    public bool? Failing { get; init; }
}
