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

    /// <summary>One task, in a statement that is kept: everything that acts for a task asks for it.</summary>
    public static async Task<AgentTask?> FindAsync(SqlSession session, Abstractions.Uid id)
    {
        var (tables, columns) = (session.Tables, session.Tables.Tasks);
        var found = await session.ReadAsync(
            $"""
            SELECT {columns.Selection}, (SELECT w.body FROM {tables.Texts.Name} w WHERE w.owner_uid = x.id), (SELECT l.alive_until FROM {tables.Liveness.Name} l WHERE l.task_id = x.id)
            FROM {columns.Name} x WHERE x.id = {id}
            """,
            reader => TaskMapping.ToTask(columns.Read(reader), reader.GetValue(columns.Width) as string, SqlValues.ToInstant(reader.GetValue(columns.Width + 1))));
        return found.FirstOrDefault();
    }
}
