using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Protection;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>
/// Between a lease and its row. The handle stays as it is: in the writer a lease carries it encrypted, so that a key is never asked for while a
/// transaction is open.
/// </summary>
internal static class LeaseMapping
{
    private static readonly JsonSerializerOptions AskedJson = new() { IgnoreReadOnlyProperties = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    public static LeaseRow ToRow(Lease lease) => ToRow(lease, lease.Handle is null ? null : Encoding.Latin1.GetBytes(lease.Handle.Value));

    public static Lease ToLease(LeaseRow row) => new()
    {
        Id = row.Id,
        TaskId = row.TaskId,
        TaskPath = row.TaskPath,
        Gates = new LeaseGates(
            new Gate(row.SourceUid, row.SourceSuspension), new Gate(row.WorkloadUid, row.WorkloadSuspension),
            new Gate(row.ProviderUid, row.ProviderSuspension), new Gate(row.RoleUid, row.RoleSuspension)),
        ProviderVersion = row.ProviderVersion,
        RoleVersion = row.RoleVersion,
        RoleName = row.RoleName,
        RoleKind = row.RoleKind,
        WorkloadName = row.WorkloadName,
        ExternalName = row.ExternalName,
        TargetIdentity = row.TargetIdentity,
        Local = row.Local,
        Revocability = new Revocability(row.RevocabilityKind, row.SettlesWithin, row.Residual),
        Group = row.GroupUid is { } group ? new LeaseGroup(group, row.ExclusiveGroup ?? "", row.GroupCapacity ?? 0) : null,
        MarkKeyId = row.MarkKeyId,
        CanMint = row.CanMint,
        ParametersJson = row.ParametersJson,
        DecisionId = row.DecisionId,
        Asked = row.Asked.Length > 0 ? JsonSerializer.Deserialize<LeaseAsked>(row.Asked, AskedJson)! : LeaseAsked.Unknown,
        IssueDeadline = row.IssueDeadline,
        LateEffect = row.LateEffect,
        ReservedAt = row.ReservedAt,
        MaxExpiresAt = row.MaxExpiresAt,
        Supersedes = row.Supersedes,
        ExpiresAt = row.ExpiresAt,
        PossibleDeathAt = row.PossibleDeathAt,
        State = row.State,
        Version = row.Version,
        Fence = row.Fence,
        DueAt = row.DueAt,
        Lane = row.Lane,
        IssueAnswered = row.IssueAnswered,
        Handle = row.Handle is null ? null : new Handle(Encoding.Latin1.GetString(row.Handle)),
        ActivatedAt = row.ActivatedAt,
        RevokingAt = row.RevokingAt,
        FirstAttemptAt = row.FirstAttemptAt,
        ClosedAt = row.ClosedAt,
        EndReason = row.EndReason,
        EndDecisionId = row.EndDecisionId,
        Evidence = row.EvidenceKind is null ? null : new Evidence(row.EvidenceKind, row.EvidenceText ?? "", row.EvidenceAt!.Value),
        Asserted = row.Asserted,
        Attempts = row.Attempts,
        LastError = row.ErrorFault is null ? null : new AttemptError(row.ErrorFault.Value, row.ErrorWords ?? "", row.ErrorAt!.Value),
        SupersededBy = row.SupersededBy,
    };

    private static LeaseRow ToRow(Lease lease, byte[]? handle) => new()
    {
        Id = lease.Id,
        TaskId = lease.TaskId,
        TaskPath = lease.TaskPath,
        SourceUid = lease.Gates.Source.Uid,
        SourceSuspension = lease.Gates.Source.Suspension,
        WorkloadUid = lease.Gates.Workload.Uid,
        WorkloadSuspension = lease.Gates.Workload.Suspension,
        ProviderUid = lease.Gates.Provider.Uid,
        ProviderSuspension = lease.Gates.Provider.Suspension,
        RoleUid = lease.Gates.Role.Uid,
        RoleSuspension = lease.Gates.Role.Suspension,
        ProviderVersion = lease.ProviderVersion,
        RoleVersion = lease.RoleVersion,
        RoleName = lease.RoleName,
        RoleKind = lease.RoleKind,
        WorkloadName = lease.WorkloadName,
        ExternalName = lease.ExternalName,
        TargetIdentity = lease.TargetIdentity,
        Local = lease.Local,
        RevocabilityKind = lease.Revocability.Kind,
        SettlesWithin = lease.Revocability.SettlesWithin,
        Residual = lease.Revocability.Residual,
        GroupUid = lease.Group?.Id,
        ExclusiveGroup = lease.Group?.Name,
        GroupCapacity = lease.Group?.Capacity,
        MarkKeyId = lease.MarkKeyId,
        CanMint = lease.CanMint,
        ParametersJson = lease.ParametersJson,
        DecisionId = lease.DecisionId,
        Asked = lease.Asked.IsKnown ? JsonSerializer.Serialize(lease.Asked, AskedJson) : "",
        IssueDeadline = lease.IssueDeadline,
        LateEffect = lease.LateEffect,
        ReservedAt = lease.ReservedAt,
        MaxExpiresAt = lease.MaxExpiresAt,
        Supersedes = lease.Supersedes,
        ExpiresAt = lease.ExpiresAt,
        PossibleDeathAt = lease.PossibleDeathAt,
        State = lease.State,
        Version = lease.Version,
        Fence = lease.Fence,
        DueAt = lease.DueAt,
        Lane = lease.Lane,
        IssueAnswered = lease.IssueAnswered,
        Handle = handle,
        HandleKey = HandleProtection.KeyOf(handle),
        ActivatedAt = lease.ActivatedAt,
        RevokingAt = lease.RevokingAt,
        FirstAttemptAt = lease.FirstAttemptAt,
        ClosedAt = lease.ClosedAt,
        EndReason = lease.EndReason,
        EndDecisionId = lease.EndDecisionId,
        EvidenceKind = lease.Evidence?.Kind,
        EvidenceText = lease.Evidence?.Text,
        EvidenceAt = lease.Evidence?.ObservedAt,
        Asserted = lease.Asserted,
        Attempts = lease.Attempts,
        ErrorFault = lease.LastError?.Fault,
        ErrorWords = lease.LastError?.Words,
        ErrorAt = lease.LastError?.At,
        SupersededBy = lease.SupersededBy,
    };
}
