using System.Text.Json;
using CredBroker.Contracts.V1;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using DomainEvidence = CredBroker.Abstractions.Evidence;
using EndReason = CredBroker.Core.Leases.EndReason;
using LeaseGroup = CredBroker.Contracts.V1.LeaseGroup;
using Lease = CredBroker.Contracts.V1.Lease;
using Revocability = CredBroker.Contracts.V1.Revocability;
using RevocabilityKind = CredBroker.Abstractions.RevocabilityKind;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Leases between the contract and the domain.</summary>
internal static class LeaseMapping
{
    /// <param name="view">The lease.</param>
    /// <param name="withWords">Whether the provider's own words are shown: to those who administer or audit alone.</param>
    public static Lease ToProto(this LeaseView view, bool withWords)
    {
        var lease = view.Lease;
        return new Lease
        {
            Name = NameOf(lease.TaskId.ToString(), lease.Id.ToString()),
            Uid = lease.Id.ToString(),
            Task = $"tasks/{lease.TaskId}",
            Role = lease.RoleName,
            Provider = string.Join('/', lease.RoleName.Split('/').Take(2)),
            Workload = $"workloads/{lease.Gates.Workload.Uid}",
            State = lease.State.ToProto(),
            EffectiveState = view.Effective.Live ? Lease.Types.EffectiveState.Live : Lease.Types.EffectiveState.Dead,
            EffectiveReason = view.Effective.Reason.ToProto(),
            Revocability = lease.Revocability.Kind.ToProto(),
            Residual = lease.Revocability.Residual,
            CanMint = lease.CanMint,
            Group = lease.Group is { } group ? new LeaseGroup { Name = group.Name, Capacity = group.Capacity } : null,
            ExternalName = lease.ExternalName,
            TargetIdentity = lease.TargetIdentity,
            Parameters = { JsonSerializer.Deserialize<Dictionary<string, string>>(lease.ParametersJson)! },
            Decision = $"decisions/{lease.DecisionId}",
            ReserveTime = lease.ReservedAt.ToProto(),
            ActivateTime = lease.ActivatedAt.ToProto(),
            ExpireTime = lease.ExpiresAt.ToProto(),
            PossibleDeathTime = lease.PossibleDeathAt.ToProto(),
            MaxExpireTime = lease.MaxExpiresAt.ToProto(),
            DeadInEffectTime = view.Effective.Since.ToProto(),
            RevokeStartTime = (lease.FirstAttemptAt ?? lease.RevokingAt).ToProto(),
            DeadTime = lease.State is LeaseState.Revoked or LeaseState.Expired && !lease.Asserted ? lease.ClosedAt.ToProto() : null,
            EndReason = lease.EndReason.ToProto(),
            EndDecision = lease.EndDecisionId is { } end ? $"decisions/{end}" : "",
            Attempts = lease.Attempts,
            NextAttemptTime = lease.State == LeaseState.Revoking ? lease.DueAt.ToProto() : null,
            LastError = lease.LastError?.ToProto(withWords),
            Evidence = lease.Evidence?.ToProto(lease.Asserted),
            SupersededLease = lease.Supersedes is { } earlier ? NameOf(lease.TaskId.ToString(), earlier.ToString()) : "",
            SupersededBy = lease.SupersededBy is { } later ? NameOf(lease.TaskId.ToString(), later.ToString()) : "",
        };
    }

    public static IssueLeaseResponse ToProto(this IssuedLease issued) => new()
    {
        Lease = issued.Lease.ToProto(withWords: false),
        Credential = Credential.Of(issued.Credential.Select(pair => KeyValuePair.Create(pair.Key, new CredentialField { Value = pair.Value.Value.Reveal(), MediaType = pair.Value.MediaType }))),
        ExpireTime = issued.Lease.Lease.ExpiresAt.ToProto(),
    };

    public static Evidence ToProto(this DomainEvidence evidence, bool asserted) =>
        new() { Kind = evidence.Kind, Text = evidence.Text, Time = evidence.ObservedAt.ToProto(), Asserted = asserted };

    public static Revocability ToProto(this RevocabilityKind kind) => kind switch
    {
        RevocabilityKind.DeletesAndCutsSessions => Revocability.DeletesAndCutsSessions,
        RevocabilityKind.Deletes => Revocability.Deletes,
        RevocabilityKind.DeniesWithin => Revocability.DeniesWithin,
        RevocabilityKind.ExpiresOnly => Revocability.ExpiresOnly,
        _ => Revocability.Unspecified,
    };

    public static Lease.Types.State ToProto(this LeaseState state) => state switch
    {
        LeaseState.Pending => Lease.Types.State.Pending,
        LeaseState.Active => Lease.Types.State.Active,
        LeaseState.Revoking => Lease.Types.State.Revoking,
        LeaseState.Revoked => Lease.Types.State.Revoked,
        LeaseState.Expired => Lease.Types.State.Expired,
        LeaseState.Void => Lease.Types.State.Void,
        _ => Lease.Types.State.Unspecified,
    };

    public static LeaseState ToDomain(this Lease.Types.State state) => (LeaseState)state;

    public static Lease.Types.EndReason ToProto(this EndReason? reason) => reason switch
    {
        EndReason.TaskEnded => Lease.Types.EndReason.TaskEnded,
        EndReason.Revoked => Lease.Types.EndReason.RevokeAsked,
        EndReason.Expired => Lease.Types.EndReason.TimeOut,
        EndReason.Suspended => Lease.Types.EndReason.Suspended,
        EndReason.NoLongerPermitted => Lease.Types.EndReason.NoLongerPermitted,
        EndReason.Superseded => Lease.Types.EndReason.Superseded,
        EndReason.Undelivered => Lease.Types.EndReason.Undelivered,
        EndReason.OutcomeUnknown => Lease.Types.EndReason.OutcomeUnknown,
        EndReason.Reappeared => Lease.Types.EndReason.Reappeared,
        EndReason.WrittenOff => Lease.Types.EndReason.WrittenOff,
        EndReason.GroupOverflowed => Lease.Types.EndReason.GroupOverflowed,
        EndReason.MissingAtTarget => Lease.Types.EndReason.MissingAtTarget,
        _ => Lease.Types.EndReason.Unspecified,
    };

    public static string NameOf(string task, string lease) => $"tasks/{task}/leases/{lease}";

    private static LeaseError ToProto(this AttemptError error, bool withWords) => new()
    {
        Kind = string.Concat(error.Fault.ToString().Select((c, i) => i > 0 && char.IsAsciiLetterUpper(c) ? $"_{c}" : char.ToUpperInvariant(c).ToString())),
        Message = withWords ? error.Words : "",
        Time = error.At.ToProto(),
    };
}
