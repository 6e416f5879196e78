using CredBroker.Abstractions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Receipts;

/// <summary>Shows receipts to those who may see the task.</summary>
public sealed class ReceiptService(IReceiptStore receipts, TaskAccess access)
{
    /// <summary>The latest revision, or a given one.</summary>
    public async Task<Result<Receipt>> GetAsync(Caller caller, Uid task, int? revision, CancellationToken cancellationToken)
    {
        var seen = await access.ToSeeAsync(caller, task, cancellationToken);
        if (seen is not Result<AgentTask>.Ok { Value: var found }) return Errors.NotFound("receipt");
        if (found.EndedAt is null) return new BrokerError(Reasons.TaskRunning, "The task still runs: its receipt begins when it ends.");
        return await receipts.FindAsync(task, revision, cancellationToken) is { } receipt ? receipt : Errors.NotFound("receipt");
    }
}
