using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Audit;

/// <summary>Shows the audit trail: one task's story to those who may see the task, all of it to auditors.</summary>
public sealed class AuditService(IAuditLog log, TaskAccess access, Decider decider)
{
    private static readonly string[] Owners = ["allowed", "action", "principal", "resource", "policy_hash", "input_hash", "max_ttl"];

    /// <summary>A page of events in the order of time.</summary>
    public async Task<Result<Page<AuditEvent>>> ListAsync(Caller caller, AuditQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var reads = decider.MaySeeAll(caller);
        if (query.Task is { } id)
        {
            var seen = await access.ToSeeAsync(caller, id, cancellationToken);
            if (seen is not Result<AgentTask>.Ok { Value: var task }) return ((Result<AgentTask>.Refused)seen).Error;
            reads = reads || decider.Audit(caller, task).Allowed;
        }
        else if (!reads)
        {
            return Errors.Denied("read the audit trail");
        }

        var found = await log.ListAsync(query, page, cancellationToken);
        return reads ? found : found with { Items = [.. found.Items.Select(ToAnOwner)] };
    }

    /// <summary>One event.</summary>
    public async Task<Result<AuditEvent>> GetAsync(Caller caller, Uid writer, long sequence, CancellationToken cancellationToken)
    {
        var found = await log.FindAsync(writer, sequence, cancellationToken);
        return (found is null ? null : await ShowAsync(caller, found, cancellationToken)) is { } shown ? shown : Errors.NotFound("audit event");
    }

    /// <summary>The event of one decision.</summary>
    public async Task<Result<AuditEvent>> GetDecisionAsync(Caller caller, Uid decision, CancellationToken cancellationToken)
    {
        var page = await log.ListAsync(new AuditQuery { Decision = decision, Types = [AuditTypes.Decision] }, new PageRequest(1, null), cancellationToken);
        return (page.Items is [var found] ? await ShowAsync(caller, found, cancellationToken) : null) is { } shown ? shown : Errors.NotFound("decision");
    }

    /// <summary>The event as the caller may see it; null if it may not.</summary>
    private async Task<AuditEvent?> ShowAsync(Caller caller, AuditEvent found, CancellationToken cancellationToken)
    {
        if (decider.MaySeeAll(caller)) return found;
        if (found.Draft.TaskId is { } id && await access.ToSeeAsync(caller, id, cancellationToken) is Result<AgentTask>.Ok { Value: var task })
            return decider.Audit(caller, task).Allowed ? found : ToAnOwner(found);
        return found.Draft.By == caller.Actor ? ToAnOwner(found) : null;
    }

    // Who asked learns what was decided. Policies' names, and what would tell a role that is denied from one that is absent, are for those who may audit;
    // the event's hash covers them all the same.
    private static AuditEvent ToAnOwner(AuditEvent found) => found.Draft.Type != AuditTypes.Decision ? found : found with
    {
        Draft = found.Draft with { Texts = ImmutableDictionary<string, string>.Empty, Detail = new JsonObject(found.Draft.Detail.Where(member => Owners.Contains(member.Key)).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))) },
    };
}
