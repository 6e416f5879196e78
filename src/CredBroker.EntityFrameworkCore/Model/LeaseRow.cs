using CredBroker.Abstractions;
using CredBroker.Core.Leases;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>A lease as it is stored: <see cref="Lease"/>, flat, its handle encrypted.</summary>
public sealed class LeaseRow
{
    public Uid Id { get; set; }
    public Uid TaskId { get; set; }
    public string TaskPath { get; set; } = "";
    public Uid SourceUid { get; set; }
    public long SourceSuspension { get; set; }
    public Uid WorkloadUid { get; set; }
    public long WorkloadSuspension { get; set; }
    public Uid ProviderUid { get; set; }
    public long ProviderSuspension { get; set; }
    public Uid RoleUid { get; set; }
    public long RoleSuspension { get; set; }
    public long ProviderVersion { get; set; }
    public long RoleVersion { get; set; }
    public string RoleName { get; set; } = "";
    public string RoleKind { get; set; } = "";
    public string WorkloadName { get; set; } = "";
    public string ExternalName { get; set; } = "";
    public string TargetIdentity { get; set; } = "";
    public bool Local { get; set; }
    public RevocabilityKind RevocabilityKind { get; set; }
    public TimeSpan SettlesWithin { get; set; }
    public string Residual { get; set; } = "";
    public bool CanMint { get; set; }
    public string ParametersJson { get; set; } = "";
    public Uid DecisionId { get; set; }

    /// <summary>What policy was asked with, as JSON; empty where nothing is known.</summary>
    public string Asked { get; set; } = "";

    public DateTimeOffset IssueDeadline { get; set; }
    public TimeSpan LateEffect { get; set; }
    public DateTimeOffset ReservedAt { get; set; }
    public DateTimeOffset MaxExpiresAt { get; set; }
    public Uid? Supersedes { get; set; }

    /// <summary>What identifies the group whose document the lease shares; null for one that stands alone.</summary>
    public Uid? GroupUid { get; set; }

    /// <summary>The group's name, as the target knows it.</summary>
    public string? ExclusiveGroup { get; set; }

    /// <summary>How many the group's document had room for when the lease was reserved.</summary>
    public int? GroupCapacity { get; set; }

    /// <summary>Which wrapping key the mark at the target was made with; empty where there is none, or it is not known.</summary>
    public string MarkKeyId { get; set; } = "";

    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset PossibleDeathAt { get; set; }
    public LeaseState State { get; set; }
    public long Version { get; set; }
    public long Fence { get; set; }
    public DateTimeOffset? DueAt { get; set; }
    public Lane Lane { get; set; }
    public bool IssueAnswered { get; set; }
    public byte[]? Handle { get; set; }

    /// <summary>Which key of the ring the handle is encrypted with: it must not be looked for in the handles of all that live.</summary>
    public Uid? HandleKey { get; set; }

    public DateTimeOffset? ActivatedAt { get; set; }
    public DateTimeOffset? RevokingAt { get; set; }
    public DateTimeOffset? FirstAttemptAt { get; set; }
    public DateTimeOffset? ClosedAt { get; set; }
    public EndReason? EndReason { get; set; }
    public Uid? EndDecisionId { get; set; }
    public string? EvidenceKind { get; set; }
    public string? EvidenceText { get; set; }
    public DateTimeOffset? EvidenceAt { get; set; }
    public bool Asserted { get; set; }
    public int Attempts { get; set; }
    public ProviderFault? ErrorFault { get; set; }
    public string? ErrorWords { get; set; }
    public DateTimeOffset? ErrorAt { get; set; }
    public Uid? SupersededBy { get; set; }

    /// <summary>The columns that a transition may change. The others are not even named in the statement, so that their indexes are left alone.</summary>
    internal static readonly string[] Mutable =
    [
        nameof(ExpiresAt), nameof(PossibleDeathAt), nameof(State), nameof(Version), nameof(Fence), nameof(DueAt), nameof(Lane), nameof(IssueAnswered), nameof(Handle), nameof(HandleKey),
        nameof(ActivatedAt), nameof(RevokingAt), nameof(FirstAttemptAt), nameof(ClosedAt), nameof(EndReason), nameof(EndDecisionId), nameof(EvidenceKind), nameof(EvidenceText),
        nameof(EvidenceAt), nameof(Asserted), nameof(Attempts), nameof(ErrorFault), nameof(ErrorWords), nameof(ErrorAt), nameof(SupersededBy),
    ];
}
