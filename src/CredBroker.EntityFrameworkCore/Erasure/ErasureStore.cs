using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Erasure;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Receipts;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Erasure;

/// <summary>Erases, in the database.</summary>
internal sealed class ErasureStore(BrokerWriter writer) : IErasureStore
{
    // The root's lock: nothing of the task changes meanwhile.
    public Task<EraseOutcome> EraseAsync(Uid task, Actor by, CancellationToken cancellationToken) =>
        writer.WriteAsync(new LockSet { Tasks = [task], Exclusive = true }, session => EraseAsync(session, task, by), cancellationToken);

    private static async Task<EraseOutcome> EraseAsync(WriteSession session, Uid task, Actor by)
    {
        var (texts, labels, leases, events, beside) =
            (session.Tables.Texts.Name, session.Tables.Labels.Name, session.Tables.Leases.Name, session.Tables.Audit.Name, session.Tables.AuditTexts.Name);
        if (await session.FindAsync(session.Tables.Tasks, $"WHERE x.id = {task}") is not { } row) return new EraseOutcome.Unknown();
        if (row.EndedAt is null) return new EraseOutcome.Running();
        if (await session.CountAsync($"SELECT 1 FROM {leases} x WHERE x.task_id = {task} AND x.state <= 3 LIMIT 1") > 0) return new EraseOutcome.Unproven();

        var erased = await session.ExecuteAsync($"DELETE FROM {texts} WHERE owner_uid = {task}")
            + await session.ExecuteAsync($"DELETE FROM {labels} WHERE task_id = {task}")
            + await session.ExecuteAsync(
                $"DELETE FROM {beside} WHERE (writer, sequence) IN (SELECT x.writer, x.sequence FROM {events} x WHERE x.task_id = {task})")
            + await session.ExecuteAsync(
                $"UPDATE {leases} SET evidence_text = {""}, error_words = {""} WHERE task_id = {task} AND (evidence_text <> {""} OR error_words <> {""})")
            + await EraseReceiptsAsync(session, task);
        // What a dead lease was asked with serves nobody any more, and the caller's own word is in it.
        await session.ExecuteAsync($"UPDATE {leases} SET asked = {""} WHERE task_id = {task} AND asked <> {""}");
        // Asked again, it has nothing to tell.
        if (erased == 0) return new EraseOutcome.Erased(0);
        session.Audit(new AuditDraft(AuditTypes.TaskTextsErased, by) { TaskId = task, Resource = $"tasks/{task}", Detail = new() { ["texts"] = erased } });
        session.Erased = true;
        return new EraseOutcome.Erased(erased);
    }

    private static async Task<int> EraseReceiptsAsync(WriteSession session, Uid task)
    {
        var changed = 0;
        foreach (var receipt in await session.ListAsync(session.Tables.Receipts, $"WHERE x.task_id = {task} AND x.body IS NOT NULL ORDER BY x.revision"))
        {
            var body = ReceiptBody.Write([.. ReceiptBody.Read(receipt.Body!).Select(view => view with { Lease = WithoutTexts(view.Lease) })]);
            if (body == receipt.Body) continue;
            receipt.Body = body;
            changed += await session.UpdateAsync(session.Tables.Receipts, receipt, [nameof(ReceiptRow.Body)], $"task_id = {task} AND revision = {receipt.Revision}");
        }

        return changed;
    }

    private static Lease WithoutTexts(Lease lease) => lease with
    {
        Evidence = lease.Evidence is { } evidence ? evidence with { Text = "" } : null,
        LastError = lease.LastError is { } error ? error with { Words = "" } : null,
    };
}
