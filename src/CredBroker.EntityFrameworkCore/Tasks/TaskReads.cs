using CredBroker.Core.Tasks;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Tasks;

/// <summary>A task with what is stored apart from it.</summary>
internal sealed class FullTask
{
    public required TaskRow Task { get; init; }
    public string? Intent { get; init; }
    public DateTimeOffset? AliveUntil { get; init; }

    public AgentTask ToTask() => TaskMapping.ToTask(Task, Intent, AliveUntil);
}

/// <summary>Questions about tasks.</summary>
internal static class TaskReads
{
    public static IQueryable<FullTask> Full(BrokerContext context, IQueryable<TaskRow> tasks) =>
        from task in tasks
        select new FullTask
        {
            Task = task,
            Intent = context.Texts.Where(text => text.OwnerUid == task.Id).Select(text => text.Body).FirstOrDefault(),
            AliveUntil = context.Liveness.Where(row => row.TaskId == task.Id).Select(row => (DateTimeOffset?)row.AliveUntil).FirstOrDefault(),
        };

    public static IQueryable<FullTask> Filter(BrokerContext context, TaskQuery query)
    {
        var tasks = context.Tasks.AsQueryable();
        if (query.VisibleTo is { } viewer) tasks = OwnedBy(tasks, viewer);
        if (query.Among is { } among) tasks = tasks.Where(row => among.Contains(row.Id));
        if (query.Running is { } running) tasks = tasks.Where(row => (row.EndedAt == null) == running);
        if (query.UnderPath is { } path) tasks = UnderOrAt(tasks, path);
        if (query.PerformerSources is { } sources) tasks = tasks.Where(row => sources.Contains(row.PerformerSource));
        if (query.PerformerSubject is { } subject) tasks = tasks.Where(row => row.PerformerSubject == subject);
        foreach (var (name, value) in query.Labels ?? new Dictionary<string, string>())
            tasks = tasks.Where(row => context.Labels.Any(label => label.TaskId == row.Id && label.Name == name && label.Value == value));
        return Full(context, tasks);
    }

    /// <summary>The tasks of an owner: one that nobody is bound to yet belongs to whom it names.</summary>
    public static IQueryable<TaskRow> OwnedBy(IQueryable<TaskRow> tasks, TaskViewer viewer) => tasks.Where(row =>
        row.OpenerWorkload == viewer.Workload || row.PerformerWorkload == viewer.Workload
        || (row.PerformerWorkload == null && row.PerformerSource == viewer.Source && row.PerformerSubject == viewer.Subject));

    /// <summary>A task and its descendants, by a range of the index.</summary>
    public static IQueryable<TaskRow> UnderOrAt(IQueryable<TaskRow> tasks, string path)
    {
        var (from, to) = RangeUnder(path);
        return tasks.Where(row => row.Path == path || (string.Compare(row.Path, from) >= 0 && string.Compare(row.Path, to) < 0));
    }

    /// <summary>The paths below a path: from <c>path/</c> up to before <c>path0</c>, because <c>0</c> follows <c>/</c>.</summary>
    public static (string From, string To) RangeUnder(string path) => (path + "/", path + "0");

    /// <summary>A task as the writer's transaction sees it.</summary>
    public static async Task<AgentTask?> FindAsync(WriteSession session, Abstractions.Uid id)
    {
        if (await session.FindAsync(session.Tables.Tasks, $"WHERE x.id = {id}") is not { } row) return null;
        var text = await session.FindAsync(session.Tables.Texts, $"WHERE x.owner_uid = {id}");
        var liveness = await session.FindAsync(session.Tables.Liveness, $"WHERE x.task_id = {id}");
        return TaskMapping.ToTask(row, text?.Body, liveness?.AliveUntil);
    }
}
