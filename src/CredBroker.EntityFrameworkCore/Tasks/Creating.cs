using CredBroker.Core.Audit;
using CredBroker.Core.Tasks;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Registry;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Tasks;

/// <summary>Creates a task.</summary>
internal static class Creating
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    public static LockSet LocksOf(NewTask task) => new()
    {
        Tasks = task.Task.ParentId is { } parent ? [parent] : [],
        Gates = [.. GateVerdict.UidsOf(task.Generations, task.Gates)],
        Counters = [.. task.Charges.Select(charge => charge.Key).Concat(task.Task.ParentId is null ? [] : [TreeKey(task.Task)])],
    };

    public static async Task<CreateTaskOutcome> RunAsync(WriteSession session, NewTask task)
    {
        if (task.Request is { } request && await Requests.FindAsync(session, request) is { } earlier)
        {
            if (!earlier.Body.AsSpan().SequenceEqual(request.Body)) return new CreateTaskOutcome.RequestMismatch();
            // What it made may have been forgotten: then the request is too old to be repeated.
            return await TaskReads.FindAsync(session, earlier.Made) is { } made ? new CreateTaskOutcome.Created(made, Repeated: true) : new CreateTaskOutcome.RequestMismatch();
        }

        if (await RefusalAsync(session, task) is { } refusal) return refusal;
        foreach (var draft in task.Audit) session.Audit(draft);
        await WriteAsync(session, task);
        return new CreateTaskOutcome.Created(task.Task, Repeated: false);
    }

    private static async Task<CreateTaskOutcome?> RefusalAsync(WriteSession session, NewTask task)
    {
        if (task.Task.ParentId is { } parentId)
        {
            var parent = await session.FindAsync(session.Tables.Tasks, $"WHERE x.id = {parentId}")
                ?? throw new ArgumentException("The parent does not exist.", nameof(task));
            if ($"{parent.Path}/{task.Task.Id}" != task.Task.Path) throw new ArgumentException("The path is not below the parent's.", nameof(task));
            if (parent.EndedAt is not null || parent.Deadline <= session.Now) return new CreateTaskOutcome.ParentOver();
            if (task.Task.Depth > task.TreeDepth) return new CreateTaskOutcome.TreeFull("depth", task.TreeDepth);
            // The counter holds the tasks below the root.
            var below = await Counters.ValueAsync(session, TreeKey(task.Task));
            if (below + 2 > task.TreeSize) return new CreateTaskOutcome.TreeFull("size", task.TreeSize);
        }

        switch (await GateVerdict.OfAsync(session, task.Generations, task.Gates))
        {
            case GateVerdict.Changed:
                return new CreateTaskOutcome.Stale();
            case GateVerdict.Suspended(var gate):
                return new CreateTaskOutcome.Suspended(gate);
        }

        return await Counters.ExceededAsync(session, task.Charges) is { } exceeded ? new CreateTaskOutcome.QuotaExceeded(exceeded) : null;
    }

    private static async Task WriteAsync(WriteSession session, NewTask task)
    {
        var made = task.Task;
        if (task.Request is not null) await Requests.WriteAsync(session, task.Request, null, made.Id);
        await Counters.AddAsync(session, task.Charges.Select(charge => charge.Key), 1);
        if (made.ParentId is not null) await Counters.AddAsync(session, [TreeKey(made)], 1);
        var text = TaskMapping.ToText(made);
        await session.InsertAsync(session.Tables.Tasks, TaskMapping.ToRow(made, task.Charges.Select(charge => charge.Key)));
        await session.InsertAsync(session.Tables.Texts, text);
        await session.InsertAsync(session.Tables.Labels, [.. made.Intent.Labels.Select(label => new LabelRow { TaskId = made.Id, Name = label.Key, Value = label.Value })]);
        if (made.AliveUntil is { } alive) await session.InsertAsync(session.Tables.Liveness, new LivenessRow { TaskId = made.Id, AliveUntil = alive, Watched = true });
        session.Audit(new AuditDraft(AuditTypes.TaskCreated, task.By)
        {
            TaskId = made.Id,
            Resource = $"tasks/{made.Id}",
            Detail = new()
            {
                ["parent"] = made.ParentId?.ToString(),
                ["performer"] = made.Performer.Name,
                ["deadline_micros"] = Core.Instants.ToMicros(made.Deadline),
                ["intent_sha256"] = Convert.ToHexStringLower(text.Hash),
            },
        });
        if (made.Deadline - session.Now < Soon || made.AliveUntil - session.Now < Soon) session.MadeWork = true;
    }

    private static string TreeKey(AgentTask task) => "tree:" + task.RootId;
}
