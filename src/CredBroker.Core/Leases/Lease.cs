using CredBroker.Abstractions;

namespace CredBroker.Core.Leases;

/// <summary>One credential issued from a role for a task, from reservation to proven death. Immutable: <see cref="LeaseMachine"/> makes the next.</summary>
public sealed record Lease
{
    /// <summary>The lease's id.</summary>
    public required Uid Id { get; init; }

    /// <summary>The task that holds it.</summary>
    public required Uid TaskId { get; init; }

    /// <summary>The ids of the task's ancestors and of the task, from the root, joined by <c>/</c>.</summary>
    public required string TaskPath { get; init; }

    /// <summary>The suspensible things that it depends on, with the suspension generations at reservation.</summary>
    public required LeaseGates Gates { get; init; }

    /// <summary>The provider's configuration generation at reservation.</summary>
    public required long ProviderVersion { get; init; }

    /// <summary>The role's generation at reservation.</summary>
    public required long RoleVersion { get; init; }

    /// <summary>The role's resource name at reservation, for people.</summary>
    public required string RoleName { get; init; }

    /// <summary>The role kind's name.</summary>
    public required string RoleKind { get; init; }

    /// <summary>The workload as <c>source/subject</c>, for people and for fairness between owners.</summary>
    public required string WorkloadName { get; init; }

    /// <summary>The name at the target.</summary>
    public required string ExternalName { get; init; }

    /// <summary>What the target said it is when the provider was registered or last accepted: evidence counts only from there.</summary>
    public required string TargetIdentity { get; init; }

    /// <summary>Whether nothing exists outside our store until the answer leaves.</summary>
    public required bool Local { get; init; }

    /// <summary>What revoking it means.</summary>
    public required Revocability Revocability { get; init; }

    /// <summary>The document at the target that keeps it dead, together with others; null where it stands alone.</summary>
    public LeaseGroup? Group { get; init; }

    /// <summary>Which wrapping key the mark at the target was made with; empty for a lease that was reserved before that was kept.</summary>
    public string MarkKeyId { get; init; } = "";

    /// <summary>Whether it can make other credentials, which its revocation does not reach.</summary>
    public required bool CanMint { get; init; }

    /// <summary>The canonical parameters, as JSON text.</summary>
    public required string ParametersJson { get; init; }

    /// <summary>The decision that permitted it.</summary>
    public required Uid DecisionId { get; init; }

    /// <summary>What policy was asked with, beside what the lease itself says.</summary>
    public LeaseAsked Asked { get; init; } = LeaseAsked.Unknown;

    /// <summary>Until when the issuing call may be started.</summary>
    public required DateTimeOffset IssueDeadline { get; init; }

    /// <summary>How long a call already sent may still take effect.</summary>
    public required TimeSpan LateEffect { get; init; }

    /// <summary>When it was reserved.</summary>
    public required DateTimeOffset ReservedAt { get; init; }

    /// <summary>When it ends for the broker.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The latest instant at which the target itself ends it: it only grows, and is raised before every call that could.</summary>
    public required DateTimeOffset PossibleDeathAt { get; init; }

    /// <summary>The end that no renewal can pass; fixed at reservation.</summary>
    public required DateTimeOffset MaxExpiresAt { get; init; }

    /// <summary>Where it stands.</summary>
    public LeaseState State { get; init; } = LeaseState.Pending;

    /// <summary>Grows with every change.</summary>
    public long Version { get; init; } = 1;

    /// <summary>Grows with every claim: only the last claimant can settle it.</summary>
    public long Fence { get; init; }

    /// <summary>When there is work for it next; null when there is none.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>In which order.</summary>
    public Lane Lane { get; init; } = Lane.Expiry;

    /// <summary>Whether the issuing call has answered, so that nothing of it can still arrive.</summary>
    public bool IssueAnswered { get; init; }

    /// <summary>What revoking needs, where the provider gave something.</summary>
    public Handle? Handle { get; init; }

    /// <summary>When it became active.</summary>
    public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>When it last left the living.</summary>
    public DateTimeOffset? RevokingAt { get; init; }

    /// <summary>When the first attempt to revoke it started.</summary>
    public DateTimeOffset? FirstAttemptAt { get; init; }

    /// <summary>When it was proven dead, or found never to have been made.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Why it had to die.</summary>
    public EndReason? EndReason { get; init; }

    /// <summary>The decision that no longer permitted it; null where it died of something else.</summary>
    public Uid? EndDecisionId { get; init; }

    /// <summary>What proves its death.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>Whether the evidence is a person's word, which is never shown as proven.</summary>
    public bool Asserted { get; init; }

    /// <summary>How many attempts to revoke it have failed since it last had to die.</summary>
    public int Attempts { get; init; }

    /// <summary>What the last attempt failed with; null when it did not fail.</summary>
    public AttemptError? LastError { get; init; }

    /// <summary>The lease whose place it took.</summary>
    public Uid? Supersedes { get; init; }

    /// <summary>The lease that took its place.</summary>
    public Uid? SupersededBy { get; init; }

    /// <summary>Whether nothing has proven yet that it is dead: such leases count against every quota.</summary>
    public bool Unproven => State is LeaseState.Pending or LeaseState.Active or LeaseState.Revoking;

    /// <summary>Until when the issuing call, whose outcome is unknown, may still take effect; null once it has answered.</summary>
    public DateTimeOffset? MayStillArriveUntil => IssueAnswered || Local ? null : IssueDeadline + LateEffect;

    /// <summary>When it had been made at the latest.</summary>
    public DateTimeOffset IssuedBy => ActivatedAt ?? IssueDeadline + LateEffect;

    /// <summary>The counters that it is charged to.</summary>
    public IEnumerable<string> QuotaKeys =>
        TaskPath.Split('/').Select(task => "task:" + task)
            .Append("workload:" + Gates.Workload.Uid)
            .Append("role:" + Gates.Role.Uid)
            .Append("provider:" + Gates.Provider.Uid)
            .Append($"workload:{Gates.Workload.Uid}/provider:{Gates.Provider.Uid}");
}

/// <summary>One thing that can be suspended, and how often it had been when the lease was reserved.</summary>
/// <param name="Uid">Its id.</param>
/// <param name="Suspension">Its suspension generation: a higher one later means that the lease is dead, lifted or not.</param>
public readonly record struct Gate(Uid Uid, long Suspension);

/// <summary>The four things whose suspension kills a lease.</summary>
public sealed record LeaseGates(Gate Source, Gate Workload, Gate Provider, Gate Role)
{
    /// <summary>All of them.</summary>
    public IEnumerable<Gate> All => [Source, Workload, Provider, Role];
}

/// <summary>What an attempt failed with.</summary>
/// <param name="Fault">What is at fault.</param>
/// <param name="Words">The provider's own words, cut and cleaned: for administrators.</param>
/// <param name="At">When.</param>
public sealed record AttemptError(ProviderFault Fault, string Words, DateTimeOffset At);
