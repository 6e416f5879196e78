using CredBroker.Abstractions;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>A registered resource.</summary>
public sealed class RegistryRow
{
    public Uid Uid { get; set; }
    public ResourceKind Kind { get; set; }
    public string Name { get; set; } = "";
    public Uid? ParentUid { get; set; }
    public long Version { get; set; }
    public string SpecJson { get; set; } = "";
    public string ManagedBy { get; set; } = "";
    public string TargetIdentity { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>
/// What Reserve locks shared and re-reads: the configuration generation of a resource, and how often it was suspended. The row of the nil id
/// stands for the policies as a whole.
/// </summary>
public sealed class GateRow
{
    public Uid Uid { get; set; }
    public long Version { get; set; }
    public long Suspension { get; set; }
    public bool Suspended { get; set; }

    /// <summary>Of a provider: since when nothing is revoked on the word of stored time; null when it is in no quarantine.</summary>
    public DateTimeOffset? QuarantinedAt { get; set; }

    public QuarantineReason? QuarantineReason { get; set; }
}

/// <summary>The one row whose number grows with every change of registry and suspensions.</summary>
public sealed class GenerationRow
{
    public int Id { get; set; }
    public long Generation { get; set; }
}

/// <summary>A counter of what is not proven dead, or runs.</summary>
public sealed class CounterRow
{
    public string Key { get; set; } = "";
    public long Value { get; set; }
}

/// <summary>A caller's request id, settled.</summary>
public sealed class RequestRow
{
    public byte[] Key { get; set; } = [];
    public byte[] Body { get; set; } = [];
    public int Attempt { get; set; }

    /// <summary>The lease, or the task, that it made.</summary>
    public Uid Made { get; set; }

    public DateTimeOffset At { get; set; }
}

/// <summary>To whom the use of a secret belongs.</summary>
public sealed class SecretBindingRow
{
    public string ConsumerKind { get; set; } = "";
    public string ConsumerName { get; set; } = "";
    public string Source { get; set; } = "";
    public string Host { get; set; } = "";
    public Uid Uid { get; set; }
    public DateTimeOffset BoundAt { get; set; }
}

/// <summary>How reconciliation of a provider stands, and which node has it.</summary>
public sealed class ReconciliationRow
{
    public Uid ProviderUid { get; set; }
    public long Fence { get; set; }
    public DateTimeOffset? Until { get; set; }
    public DateTimeOffset DueAt { get; set; }
    public DateTimeOffset? CompleteAt { get; set; }

    /// <summary>What no lease knows and was made before is known to somebody: it puts the provider into no quarantine again.</summary>
    public DateTimeOffset? AcceptedAt { get; set; }

    /// <summary>What the last run found, as JSON; null before the first.</summary>
    public string? Report { get; set; }
}

/// <summary>A suspension.</summary>
public sealed class SuspensionRow
{
    public Uid Id { get; set; }
    public Uid Target { get; set; }
    public string TargetName { get; set; } = "";
    public string ByKind { get; set; } = "";
    public string ByName { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? Until { get; set; }
    public long Generation { get; set; }
    public DateTimeOffset? LiftedAt { get; set; }
}

/// <summary>A workload that was seen.</summary>
public sealed class WorkloadRow
{
    public Uid Uid { get; set; }
    public Uid SourceUid { get; set; }
    public string SourceName { get; set; } = "";
    public string Subject { get; set; } = "";
    public string StableIds { get; set; } = "";
    public string Attributes { get; set; } = "";
    public string Teams { get; set; } = "";
    public string? Instance { get; set; }
    public string? RefusedStableIds { get; set; }
    public DateTimeOffset FirstSeenAt { get; set; }
    public DateTimeOffset LastSeenAt { get; set; }

    /// <summary>When another workload took over its subject: what it holds stays its own.</summary>
    public DateTimeOffset? ReplacedAt { get; set; }
}
