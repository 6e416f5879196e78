using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;

namespace CredBroker.Core.Receipts;

/// <summary>The statement of what a task held, and when and how each thing died. Open from the task's end, closed with its last lease.</summary>
/// <param name="Task">The task.</param>
/// <param name="Revision">Odd while open, even once closed; what reappears opens the next.</param>
/// <param name="Closed">Whether everything is proven dead.</param>
/// <param name="At">When this revision was made.</param>
/// <param name="Entries">What it held.</param>
/// <param name="Children">The child tasks, which have receipts of their own.</param>
public sealed record Receipt(AgentTask Task, int Revision, bool Closed, DateTimeOffset At, IReadOnlyList<LeaseView> Entries, IReadOnlyList<Uid> Children);

/// <summary>
/// The receipts. The store closes one in the transaction that proves the task's last lease dead (or ends a task that holds none), and keeps what it said when
/// something reappears; the latest one is made from the leases when it is read.
/// </summary>
public interface IReceiptStore
{
    /// <summary>The latest revision, or a given one; null while the task runs, or if there is none.</summary>
    Task<Receipt?> FindAsync(Uid task, int? revision, CancellationToken cancellationToken);
}
