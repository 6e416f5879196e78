using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Pressure;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Tasks;

/// <summary>A task as its opener asks for it.</summary>
public sealed record CreateTaskCommand
{
    /// <summary>Who opens it.</summary>
    public required Caller Caller { get; init; }

    /// <summary>What it is for.</summary>
    public required Intent Intent { get; init; }

    /// <summary>Who performs it, as (identity source's name, subject); null for the opener.</summary>
    public (string Source, string Subject)? Performer { get; init; }

    /// <summary>The task that it is a part of.</summary>
    public Uid? Parent { get; init; }

    /// <summary>How long it may take; null for the default.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>When it ends by itself, instead of <see cref="Ttl"/>.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>How often a sign of life is promised.</summary>
    public TimeSpan? HeartbeatInterval { get; init; }

    /// <summary>The opener's request id; empty for none.</summary>
    public string RequestId { get; init; } = "";
}

/// <summary>Opens, keeps alive, shows and ends tasks.</summary>
public sealed class TaskService(ITaskStore tasks, TaskAccess access, Catalog catalog, Decider decider, BrokerLimits limits, StorePressure pressure, Signals signals, HeldLines lines, DenialLog denials, TimeProvider time)
{
    private const int DecideAtMost = 4;

    /// <summary>Opens a task.</summary>
    public async Task<Result<AgentTask>> CreateAsync(CreateTaskCommand command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (pressure.Refusal is { } busy) return busy;
        for (var round = 0; round < DecideAtMost; round++)
        {
            if (round > 0) await catalog.RefreshAsync(cancellationToken);
            var parent = command.Parent is { } id ? await access.ToActAsync(command.Caller, id, cancellationToken) : null;
            if (parent is Result<AgentTask>.Refused { Error: var refused }) return refused;
            // Noted before the decision: if they change while it is made, it is made again.
            var snapshot = catalog.Current;
            if (Reviews.OverdueOf(snapshot, command.Caller.Workload.SourceUid, time.Now()) is { } overdue) return overdue;
            var (party, hindrance) = PerformerOf(snapshot, command);
            var drafted = Draft(command, party, (parent as Result<AgentTask>.Ok)?.Value);
            if (drafted is not Result<AgentTask>.Ok { Value: var task }) return drafted;
            var decision = decider.CreateTask(command.Caller, task, (parent as Result<AgentTask>.Ok)?.Value);
            if (!decision.Allowed) return (await denials.RecordAsync(command.Caller, decision, command.Parent, null, "", cancellationToken)).ToError();

            // Who may name no performer learns nothing of identity sources by trying.
            if (hindrance is not null) return hindrance;
            if (decision.MaxTtl is { } most) task = Shortened(task, most);
            var outcome = await tasks.CreateAsync(Reservation(snapshot, command, task, decision), cancellationToken);
            if (outcome is not CreateTaskOutcome.Stale) return ToResult(outcome);
        }

        return Errors.Stale;
    }

    /// <summary>A task that the caller may see.</summary>
    public Task<Result<AgentTask>> GetAsync(Caller caller, Uid task, CancellationToken cancellationToken) => access.ToSeeAsync(caller, task, cancellationToken);

    /// <summary>The tasks that the caller may see.</summary>
    public Task<Page<AgentTask>> ListAsync(Caller caller, TaskQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(query);
        return tasks.ListAsync(access.MaySeeAll(caller) ? query : query with { VisibleTo = TaskViewer.Of(caller) }, page, cancellationToken);
    }

    /// <summary>Takes a sign of life. Answers until when the task counts as alive.</summary>
    public async Task<Result<DateTimeOffset>> HeartbeatAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        var found = await access.ToActAsync(caller, id, cancellationToken);
        if (found is Result<AgentTask>.Refused { Error: var error }) return error;
        var task = ((Result<AgentTask>.Ok)found).Value;
        var now = time.Now();
        if (task.OverAt(now)) return Errors.TaskOver;
        if (task.HeartbeatInterval is not { } interval) return Errors.NoHeartbeats;
        var (aliveUntil, isNew) = limits.SignOfLife(task, interval, now);
        if (isNew) await tasks.KeepAliveAsync([new SignOfLife(id, aliveUntil)], cancellationToken);
        return aliveUntil;
    }

    /// <summary>Ends a task and all below it: dead in effect when this answers. Ending what has ended changes nothing.</summary>
    public async Task<Result<AgentTask>> EndAsync(Caller caller, Uid id, TaskOutcome outcome, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await access.ToEndAsync(caller, id, cancellationToken);
        if (found is not Result<AgentTask>.Ok) return found;
        return await EndAsync(new TaskEnd(id, outcome, TaskEndReason.Ended, caller.Actor), cancellationToken);
    }

    /// <summary>Ends a task on behalf of somebody who was found to be allowed.</summary>
    internal async Task<Result<AgentTask>> EndAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        var ended = await tasks.EndAsync(end, cancellationToken);
        signals.Set();
        lines.Ended(end.Task);
        return ended switch
        {
            EndTaskOutcome.Ended { Task: var task } => task,
            EndTaskOutcome.Repeated { Task: var task } => task,
            _ => Errors.NotFound("task"),
        };
    }

    private Result<AgentTask> Draft(CreateTaskCommand command, TaskParty party, AgentTask? parent)
    {
        var now = time.Now();
        var life = command.Deadline is { } asked ? asked - now : command.Ttl ?? limits.DefaultTaskLife;
        if (life <= TimeSpan.Zero) return Invalid("task.deadline", "The deadline has passed.");
        if (life > limits.LongestTaskLife) return Invalid("task.ttl", $"A task may take {DurationConverter.Format(limits.LongestTaskLife)} at most.");
        if (command.HeartbeatInterval is { } interval && (interval < TimeSpan.FromSeconds(1) || interval > TimeSpan.FromHours(1)))
            return Invalid("task.heartbeat_interval", "A heartbeat's interval is between 1s and 1h.");
        if (parent?.OverAt(now) == true) return Errors.TaskOver;
        var id = Uid.New(time);
        var deadline = Instants.Truncate(now + life);
        return new AgentTask
        {
            Id = id,
            Path = parent is null ? id.ToString() : $"{parent.Path}/{id}",
            ParentId = parent?.Id,
            Opener = new TaskParty(command.Caller.Workload.Uid, command.Caller.Workload.SourceUid, command.Caller.Workload.SourceName, command.Caller.Workload.Subject, command.Caller.Identity.Instance),
            Performer = party,
            PerformerAttributes = party.Workload is null ? new Dictionary<string, string>() : command.Caller.Identity.Attributes,
            Intent = command.Intent,
            CreatedAt = now,
            Deadline = parent is null ? deadline : Instants.Min(deadline, parent.Deadline),
            HeartbeatInterval = command.HeartbeatInterval,
            AliveUntil = command.HeartbeatInterval is { } every ? Instants.Truncate(now + limits.GraceOf(every)) : null,
        };
    }

    // What the permits that applied leave of its life, as with a credential.
    private static AgentTask Shortened(AgentTask task, TimeSpan most) => task with { Deadline = Instants.Min(task.Deadline, Instants.Truncate(task.CreatedAt + most)) };

    /// <summary>The performer as it is named, and why it cannot be one.</summary>
    private (TaskParty Party, BrokerError? Hindrance) PerformerOf(RegistrySnapshot snapshot, CreateTaskCommand command)
    {
        var caller = command.Caller;
        if (command.Performer is not { } named || (named.Source == caller.Workload.SourceName && named.Subject == caller.Workload.Subject))
        {
            return (new TaskParty(caller.Workload.Uid, caller.Workload.SourceUid, caller.Workload.SourceName, caller.Workload.Subject, caller.Identity.Instance),
                caller.Identity.People ? new BrokerError(Reasons.PermissionDenied, "A person cannot perform a task. Name the workload that does as its performer.") : null);
        }

        if (snapshot.FindSource(named.Source) is not { } source)
            return (new TaskParty(null, default, named.Source, named.Subject, null), new BrokerError(Reasons.ReferenceNotFound, $"There is no identity source {named.Source}."));
        return (new TaskParty(null, source.Uid, source.Name, named.Subject, null),
            source.Spec.People ? new BrokerError(Reasons.PermissionDenied, "A person cannot perform a task.") : Reviews.OverdueOf(snapshot, source.Uid, time.Now()));
    }

    private NewTask Reservation(RegistrySnapshot snapshot, CreateTaskCommand command, AgentTask task, Decision decision)
    {
        var caller = command.Caller;
        var gates = new[] { caller.Workload.SourceUid, caller.Workload.Uid, task.Performer.SourceUid }.Distinct();
        return new NewTask
        {
            Task = task,
            Request = RequestKeys.Of(caller, "CreateTask", command.Parent?.ToString() ?? "", command.RequestId, 0, BodyOf(command)),
            TreeDepth = limits.TreeDepth,
            TreeSize = limits.TreeSize,
            Charges = [new QuotaCharge("tasks:" + caller.Workload.Uid, limits.TasksPerWorkload, "running tasks opened by this workload")],
            Generations = snapshot.Generations((caller.Workload.SourceUid, snapshot.SourceVersion(caller.Workload.SourceUid))),
            Gates = [.. gates.Select(uid => new Gate(uid, snapshot.GateOf(uid).Suspension))],
            By = caller.Actor,
            Audit = [decision.ToAudit(caller.Actor, task.Id)],
        };
    }

    private static IEnumerable<string> BodyOf(CreateTaskCommand command)
    {
        yield return command.Intent.What;
        yield return command.Intent.ForWhom;
        yield return command.Intent.Data;
        foreach (var label in command.Intent.Labels.OrderBy(label => label.Key, StringComparer.Ordinal)) yield return $"{label.Key}={label.Value}";
        yield return $"{command.Performer?.Source}/{command.Performer?.Subject}";
        yield return $"{command.Ttl?.Ticks} {command.Deadline?.UtcTicks} {command.HeartbeatInterval?.Ticks}";
    }

    private static Result<AgentTask> ToResult(CreateTaskOutcome outcome) => outcome switch
    {
        CreateTaskOutcome.Created created => created.Task,
        CreateTaskOutcome.RequestMismatch => new BrokerError(Reasons.RequestIdReused, "This request id was used with another task. Use a new one."),
        CreateTaskOutcome.ParentOver => Errors.TaskOver,
        CreateTaskOutcome.TreeFull full => new BrokerError(Reasons.QuotaExceeded, $"The tree of tasks has reached its {full.What} of {full.Limit}."),
        CreateTaskOutcome.QuotaExceeded exceeded => Errors.Quota(exceeded.Charge),
        CreateTaskOutcome.Suspended => Errors.Suspended("The workload, or its identity source,"),
        _ => Errors.Stale,
    };

    private static BrokerError Invalid(string path, string message) => new(Reasons.FieldsInvalid, message) { Violations = [new ValidationError(path, message)] };
}
