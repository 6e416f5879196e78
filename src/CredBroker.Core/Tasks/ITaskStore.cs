using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Tasks;

/// <summary>The tasks. Every member is one whole intention in one transaction, with its audit events.</summary>
public interface ITaskStore
{
    /// <summary>Creates a task under the root's shared lock; a repeated request answers the task that it made.</summary>
    Task<CreateTaskOutcome> CreateAsync(NewTask task, CancellationToken cancellationToken);

    /// <summary>
    /// Ends a task and its running descendants under the root's exclusive lock: one update over the path, never a lease. All that they hold is dead in
    /// effect at this commit. A task that has ended stays as it ended.
    /// </summary>
    Task<EndTaskOutcome> EndAsync(TaskEnd end, CancellationToken cancellationToken);

    /// <summary>Ends what is past its deadline or has lost its heartbeat, one batch. Answers the tasks that it ended.</summary>
    Task<IReadOnlyList<AgentTask>> EndOverdueAsync(int batch, CancellationToken cancellationToken);

    /// <summary>Binds the performer to a workload and its instance, if nobody was bound before. Answers the task as it is then.</summary>
    Task<AgentTask?> BindPerformerAsync(Uid task, PerformerBinding binding, Actor by, CancellationToken cancellationToken);

    /// <summary>Moves the signs of life forward, never back: in batches, in a narrow table.</summary>
    Task KeepAliveAsync(IReadOnlyList<SignOfLife> signs, CancellationToken cancellationToken);

    /// <summary>A task; null if there is none.</summary>
    Task<AgentTask?> FindAsync(Uid task, CancellationToken cancellationToken);

    /// <summary>A page of tasks, newest last.</summary>
    Task<Page<AgentTask>> ListAsync(TaskQuery query, PageRequest page, CancellationToken cancellationToken);

    /// <summary>When the next task ends by itself; null when none does.</summary>
    Task<DateTimeOffset?> NextDueAsync(CancellationToken cancellationToken);
}

/// <summary>Who performs a task from now on.</summary>
/// <param name="Workload">The workload.</param>
/// <param name="Instance">Its instance, where the issuer attests one.</param>
/// <param name="Attributes">What its token proves, as <c>source/attribute</c>.</param>
public sealed record PerformerBinding(Uid Workload, string? Instance, IReadOnlyDictionary<string, string> Attributes);

/// <summary>Until when a task counts as alive.</summary>
public sealed record SignOfLife(Uid Task, DateTimeOffset AliveUntil);

/// <summary>A task to be created, with what must hold in the transaction that does it.</summary>
public sealed record NewTask
{
    /// <summary>The task.</summary>
    public required AgentTask Task { get; init; }

    /// <summary>The opener's request id, if it gave one.</summary>
    public RequestKey? Request { get; init; }

    /// <summary>The largest depth of a tree.</summary>
    public required int TreeDepth { get; init; }

    /// <summary>The largest size of a tree.</summary>
    public required int TreeSize { get; init; }

    /// <summary>The counters to charge while it runs.</summary>
    public required IReadOnlyList<QuotaCharge> Charges { get; init; }

    /// <summary>The generations that the decision was made under.</summary>
    public required GenerationCheck Generations { get; init; }

    /// <summary>The gates that must not be suspended: the opener's source and workload.</summary>
    public required IReadOnlyList<Gate> Gates { get; init; }

    /// <summary>Who asks.</summary>
    public required Actor By { get; init; }

    /// <summary>The decision's event.</summary>
    public required IReadOnlyList<AuditDraft> Audit { get; init; }
}

/// <summary>What came of creating a task.</summary>
public abstract record CreateTaskOutcome
{
    private CreateTaskOutcome()
    {
    }

    /// <summary>It was created, or had been by the same request.</summary>
    public sealed record Created(AgentTask Task, bool Repeated) : CreateTaskOutcome;

    /// <summary>The request id was used with another body.</summary>
    public sealed record RequestMismatch : CreateTaskOutcome;

    /// <summary>The parent has ended.</summary>
    public sealed record ParentOver : CreateTaskOutcome;

    /// <summary>The tree would be deeper, or larger, than is allowed.</summary>
    public sealed record TreeFull(string What, int Limit) : CreateTaskOutcome;

    /// <summary>A counter is at its limit.</summary>
    public sealed record QuotaExceeded(QuotaCharge Charge) : CreateTaskOutcome;

    /// <summary>The opener, or its source, is suspended.</summary>
    public sealed record Suspended(Uid Gate) : CreateTaskOutcome;

    /// <summary>What the decision depends on has changed: decide again.</summary>
    public sealed record Stale : CreateTaskOutcome;
}

/// <summary>The end of a task.</summary>
/// <param name="Task">The task.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">Why.</param>
/// <param name="By">Who ended it.</param>
public sealed record TaskEnd(Uid Task, TaskOutcome Outcome, TaskEndReason Reason, Actor By)
{
    /// <summary>The signal's id, which is stored in the same transaction, so that the same signal acts once; null without a hook.</summary>
    public HookDelivery? Delivery { get; init; }
}

/// <summary>A hook's delivery.</summary>
/// <param name="Hook">The hook.</param>
/// <param name="Id">Its <c>webhook-id</c>.</param>
/// <param name="KeepUntil">Until when it must be remembered: past the tolerance of its time stamp.</param>
public sealed record HookDelivery(Uid Hook, string Id, DateTimeOffset KeepUntil);

/// <summary>What came of ending a task.</summary>
public abstract record EndTaskOutcome
{
    private EndTaskOutcome()
    {
    }

    /// <summary>It has ended, now or before; with how many tasks ended now.</summary>
    public sealed record Ended(AgentTask Task, int TasksEnded) : EndTaskOutcome;

    /// <summary>This delivery was handled before.</summary>
    public sealed record Repeated(AgentTask Task) : EndTaskOutcome;

    /// <summary>There is no such task.</summary>
    public sealed record Unknown : EndTaskOutcome;
}

/// <summary>Who looks at tasks: a workload, which may be named as a performer before it was ever bound to the task.</summary>
/// <param name="Workload">The workload.</param>
/// <param name="Source">Its identity source.</param>
/// <param name="Subject">Its subject there.</param>
public sealed record TaskViewer(Uid Workload, Uid Source, string Subject)
{
    /// <summary>A caller.</summary>
    public static TaskViewer Of(Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return new TaskViewer(caller.Workload.Uid, caller.Workload.SourceUid, caller.Workload.Subject);
    }
}

/// <summary>Which tasks are listed. All given conditions must hold.</summary>
public sealed record TaskQuery
{
    /// <summary>Only those that this workload opened or performs, or is named to perform; null for those who may see all.</summary>
    public TaskViewer? VisibleTo { get; init; }

    /// <summary>Only these.</summary>
    public IReadOnlyCollection<Uid>? Among { get; init; }

    /// <summary>Only those that run, or only those that ended.</summary>
    public bool? Running { get; init; }

    /// <summary>Only this task's descendants and itself.</summary>
    public string? UnderPath { get; init; }

    /// <summary>Only those whose performer comes from one of these identity sources.</summary>
    public IReadOnlyList<Uid>? PerformerSources { get; init; }

    /// <summary>Only those whose performer has this subject.</summary>
    public string? PerformerSubject { get; init; }

    /// <summary>Only those that carry all of these labels.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}
