using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>Between an event and its row.</summary>
internal static class AuditMapping
{
    public static AuditRow ToRow(AuditDraft draft, Uid writer, long sequence, DateTimeOffset at, byte[] previous, byte[] hash) => new()
    {
        Writer = writer,
        Sequence = sequence,
        At = at,
        Type = draft.Type,
        ByKind = draft.By.Kind,
        ByName = draft.By.Name,
        TaskId = draft.TaskId,
        LeaseId = draft.LeaseId,
        DecisionId = draft.DecisionId,
        Resource = draft.Resource,
        Detail = draft.Detail.ToJsonString(),
        PreviousHash = previous,
        Hash = hash,
    };

    public static AuditEvent ToEvent(AuditRow row) => new(
        row.Writer,
        row.Sequence,
        row.At,
        new AuditDraft(row.Type, new Actor(row.ByKind, row.ByName))
        {
            TaskId = row.TaskId,
            LeaseId = row.LeaseId,
            DecisionId = row.DecisionId,
            Resource = row.Resource,
            Detail = (JsonObject)JsonNode.Parse(row.Detail)!,
        },
        row.PreviousHash,
        row.Hash);
}
