using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Receipts;

/// <summary>
/// Closes receipts, and opens them again, keeping what they said: while one is closed its leases say it. The transaction holds the root task, so that the last lease and
/// the end cannot miss each other.
/// </summary>
internal static class ReceiptWriter
{
    /// <summary>Closes the task's receipt if the task has ended and everything that it held is proven dead.</summary>
    public static async Task CloseIfDoneAsync(WriteSession session, Uid task)
    {
        var done = await session.CountAsync(
            $"SELECT 1 FROM {session.Tables.Tasks.Name} x WHERE x.id = {task} AND x.ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {session.Tables.Leases.Name} l WHERE l.task_id = x.id AND l.state <= 3)");
        if (done == 0) return;
        var latest = (await LatestAsync(session, task))?.Revision ?? 1;
        if (latest % 2 == 0) return;
        await CloseAsync(session, task, latest + 1);
    }

    /// <summary>What was closed is opened again: to be called before the lease changes that it tells of.</summary>
    public static async Task ReopenAsync(WriteSession session, Uid task)
    {
        if (await LatestAsync(session, task) is not { } latest || latest.Revision % 2 != 0) return;
        latest.Body = ReceiptBody.Write(await EntriesAsync(session, task));
        await session.UpdateAsync(session.Tables.Receipts, latest, [nameof(ReceiptRow.Body)], $"task_id = {task} AND revision = {latest.Revision}");
        await session.InsertAsync(session.Tables.Receipts, new ReceiptRow { TaskId = task, Revision = latest.Revision + 1, At = session.Now });
    }

    // However many leases it tells of, others wait to be written: it reads none of them.
    private static async Task CloseAsync(WriteSession session, Uid task, int revision)
    {
        var count = await session.ReadAsync($"SELECT COUNT(*) FROM {session.Tables.Leases.Name} x WHERE x.task_id = {task}", static reader => (int)SqlValues.ToCount(reader.GetValue(0)));
        await session.InsertAsync(session.Tables.Receipts, new ReceiptRow { TaskId = task, Revision = revision, At = session.Now, Leases = count[0] });
        session.Audit(new AuditDraft(AuditTypes.ReceiptClosed, Actor.Broker)
        {
            TaskId = task,
            Resource = $"tasks/{task}/receipt",
            Detail = new() { ["revision"] = revision, ["leases"] = count[0] },
        });
    }

    private static async Task<IReadOnlyList<LeaseView>> EntriesAsync(WriteSession session, Uid task)
    {
        var entries = new List<LeaseView>();
        foreach (var row in await session.ListAsync(session.Tables.Leases, $"WHERE x.task_id = {task} ORDER BY x.id"))
        {
            var lease = LeaseMapping.ToLease(row) with { Handle = null, Asked = LeaseAsked.Unknown };
            entries.Add((await Effective.ReadAsync(session, lease)).Of(lease));
        }

        return entries;
    }

    private static Task<ReceiptRow?> LatestAsync(WriteSession session, Uid task) =>
        session.FindAsync(session.Tables.Receipts, $"WHERE x.task_id = {task} ORDER BY x.revision DESC LIMIT 1");
}

/// <summary>The entries of a closed receipt, as they are kept.</summary>
internal static class ReceiptBody
{
    private static readonly JsonSerializerOptions Options = new() { IgnoreReadOnlyProperties = true, Converters = { new JsonStringEnumConverter(), new UidJson() } };

    public static string Write(IReadOnlyList<LeaseView> entries) => JsonSerializer.Serialize(entries, Options);

    public static IReadOnlyList<LeaseView> Read(string body) => JsonSerializer.Deserialize<List<LeaseView>>(body, Options) ?? [];

    private sealed class UidJson : JsonConverter<Uid>
    {
        public override Uid Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Uid.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, Uid value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
