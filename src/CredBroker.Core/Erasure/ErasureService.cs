using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Erasure;

/// <summary>Erases the free texts of a task and all below it, for those who may administer tasks. What happened, and its proof, stays.</summary>
public sealed class ErasureService(IErasureStore store, ITaskStore tasks, TaskAccess access, Decider decider)
{
    private const int PageSize = 500;

    /// <summary>How many tasks it was, and how many texts.</summary>
    public sealed record Erased(AgentTask Task, int Tasks, int Texts);

    /// <summary>Erases. What was erased before is no error; what fails half-way may be done again.</summary>
    public async Task<Result<Erased>> EraseAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await tasks.FindAsync(id, cancellationToken);
        if (decider.Administer(caller, "administerTask", found is null ? BrokerEntities.Installation : BrokerEntities.Task(found.Id.ToString()), found is null ? [] : [found.ToEntity()]) is { Allowed: false })
        {
            // Who may see the task may know that it lacks a right; a stranger learns nothing.
            var seen = await access.ToSeeAsync(caller, id, cancellationToken);
            return seen is Result<AgentTask>.Ok ? Errors.Denied("erase the texts of this task") : Errors.NotFound("task");
        }

        if (found is null) return Errors.NotFound("task");
        var tree = await TreeAsync(found, cancellationToken);
        var texts = 0;
        // From below: while something of a child is there, its parent's is too, and whoever looks sees that it is not done.
        foreach (var task in tree.OrderByDescending(task => task.Depth))
        {
            switch (await store.EraseAsync(task.Id, caller.Actor, cancellationToken))
            {
                case EraseOutcome.Erased erased:
                    texts += erased.Texts;
                    break;
                case EraseOutcome.Running:
                    return new BrokerError(Reasons.TaskRunning, "The task still runs: its texts can be erased when it has ended.");
                case EraseOutcome.Unproven:
                    return new BrokerError(Reasons.HasLiveLeases, "Not everything that the task held is proven dead: what its provider says is needed until then.");
                default:
                    return Errors.NotFound("task");
            }
        }

        return new Erased((await tasks.FindAsync(id, cancellationToken))!, tree.Count, texts);
    }

    private async Task<List<AgentTask>> TreeAsync(AgentTask root, CancellationToken cancellationToken)
    {
        var tree = new List<AgentTask>();
        for (string? after = null; ;)
        {
            var page = await tasks.ListAsync(new TaskQuery { UnderPath = root.Path }, new PageRequest(PageSize, after), cancellationToken);
            tree.AddRange(page.Items);
            if ((after = page.Next) is null) return tree;
        }
    }
}
