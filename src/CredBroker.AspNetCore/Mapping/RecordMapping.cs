using System.Globalization;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Contracts.V1;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Workloads;
using AuditEvent = CredBroker.Contracts.V1.AuditEvent;
using Decision = CredBroker.Contracts.V1.Decision;
using PolicyDecision = CredBroker.Core.Policies.Decision;
using DomainEvent = CredBroker.Core.Audit.AuditEvent;
using DomainReceipt = CredBroker.Core.Receipts.Receipt;
using Receipt = CredBroker.Contracts.V1.Receipt;
using Suspension = CredBroker.Contracts.V1.Suspension;
using Workload = CredBroker.Contracts.V1.Workload;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>What is only read: receipts, workloads, suspensions, events and decisions.</summary>
internal static class RecordMapping
{
    public static Receipt ToProto(this DomainReceipt receipt, IReadOnlyDictionary<Uid, DomainEvent> decisions) => new()
    {
        Name = $"tasks/{receipt.Task.Id}/receipt",
        Task = $"tasks/{receipt.Task.Id}",
        Revision = receipt.Revision,
        State = receipt.Closed ? Receipt.Types.State.Closed : Receipt.Types.State.Open,
        Outcome = receipt.Task.Outcome.ToProto(),
        EndReason = receipt.Task.EndReason.ToProto(),
        TaskCreateTime = receipt.Task.CreatedAt.ToProto(),
        TaskEndTime = receipt.Task.EndedAt.ToProto(),
        CreateTime = receipt.At.ToProto(),
        Leases = { receipt.Entries.Select(entry => ToProto(entry, decisions.GetValueOrDefault(entry.Lease.DecisionId))) },
        ChildReceipts = { receipt.Children.Select(child => $"tasks/{child}/receipt") },
        PossibleDeathTime = receipt.Entries.Where(entry => entry.Lease.Unproven).Select(entry => (DateTimeOffset?)entry.Lease.PossibleDeathAt).Max().ToProto(),
    };

    public static Workload ToProto(this WorkloadService.Shown shown)
    {
        var workload = shown.Workload;
        return new Workload
        {
            Name = $"workloads/{workload.Uid}",
            Uid = workload.Uid.ToString(),
            IdentitySource = $"identitySources/{workload.SourceName}",
            Subject = workload.Subject,
            StableIds = { workload.StableIds.ToDictionary() },
            RefusedStableIds = { workload.RefusedStableIds?.ToDictionary() ?? [] },
            FirstSeenTime = workload.FirstSeenAt.ToProto(),
            LastSeenTime = workload.LastSeenAt.ToProto(),
            ActiveLeaseCount = (int)Math.Min(shown.Held, int.MaxValue),
            Suspended = shown.Suspended,
        };
    }

    public static Suspension ToProto(this SuspensionService.Counted counted, DateTimeOffset now)
    {
        var suspension = counted.Suspension;
        return new Suspension
        {
            Name = $"suspensions/{suspension.Id}",
            Uid = suspension.Id.ToString(),
            Target = suspension.TargetName,
            Reason = suspension.Reason,
            ExpireTime = suspension.Until.ToProto(),
            Generation = suspension.Generation,
            CreateTime = suspension.CreatedAt.ToProto(),
            SuspendedBy = NameOf(suspension.By),
            LiftedTime = suspension.LiftedAt.ToProto(),
            Active = suspension.Generation > 0 && suspension.LiftedAt is null && !(suspension.Until <= now),
            UnprovenLeases = counted.Held,
        };
    }

    public static AuditEvent ToProto(this DomainEvent @event) => new()
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"auditEvents/{@event.Writer}-{@event.Sequence}"),
        Writer = @event.Writer.ToString(),
        Seq = @event.Sequence,
        PrevHash = Convert.ToHexStringLower(@event.PreviousHash),
        Hash = Convert.ToHexStringLower(@event.Hash),
        Time = @event.At.ToProto(),
        Type = @event.Draft.Type,
        Principal = NameOf(@event.Draft.By),
        Task = @event.Draft.TaskId is { } task ? $"tasks/{task}" : "",
        Lease = LeaseNameOf(@event.Draft),
        Resource = @event.Draft.Resource.Length > 0 ? @event.Draft.Resource : @event.Draft.DecisionId is { } decision ? $"decisions/{decision}" : "",
        Detail = WithTexts(@event.Draft).ToStruct(),
    };

    // What was erased is missing beside its hash.
    private static JsonObject WithTexts(AuditDraft draft)
    {
        if (draft.Texts.Count == 0) return draft.Detail;
        var detail = (JsonObject)draft.Detail.DeepClone();
        // What was asked is in the decision itself.
        foreach (var (name, text) in draft.Texts.Where(text => draft.Type != AuditTypes.Decision || text.Key != PolicyDecision.QuestionText)) detail[name] = text;
        return detail;
    }

    /// <summary>The decision that its event records.</summary>
    public static Decision ToDecision(this DomainEvent @event, bool withQuestion)
    {
        var detail = @event.Draft.Detail;
        return new Decision
        {
            Name = $"decisions/{@event.Draft.DecisionId}",
            Uid = @event.Draft.DecisionId?.ToString() ?? "",
            CreateTime = @event.At.ToProto(),
            Principal = TextIn(detail, "principal"),
            Action = TextIn(detail, "action"),
            Resource = TextIn(detail, "resource"),
            Task = @event.Draft.TaskId is { } task ? $"tasks/{task}" : "",
            Lease = LeaseNameOf(@event.Draft),
            Effect = detail["allowed"]?.GetValue<bool>() == true ? Decision.Types.Effect.Permit : Decision.Types.Effect.Forbid,
            Policies = { ListIn(detail, "policies").Select(PolicyOf) },
            Errors = { ListIn(detail, "errors") },
            MaxTtl = DurationConverter.TryParse(TextIn(detail, "max_ttl"), out var life) ? ((TimeSpan?)life).ToProto() : null,
            PolicyHash = TextIn(detail, "policy_hash"),
            InputHash = TextIn(detail, "input_hash"),
            Question = withQuestion ? @event.Draft.Texts.GetValueOrDefault(PolicyDecision.QuestionText, "") : "",
            Context = (detail["input"] as JsonObject ?? []).ToStruct(),
        };
    }

    /// <summary>Who caused something, as the contract calls it.</summary>
    public static string NameOf(Actor actor) => actor.Kind == actor.Name ? actor.Name : $"{actor.Kind}:{actor.Name}";

    public static MyRole ToProto(this ObtainableRole obtainable) => new()
    {
        Role = ResourceTypes.Role.NameOf(obtainable.Role.Name, obtainable.Provider.Name),
        Kind = obtainable.Role.Spec.Kind,
        Sensitivity = obtainable.Role.Spec.Sensitivity,
        MaxTtl = ((TimeSpan?)obtainable.Role.Spec.MaxTtl).ToProto(),
        Answer = obtainable.IsCertain ? MyRole.Types.Answer.Allowed : MyRole.Types.Answer.Depends,
        Policies = { obtainable.Policies.Select(PolicyOf) },
    };

    private static ReceiptLease ToProto(LeaseView view, DomainEvent? decision)
    {
        var lease = view.Lease;
        var proven = lease.State is LeaseState.Revoked or LeaseState.Expired && !lease.Asserted ? lease.ClosedAt : null;
        var since = view.Effective.Since;
        return new ReceiptLease
        {
            Lease = LeaseMapping.NameOf(lease.TaskId.ToString(), lease.Id.ToString()),
            Role = lease.RoleName,
            State = lease.State.ToProto(),
            IssueTime = lease.ActivatedAt.ToProto(),
            UsableUntil = lease.ActivatedAt is null ? null : (since ?? lease.ExpiresAt).ToProto(),
            DeadInEffectTime = since.ToProto(),
            ProvenDeadTime = proven.ToProto(),
            TimeToDead = proven is { } dead && since is { } from && dead >= from ? ((TimeSpan?)(dead - from)).ToProto() : null,
            Evidence = lease.Evidence?.ToProto(lease.Asserted),
            EndReason = lease.EndReason.ToProto(),
            Revocability = lease.Revocability.Kind.ToProto(),
            Residual = lease.Revocability.Residual,
            CanMint = lease.CanMint,
            Decision = $"decisions/{lease.DecisionId}",
            DecisionHash = decision is null ? "" : TextIn(decision.Draft.Detail, "input_hash"),
            PolicyHash = decision is null ? "" : TextIn(decision.Draft.Detail, "policy_hash"),
            EndDecision = lease.EndDecisionId is { } end ? $"decisions/{end}" : "",
            Group = lease.Group?.Name ?? "",
        };
    }

    private static string LeaseNameOf(AuditDraft draft) =>
        draft is { LeaseId: { } lease } ? LeaseMapping.NameOf(draft.TaskId?.ToString() ?? "-", lease.ToString()) : "";

    private static DecidingPolicy PolicyOf(string id)
    {
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        return new DecidingPolicy { PolicySet = $"policySets/{id[..slash]}", Policy = id[(slash + 1)..] };
    }

    private static string TextIn(JsonObject detail, string name) => detail[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    private static IEnumerable<string> ListIn(JsonObject detail, string name) => detail[name] is JsonArray array ? array.Select(item => item?.ToString() ?? "") : [];
}
