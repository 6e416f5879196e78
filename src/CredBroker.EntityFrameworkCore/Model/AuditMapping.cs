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

    /// <summary>The event with its texts' hashes in its detail, and its texts apart.</summary>
    public static (AuditDraft Draft, IReadOnlyList<AuditTextRow> Texts) Part(AuditDraft draft, Uid writer, long sequence)
    {
        if (draft.Texts.Count == 0) return (draft, []);
        var detail = (JsonObject)draft.Detail.DeepClone();
        var texts = new List<AuditTextRow>();
        foreach (var (name, body) in draft.Texts.OrderBy(text => text.Key, StringComparer.Ordinal))
        {
            var (salt, hash) = SaltedHash.Of(body);
            detail[name + "_sha256"] = Convert.ToHexStringLower(hash);
            texts.Add(new AuditTextRow { Writer = writer, Sequence = sequence, Name = name, Body = body, Salt = salt });
        }

        return (draft with { Detail = detail }, texts);
    }

    public static AuditEvent ToEvent(AuditRow row, IEnumerable<AuditTextRow> texts) => new(
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
            Texts = texts.ToDictionary(text => text.Name, text => text.Body),
        },
        row.PreviousHash,
        row.Hash);
}
