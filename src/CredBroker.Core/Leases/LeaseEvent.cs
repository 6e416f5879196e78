using CredBroker.Abstractions;

namespace CredBroker.Core.Leases;

/// <summary>What can happen to a lease.</summary>
public abstract record LeaseEvent
{
    private LeaseEvent()
    {
    }

    /// <summary>The provider answered with a credential. Too late for an active lease, it still brings the handle.</summary>
    public sealed record Issued(Handle? Handle, DateTimeOffset ExpiresAt) : LeaseEvent;

    /// <summary>The provider recorded a handle half-way.</summary>
    public sealed record HandleRecorded(Handle Handle) : LeaseEvent;

    /// <summary>The issuing call itself answered that nothing was made, or no call was sent.</summary>
    public sealed record NothingMade(AttemptError? Error) : LeaseEvent;

    /// <summary>The issuing call failed, and something may have been made.</summary>
    public sealed record IssueOutcomeUnknown(AttemptError Error) : LeaseEvent;

    /// <summary>The issuing node said nothing until the deadline: it may have died.</summary>
    public sealed record IssueDeadlinePassed : LeaseEvent;

    /// <summary>It has to die; by which decision, where policy no longer permits it.</summary>
    public sealed record Ended(EndReason Reason, Uid? SupersededBy = null, Uid? Decision = null) : LeaseEvent;

    /// <summary>A node takes it to revoke it.</summary>
    public sealed record Claimed(DateTimeOffset Until) : LeaseEvent;

    /// <summary>The node that took it stops before its attempt came to an end: another need not wait for the end of the claim.</summary>
    /// <param name="Until">Until when it was taken: what has been settled meanwhile is not given back.</param>
    public sealed record GivenBack(DateTimeOffset Until) : LeaseEvent;

    /// <summary>An attempt to revoke it failed.</summary>
    public sealed record AttemptFailed(AttemptError Error, DateTimeOffset RetryAt, bool Slow) : LeaseEvent;

    /// <summary>What could be done at the target is done; look again later.</summary>
    public sealed record Settling(DateTimeOffset Until, string Reason, Handle? Handle) : LeaseEvent;

    /// <summary>The provider showed it to be gone.</summary>
    public sealed record ProvenGone(Evidence Evidence) : LeaseEvent;

    /// <summary>The provider cannot revoke it, and its time has passed by the provider's clock.</summary>
    public sealed record ProvenExpired(Evidence Evidence) : LeaseEvent;

    /// <summary>It was seen alive after all.</summary>
    public sealed record Reappeared(string Where) : LeaseEvent;

    /// <summary>
    /// Of a lease in quarantine, whose row may be older than it is: its target has it, alive until an instant where the target says one. What was renewed since lives as long
    /// as it was renewed for, and what was issued since is active.
    /// </summary>
    public sealed record FoundAlive(DateTimeOffset? Until) : LeaseEvent;

    /// <summary>A renewal is about to be asked for: from here on it may live until then.</summary>
    public sealed record RenewalIntended(DateTimeOffset PossibleDeathAt) : LeaseEvent;

    /// <summary>The provider renewed it.</summary>
    public sealed record Renewed(DateTimeOffset ExpiresAt) : LeaseEvent;

    /// <summary>A person closes it, because its target is gone for good.</summary>
    public sealed record WrittenOff(Evidence Assertion) : LeaseEvent;
}

/// <summary>What the pure function made of a lease and an event.</summary>
public abstract record LeaseStep
{
    private LeaseStep()
    {
    }

    /// <summary>The lease as it is now.</summary>
    public sealed record Moved(Lease Lease) : LeaseStep;

    /// <summary>The event changes nothing in this state, and that is fine: repeats are harmless.</summary>
    public sealed record Unchanged(string Why) : LeaseStep;

    /// <summary>The event is not possible in this state.</summary>
    public sealed record Refused(string Why) : LeaseStep;
}
