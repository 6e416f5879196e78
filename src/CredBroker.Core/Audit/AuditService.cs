using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Audit;

/// <summary>Shows the audit trail: one task's story to those who may see the task, all of it to auditors.</summary>
public sealed class AuditService(IAuditLog log, TaskAccess access, Decider decider)
{
    /// <summary>A page of events in the order of time.</summary>
    public async Task<Result<Page<AuditEvent>>> ListAsync(Caller caller, AuditQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Task is { } task)
        {
            if (await access.ToSeeAsync(caller, task, cancellationToken) is Result<AgentTask>.Refused { Error: var error }) return error;
        }
        else if (!decider.MaySeeAll(caller))
        {
            return Errors.Denied("read the audit trail");
        }

        return await log.ListAsync(query, page, cancellationToken);
    }

    /// <summary>One event.</summary>
    public async Task<Result<AuditEvent>> GetAsync(Caller caller, Uid writer, long sequence, CancellationToken cancellationToken)
    {
        var found = await log.FindAsync(writer, sequence, cancellationToken);
        return found is not null && await MaySeeAsync(caller, found, cancellationToken) ? found : Errors.NotFound("audit event");
    }

    /// <summary>The event of one decision.</summary>
    public async Task<Result<AuditEvent>> GetDecisionAsync(Caller caller, Uid decision, CancellationToken cancellationToken)
    {
        var page = await log.ListAsync(new AuditQuery { Decision = decision, Types = [AuditTypes.Decision] }, new PageRequest(1, null), cancellationToken);
        return page.Items is [var found] && await MaySeeAsync(caller, found, cancellationToken) ? found : Errors.NotFound("decision");
    }

    private async Task<bool> MaySeeAsync(Caller caller, AuditEvent found, CancellationToken cancellationToken) =>
        decider.MaySeeAll(caller)
        || found.Draft.By.Name == caller.Workload.Name
        || (found.Draft.TaskId is { } task && await access.ToSeeAsync(caller, task, cancellationToken) is Result<AgentTask>.Ok);
}
