using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Registry;

/// <summary>What administrators register.</summary>
public enum ResourceKind
{
    /// <summary>Whom the broker trusts to vouch for workloads.</summary>
    IdentitySource = 1,

    /// <summary>A connection to a system that makes credentials.</summary>
    Provider = 2,

    /// <summary>What may be asked for at a provider.</summary>
    Role = 3,

    /// <summary>An orchestrator's signed signal.</summary>
    Hook = 4,

    /// <summary>Cedar text.</summary>
    PolicySet = 5,
}

/// <summary>
/// One registered resource: a name, an id that never changes, a generation, and its specification as JSON. All kinds share this shape, and so one table,
/// one way to change them and one audit event.
/// </summary>
public sealed record RegistryEntry
{
    /// <summary>The immutable id: everything binds to it, never to the name.</summary>
    public required Uid Uid { get; init; }

    /// <summary>What it is.</summary>
    public required ResourceKind Kind { get; init; }

    /// <summary>Its name, unique within kind and parent among those not deleted.</summary>
    public required string Name { get; init; }

    /// <summary>The provider that a role belongs to.</summary>
    public Uid? ParentUid { get; init; }

    /// <summary>Grows with every change: the etag, and the generation that decisions note.</summary>
    public required long Version { get; init; }

    /// <summary>The specification, as JSON text of the kind's specification record.</summary>
    public required string SpecJson { get; init; }

    /// <summary>Who keeps it: <c>api</c>, or <c>file:</c> with the file's hash, which makes it read-only by the API.</summary>
    public required string ManagedBy { get; init; }

    /// <summary>What a provider's target said it is when it was last accepted; empty for other kinds.</summary>
    public string TargetIdentity { get; init; } = "";

    /// <summary>When it was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it was deleted: its name is a tombstone then.</summary>
    public DateTimeOffset? DeletedAt { get; init; }
}

/// <summary>A change of the registry.</summary>
/// <param name="Entry">The entry as it shall be; for a new one with version 1.</param>
/// <param name="ExpectedVersion">The version that it replaces; null for a new one.</param>
/// <param name="By">Who changes it.</param>
public sealed record RegistryChange(RegistryEntry Entry, long? ExpectedVersion, Actor By)
{
    /// <summary>Whether a tombstone's name may be used again. The new resource has a new id and inherits nothing.</summary>
    public bool ReuseName { get; init; }

    /// <summary>Refuse while there are leases of this provider or role that are not proven dead.</summary>
    public bool RefuseWithUnprovenLeases { get; init; }

    /// <summary>The secrets that it uses as it shall be: bound to it by this change, unless one belongs to another.</summary>
    public IReadOnlyList<SecretBinding> Secrets { get; init; } = [];

    /// <summary>In what time live leases are decided again because of it; null if they are not.</summary>
    public TimeSpan? ReevaluateAfter { get; init; }

    /// <summary>The audit event.</summary>
    public required AuditDraft Audit { get; init; }
}

/// <summary>What came of a change.</summary>
public abstract record RegistryOutcome
{
    private RegistryOutcome()
    {
    }

    /// <summary>It is changed.</summary>
    public sealed record Changed(RegistryEntry Entry) : RegistryOutcome;

    /// <summary>The name is taken.</summary>
    public sealed record NameTaken(Uid Uid) : RegistryOutcome;

    /// <summary>The name belonged to a resource that was deleted: using it again must be asked for.</summary>
    public sealed record NameIsTombstone(Uid Uid) : RegistryOutcome;

    /// <summary>Somebody else changed it first.</summary>
    public sealed record VersionMismatch(long Version) : RegistryOutcome;

    /// <summary>There are leases that are not proven dead.</summary>
    public sealed record HasUnprovenLeases(long Count) : RegistryOutcome;

    /// <summary>A secret that it would use belongs to another resource.</summary>
    public sealed record SecretBoundElsewhere : RegistryOutcome;

    /// <summary>There is no such resource.</summary>
    public sealed record Unknown : RegistryOutcome;
}

/// <summary>The registry's rows.</summary>
public interface IRegistryStore
{
    /// <summary>Creates, updates or deletes (an entry with <see cref="RegistryEntry.DeletedAt"/>), bumps the gate of the entry, and of the policies for a policy set.</summary>
    Task<RegistryOutcome> PutAsync(RegistryChange change, CancellationToken cancellationToken);

    /// <summary>Everything that is not deleted, and deleted providers and roles with leases that are not proven dead, with the generations under which it holds.</summary>
    Task<RegistryContent> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Whether one of these secrets belongs to another resource than this: to be asked before anything is done with them. The change itself asks again.</summary>
    Task<bool> BoundElsewhereAsync(Uid uid, IReadOnlyList<SecretBinding> secrets, CancellationToken cancellationToken);

    /// <summary>Whether something of this name, below this parent or below none, was deleted once.</summary>
    Task<bool> WasUsedAsync(ResourceKind kind, string name, Uid? parent, CancellationToken cancellationToken);

    /// <summary>A number that grows with every change of the registry, of suspensions and of accepted identities: cheap to ask for.</summary>
    Task<long> GenerationAsync(CancellationToken cancellationToken);

    /// <summary>Counters by key (<see cref="Leases.Lease.QuotaKeys"/>); one that was never charged is 0.</summary>
    Task<IReadOnlyList<long>> CountersAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken);
}

/// <summary>The registry as it was at one moment.</summary>
/// <param name="Generation">The generation of the whole.</param>
/// <param name="PolicyVersion">The generation of the policies.</param>
/// <param name="Entries">The entries.</param>
/// <param name="Gates">The suspension state of whatever was ever suspended, workloads included.</param>
public sealed record RegistryContent(
    long Generation, long PolicyVersion, IReadOnlyList<RegistryEntry> Entries, IReadOnlyDictionary<Uid, GateState> Gates);

/// <summary>How often something was suspended, and whether it is now.</summary>
public readonly record struct GateState(long Suspension, bool Suspended);
