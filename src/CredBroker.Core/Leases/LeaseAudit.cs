using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Leases;

/// <summary>What the audit trail says of a lease's step: derived from the step, so that no caller can forget it.</summary>
public static class LeaseAudit
{
    /// <summary>The events of a reservation: a local lease is active with it.</summary>
    public static IEnumerable<AuditDraft> OfReserved(Lease lease, Actor by)
    {
        ArgumentNullException.ThrowIfNull(lease);
        var detail = new JsonObject { ["external_name"] = lease.ExternalName, ["possible_death_at"] = Text(lease.PossibleDeathAt), ["supersedes"] = lease.Supersedes?.ToString() };
        if (lease.Group is { } group) detail["group"] = group.Name;
        yield return new AuditDraft(AuditTypes.LeaseReserved, by)
        {
            TaskId = lease.TaskId,
            LeaseId = lease.Id,
            DecisionId = lease.DecisionId,
            Resource = lease.RoleName,
            Detail = detail,
        };
        if (lease.State != LeaseState.Active) yield break;
        yield return new AuditDraft(AuditTypes.LeaseActivated, by)
        {
            TaskId = lease.TaskId,
            LeaseId = lease.Id,
            Resource = lease.RoleName,
            Detail = new JsonObject
            {
                ["from"] = Name(LeaseState.Pending),
                ["to"] = Name(LeaseState.Active),
                ["expires_at"] = Text(lease.ExpiresAt),
                ["possible_death_at"] = Text(lease.PossibleDeathAt),
            },
        };
    }

    /// <summary>The event of a step; null when the step only repeats what was told before.</summary>
    public static AuditDraft? Of(Lease before, Lease after, LeaseEvent @event, Actor by)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var detail = new JsonObject { ["from"] = Name(before.State), ["to"] = Name(after.State) };
        var type = TypeOf(before, after, @event, detail);
        if (type is null) return null;
        return new AuditDraft(type, by)
        {
            TaskId = after.TaskId,
            LeaseId = after.Id,
            DecisionId = @event is LeaseEvent.Ended ? after.EndDecisionId : null,
            Resource = after.RoleName,
            Detail = detail,
            Texts = TextsOf(after, @event),
        };
    }

    /// <summary>A state's name in the trail.</summary>
    public static string Name(LeaseState state) => state.ToString().ToLowerInvariant();

    // A provider's own words, and a person's: apart, so that they can be erased.
    private static ImmutableDictionary<string, string> TextsOf(Lease after, LeaseEvent @event)
    {
        var none = ImmutableDictionary<string, string>.Empty;
        return @event switch
        {
            LeaseEvent.Settling settling => none.Add("waits_for", settling.Reason),
            LeaseEvent.ProvenGone or LeaseEvent.ProvenExpired or LeaseEvent.WrittenOff when !after.Unproven => none.Add("evidence_text", after.Evidence!.Text),
            _ => none,
        };
    }

    private static string? TypeOf(Lease before, Lease after, LeaseEvent @event, JsonObject detail)
    {
        if (after.State == LeaseState.Revoking && before.State is LeaseState.Revoked or LeaseState.Expired or LeaseState.Void)
            return AuditTypes.LeaseReappeared;
        if (after.State == LeaseState.Revoking && before.State is LeaseState.Pending or LeaseState.Active)
        {
            detail["reason"] = after.EndReason.ToString();
            if (after.LastError is { } error) detail["fault"] = error.Fault.ToString();
            return AuditTypes.LeaseRevoking;
        }

        switch (@event)
        {
            case LeaseEvent.Issued:
                detail["expires_at"] = Text(after.ExpiresAt);
                detail["possible_death_at"] = Text(after.PossibleDeathAt);
                return after.State == LeaseState.Active ? AuditTypes.LeaseActivated : AuditTypes.LeaseAnsweredLate;
            case LeaseEvent.HandleRecorded:
                return AuditTypes.LeaseHandleRecorded;
            case LeaseEvent.NothingMade when after.State == LeaseState.Void:
                if (after.LastError is { } cause) detail["fault"] = cause.Fault.ToString();
                return AuditTypes.LeaseVoid;
            case LeaseEvent.AttemptFailed failed:
                // An attempt is told when its outcome changes; repeats are a counter on the lease.
                if (before.LastError?.Fault == failed.Error.Fault && before.Lane == after.Lane) return null;
                detail["fault"] = failed.Error.Fault.ToString();
                detail["attempts"] = after.Attempts;
                detail["slow"] = after.Lane == Lane.Slow;
                return AuditTypes.LeaseAttemptFailed;
            case LeaseEvent.Settling settling:
                detail["until"] = Text(settling.Until);
                return AuditTypes.LeaseSettling;
            case LeaseEvent.ProvenGone or LeaseEvent.ProvenExpired or LeaseEvent.WrittenOff when !after.Unproven:
                detail["evidence"] = after.Evidence!.Kind;
                detail["observed_at"] = Text(after.Evidence.ObservedAt);
                return @event is LeaseEvent.WrittenOff ? AuditTypes.LeaseWrittenOff
                    : after.State == LeaseState.Revoked ? AuditTypes.LeaseRevoked : AuditTypes.LeaseExpired;
            case LeaseEvent.FoundAlive:
                detail["expires_at"] = Text(after.ExpiresAt);
                detail["possible_death_at"] = Text(after.PossibleDeathAt);
                return AuditTypes.LeaseFoundAlive;
            case LeaseEvent.RenewalIntended:
                detail["possible_death_at"] = Text(after.PossibleDeathAt);
                return AuditTypes.LeaseRenewalIntended;
            case LeaseEvent.Renewed:
                detail["expires_at"] = Text(after.ExpiresAt);
                return AuditTypes.LeaseRenewed;
            default:
                return null;
        }
    }

    private static string Text(DateTimeOffset instant) => instant.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
