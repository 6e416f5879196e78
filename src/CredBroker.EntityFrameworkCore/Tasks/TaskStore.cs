using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Tasks;
using CredBroker.EntityFrameworkCore.Clocks;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Quarantine;
using CredBroker.EntityFrameworkCore.Reevaluation;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Tasks;

/// <summary>The tasks, in the database.</summary>
internal sealed class TaskStore(BrokerWriter writer, ReadContexts contexts, ReadSessions sessions, StoreTime clock) : ITaskStore
{
    public Task<CreateTaskOutcome> CreateAsync(NewTask task, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(task);
        return writer.WriteAsync(Creating.LocksOf(task), session => Creating.RunAsync(session, task), cancellationToken);
    }

    public Task<EndTaskOutcome> EndAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(end);
        return writer.WriteAsync(Urgency.End, new LockSet { Tasks = [end.Task], Exclusive = true }, session => Ending.RunAsync(session, end), cancellationToken);
    }

    public async Task<IReadOnlyList<AgentTask>> EndOverdueAsync(int batch, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var overdue = await contexts.ReadAsync(async context =>
        {
            var some = await Holding.AnyAsync(context, cancellationToken);
            var late = await Holding.Tasks(context, some).Where(row => row.EndedAt == null && row.Deadline <= now).OrderBy(row => row.Deadline)
                .Select(row => row.Id).Take(batch).ToListAsync(cancellationToken);
            if (!LifeStore.HeartbeatsCount(await context.Life.FirstOrDefaultAsync(cancellationToken), now)) return late;
            var silent = await Holding.Liveness(context, some).Where(row => row.Watched && row.AliveUntil <= now).OrderBy(row => row.AliveUntil)
                .Select(row => row.TaskId).Take(batch).ToListAsync(cancellationToken);
            return late.Union(silent).Take(batch).ToList();
        });
        if (overdue.Count == 0) return [];
        var locks = new LockSet { Tasks = overdue, Exclusive = true };
        return await writer.WriteAsync(Urgency.End, locks, session => Ending.EndOverdueAsync(session, overdue), cancellationToken);
    }

    public Task<AgentTask?> BindPerformerAsync(Uid task, PerformerBinding binding, Actor by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(binding);
        return writer.WriteAsync(new LockSet { Tasks = [task], Exclusive = true }, session => BindAsync(session, task, binding, by), cancellationToken);
    }

    public async Task KeepAliveAsync(IReadOnlyList<SignOfLife> signs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(signs);
        if (signs.Count == 0) return;
        await writer.WriteAsync(Urgency.Renew, LockSet.None, session => KeepAliveAsync(session, signs), cancellationToken);
    }

    public Task<AgentTask?> FindAsync(Uid task, CancellationToken cancellationToken) => sessions.ReadAsync(session => TaskReads.FindAsync(session, task), cancellationToken);

    public async Task<Page<AgentTask>> ListAsync(TaskQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(page);
        var found = await contexts.ReadAsync(context => TaskReads.Filter(context, query).After(page, row => row.Task.Id).ToListAsync(cancellationToken));
        return Paging.ToPage(found, page, row => row.Task.Id.ToString(), row => row.ToTask());
    }

    public async Task<DateTimeOffset?> NextDueAsync(CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var (deadline, silence) = await contexts.ReadAsync(async context =>
        {
            var some = await Holding.AnyAsync(context, cancellationToken);
            return (
                await Holding.Tasks(context, some).Where(row => row.EndedAt == null).MinAsync(row => (DateTimeOffset?)row.Deadline, cancellationToken),
                LifeStore.HeartbeatsCount(await context.Life.FirstOrDefaultAsync(cancellationToken), now)
                    ? await Holding.Liveness(context, some).Where(row => row.Watched).MinAsync(row => (DateTimeOffset?)row.AliveUntil, cancellationToken)
                    : null);
        });
        return deadline < silence || silence is null ? deadline : silence;
    }

    private static async Task<AgentTask?> BindAsync(WriteSession session, Uid task, PerformerBinding binding, Actor by)
    {
        var attributes = TaskMapping.WriteAttributes(binding.Attributes);
        var bound = await session.ExecuteAsync(
            $"UPDATE {session.Tables.Tasks.Name} SET performer_workload = {binding.Workload}, performer_instance = {binding.Instance}, performer_attributes = {attributes} WHERE id = {task} AND performer_workload IS NULL");
        if (bound == 1)
        {
            // What is held below it needs the performer's permit from now on.
            await Reevaluating.RequestAsync(session, new ReevaluationScope(null, task), TimeSpan.Zero);
            session.Audit(new AuditDraft(AuditTypes.TaskPerformerBound, by)
            {
                TaskId = task,
                Resource = $"tasks/{task}",
                Detail = new() { ["workload"] = binding.Workload.ToString(), ["instance"] = binding.Instance },
            });
        }

        return await TaskReads.FindAsync(session, task);
    }

    private static async Task<bool> KeepAliveAsync(WriteSession session, IReadOnlyList<SignOfLife> signs)
    {
        foreach (var sign in signs.OrderBy(sign => sign.Task))
        {
            await session.ExecuteAsync(
                $"UPDATE {session.Tables.Liveness.Name} SET alive_until = {sign.AliveUntil} WHERE task_id = {sign.Task} AND alive_until < {sign.AliveUntil} AND watched");
        }

        return true;
    }
}
