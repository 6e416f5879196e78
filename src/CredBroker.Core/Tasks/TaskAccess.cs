using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Policies;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Tasks;

/// <summary>
/// Whose a task is. Its opener and its performer own it, each bound to the one instance that its issuer attests, so that a twin of the same name has no
/// part in it. Where no instance is attested, policy must permit <c>actOnTask</c>; the kill path asks nobody.
/// </summary>
public sealed class TaskAccess(ITaskStore tasks, Decider decider, DenialLog denials)
{
    /// <summary>The task, if the caller may act on it. Binds the performer by its first call.</summary>
    public async Task<Result<AgentTask>> ToActAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        var task = await tasks.FindAsync(id, cancellationToken);
        if (task is null) return Errors.NotFound("task");
        if (IsUnboundPerformer(caller, task))
            task = await tasks.BindPerformerAsync(id, new PerformerBinding(caller.Workload.Uid, caller.Identity.Instance, caller.Identity.Attributes), caller.Actor, cancellationToken) ?? task;
        return await ToActAsync(caller, task, cancellationToken);
    }

    /// <summary>The task as it was just read, if the caller may act on it.</summary>
    internal async Task<Result<AgentTask>> ToActAsync(Caller caller, AgentTask task, CancellationToken cancellationToken) => Ownership(caller, task) switch
    {
        Owns.Bound => task,
        Owns.OtherInstance => OtherInstance,
        Owns.ByNameAlone => await ByNameAsync(caller, task, cancellationToken),
        _ => decider.OnTask(caller, "actOnTask", task).Allowed ? task : Errors.NotFound("task"),
    };

    /// <summary>The task, if the caller may end it and revoke what it holds: an owner always may.</summary>
    public async Task<Result<AgentTask>> ToEndAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        var task = await tasks.FindAsync(id, cancellationToken);
        if (task is null) return Errors.NotFound("task");
        return Ownership(caller, task) switch
        {
            Owns.Bound or Owns.ByNameAlone => task,
            _ when decider.OnTask(caller, "endTask", task).Allowed => task,
            Owns.OtherInstance => OtherInstance,
            _ => Errors.NotFound("task"),
        };
    }

    /// <summary>The task, if the caller may see it: an owner, whoever may audit it, the root.</summary>
    public async Task<Result<AgentTask>> ToSeeAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        var task = await tasks.FindAsync(id, cancellationToken);
        if (task is null) return Errors.NotFound("task");
        return Ownership(caller, task) is Owns.Bound or Owns.ByNameAlone || MaySeeAll(caller) || decider.Audit(caller, task).Allowed ? task : Errors.NotFound("task");
    }

    /// <summary>Whether the caller may see what is not its own.</summary>
    public bool MaySeeAll(Caller caller) => decider.MaySeeAll(caller);

    /// <summary>An owner that nothing but its name binds: it is told that policy denied, and the decision is kept.</summary>
    private async Task<Result<AgentTask>> ByNameAsync(Caller caller, AgentTask task, CancellationToken cancellationToken)
    {
        var decision = decider.OnTask(caller, "actOnTask", task);
        if (decision.Allowed) return task;
        return (await denials.RecordAsync(caller, decision, task.Id, null, $"tasks/{task.Id}", cancellationToken)).ToError();
    }

    private static BrokerError OtherInstance => new(Reasons.NotTaskInstance, "The task belongs to another instance of this workload.");

    private static bool IsUnboundPerformer(Caller caller, AgentTask task) =>
        task.Performer.Workload is null && task.Performer.SourceUid == caller.Workload.SourceUid && task.Performer.Subject == caller.Workload.Subject;

    private static Owns Ownership(Caller caller, AgentTask task)
    {
        // A performer that has not called yet owns the task by its name: it may see and end it before it first acts.
        var best = IsUnboundPerformer(caller, task) ? Owns.ByNameAlone : Owns.Nothing;
        foreach (var party in (TaskParty[])[task.Performer, task.Opener])
        {
            var owns = party.Workload != caller.Workload.Uid ? Owns.Nothing
                : party.Instance is null ? Owns.ByNameAlone
                : party.Instance == caller.Identity.Instance ? Owns.Bound : Owns.OtherInstance;
            if (owns > best) best = owns;
        }

        return best;
    }

    private enum Owns
    {
        Nothing,
        OtherInstance,
        ByNameAlone,
        Bound,
    }
}
