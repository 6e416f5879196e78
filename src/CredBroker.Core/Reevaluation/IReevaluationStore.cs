using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;

namespace CredBroker.Core.Reevaluation;

/// <summary>
/// What makes live leases be decided again, and how far that is. A change of policies, of a workload's attributes or of a task asks for it in its own
/// transaction, so that nothing is forgotten; whoever does it holds a fenced claim, and goes on where the last one stopped.
/// </summary>
public interface IReevaluationStore
{
    /// <summary>Takes what is due and held by nobody; null if there is nothing.</summary>
    Task<ReevaluationWork?> ClaimAsync(TimeSpan holdFor, CancellationToken cancellationToken);

    /// <summary>The next leases in the order of their ids that are pending or active by their rows, each with its effective state.</summary>
    Task<IReadOnlyList<LeaseView>> PageAsync(ReevaluationScope scope, Uid? after, int size, CancellationToken cancellationToken);

    /// <summary>
    /// Ends what is no longer permitted and moves the work on, in one transaction that holds the policies' gate: what was decided under other policies than
    /// those in force is not written.
    /// </summary>
    Task<ReevaluationOutcome> SettleAsync(ReevaluationStep step, CancellationToken cancellationToken);
}

/// <summary>Which leases are decided again: all, those that a workload's attributes decide over, or those below a task.</summary>
/// <param name="Workload">The workload whose leases these are, or who performs a task above them.</param>
/// <param name="Task">The task that they belong to, or that is above theirs.</param>
public sealed record ReevaluationScope(Uid? Workload, Uid? Task)
{
    /// <summary>All leases.</summary>
    public static ReevaluationScope Everything { get; } = new(null, null);

    /// <summary>The resource name of what changed.</summary>
    public string Cause => Workload is { } workload ? $"workloads/{workload}" : Task is { } task ? $"tasks/{task}" : "policySets";
}

/// <summary>A re-evaluation that this node holds.</summary>
public sealed record ReevaluationWork
{
    /// <summary>Its id: one for each scope, so that a second change begins it anew.</summary>
    public required Uid Id { get; init; }

    /// <summary>Which leases.</summary>
    public required ReevaluationScope Scope { get; init; }

    /// <summary>The last lease that was decided again; null at the beginning.</summary>
    public Uid? Cursor { get; init; }

    /// <summary>Grows with every claim and every new cause: only the last holder settles.</summary>
    public required long Fence { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>How many leases were decided again.</summary>
    public long Examined { get; init; }

    /// <summary>How many of them were no longer permitted.</summary>
    public long Revoked { get; init; }

    /// <summary>How many of them live on because a policy failed.</summary>
    public long Unclear { get; init; }
}

/// <summary>One lease that is no longer permitted.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Decision">The decision, which is recorded with its end.</param>
/// <param name="Audit">The decision's event.</param>
public sealed record NoLongerPermitted(Uid Lease, Uid Decision, AuditDraft Audit);

/// <summary>One page that was decided again.</summary>
public sealed record ReevaluationStep
{
    /// <summary>The work, as it was claimed or last settled.</summary>
    public required ReevaluationWork Work { get; init; }

    /// <summary>The generation of the policies that it was decided under.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>The hash of these policies.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>What is no longer permitted, in the order of ids.</summary>
    public required IReadOnlyList<NoLongerPermitted> Ending { get; init; }

    /// <summary>How many leases were decided again.</summary>
    public required int Examined { get; init; }

    /// <summary>How many live on because a policy failed.</summary>
    public required int Unclear { get; init; }

    /// <summary>The last lease of the page; null when there are no more.</summary>
    public Uid? Cursor { get; init; }

    /// <summary>What else is told, such as the first failure.</summary>
    public IReadOnlyList<AuditDraft> Audit { get; init; } = [];

    /// <summary>How long the work is held from here on.</summary>
    public required TimeSpan HoldFor { get; init; }
}

/// <summary>What came of settling a page.</summary>
public abstract record ReevaluationOutcome
{
    private ReevaluationOutcome()
    {
    }

    /// <summary>It is written; there is more.</summary>
    public sealed record Moved(ReevaluationWork Work) : ReevaluationOutcome;

    /// <summary>It is written, and was the last page.</summary>
    public sealed record Finished(ReevaluationWork Work) : ReevaluationOutcome;

    /// <summary>Other policies are in force: nothing was written, decide again.</summary>
    public sealed record Stale : ReevaluationOutcome;

    /// <summary>Another node, or a new cause, took it over: nothing was written.</summary>
    public sealed record Lost : ReevaluationOutcome;
}
