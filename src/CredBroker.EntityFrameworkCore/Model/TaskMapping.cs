using System.Text.Json;
using CredBroker.Core.Tasks;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Between a task and its rows.</summary>
internal static class TaskMapping
{
    private static readonly Dictionary<string, string> None = [];
    private static readonly Intent Erased = new("", "", "", new Dictionary<string, string>());

    public static TaskRow ToRow(AgentTask task, IEnumerable<string> chargedTo) => new()
    {
        Id = task.Id,
        RootId = task.RootId,
        ParentId = task.ParentId,
        Path = task.Path,
        OpenerWorkload = task.Opener.Workload,
        OpenerSource = task.Opener.SourceUid,
        OpenerSourceName = task.Opener.SourceName,
        OpenerSubject = task.Opener.Subject,
        OpenerInstance = task.Opener.Instance,
        PerformerWorkload = task.Performer.Workload,
        PerformerSource = task.Performer.SourceUid,
        PerformerSourceName = task.Performer.SourceName,
        PerformerSubject = task.Performer.Subject,
        PerformerInstance = task.Performer.Instance,
        PerformerAttributes = WriteAttributes(task.PerformerAttributes),
        CreatedAt = task.CreatedAt,
        Deadline = task.Deadline,
        HeartbeatInterval = task.HeartbeatInterval,
        ChargedTo = string.Join('\n', chargedTo),
        EndedAt = task.EndedAt,
        Outcome = task.Outcome,
        EndReason = task.EndReason,
    };

    public static AgentTask ToTask(TaskRow row, string? intent, DateTimeOffset? aliveUntil) => new()
    {
        Id = row.Id,
        Path = row.Path,
        ParentId = row.ParentId,
        Opener = new TaskParty(row.OpenerWorkload, row.OpenerSource, row.OpenerSourceName, row.OpenerSubject, row.OpenerInstance),
        Performer = new TaskParty(row.PerformerWorkload, row.PerformerSource, row.PerformerSourceName, row.PerformerSubject, row.PerformerInstance),
        PerformerAttributes = row.PerformerAttributes is null ? None : JsonSerializer.Deserialize<Dictionary<string, string>>(row.PerformerAttributes) ?? None,
        Intent = intent is null ? Erased : JsonSerializer.Deserialize<Intent>(intent) ?? Erased,
        CreatedAt = row.CreatedAt,
        Deadline = row.Deadline,
        HeartbeatInterval = row.HeartbeatInterval,
        AliveUntil = aliveUntil,
        EndedAt = row.EndedAt,
        Outcome = row.Outcome,
        EndReason = row.EndReason,
    };

    public static string? WriteAttributes(IReadOnlyDictionary<string, string> attributes) =>
        attributes.Count == 0 ? null : JsonSerializer.Serialize(attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary());

    public static TextRow ToText(AgentTask task) => Text(task.Id, JsonSerializer.Serialize(task.Intent));

    public static TextRow Text(Abstractions.Uid owner, string body)
    {
        var (salt, hash) = SaltedHash.Of(body);
        return new() { OwnerUid = owner, Body = body, Salt = salt, Hash = hash };
    }
}
