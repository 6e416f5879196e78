using CredBroker.Abstractions;
using CredBroker.Core.Leases;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>A document at a target that several leases share: who may write it, and until when.</summary>
public sealed class GroupRow
{
    public Uid Uid { get; set; }
    public string TargetIdentity { get; set; } = "";
    public string Name { get; set; } = "";

    /// <summary>Grows with every claim.</summary>
    public long Fence { get; set; }

    /// <summary>Until when the last claim holds.</summary>
    public DateTimeOffset Until { get; set; }

    /// <summary>Everything issued before this instant of the target's clock is denied by the document, as the target last told; null when it never overflowed.</summary>
    public DateTimeOffset? DeniedBefore { get; set; }

    /// <summary>What was reserved before is dead at the target since the document overflowed, and has still to be ended here; null when nothing has.</summary>
    public DateTimeOffset? KilledBefore { get; set; }

    internal static GroupRow Of(string targetIdentity, LeaseGroup group) =>
        new() { Uid = group.Id, TargetIdentity = targetIdentity, Name = group.Name, Until = DateTimeOffset.UnixEpoch };
}
