using CredBroker.Core.Audit;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Registry;

/// <summary>Who changes the registry: a caller, whom policy must permit, or the operator's own files.</summary>
/// <param name="Actor">As the audit trail names it.</param>
/// <param name="Caller">The caller; null for the operator's files, which are trusted by where they are.</param>
/// <param name="ManagedBy">What resources that it writes are marked with.</param>
public sealed record RegistryAuthor(Actor Actor, Caller? Caller, string ManagedBy)
{
    /// <summary>A caller of the API.</summary>
    public static RegistryAuthor Of(Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return new(caller.Actor, caller, Registry.ManagedBy.Api);
    }

    /// <summary>The operator's configuration file.</summary>
    public static RegistryAuthor Operator { get; } = new(new Actor("operator", "configuration"), null, Registry.ManagedBy.Operator);

    /// <summary>A declarative folder, by the hash of its content.</summary>
    public static RegistryAuthor Folder(string principal, string hash) => new(new Actor("manifest", principal), null, Registry.ManagedBy.FilePrefix + hash);

    /// <summary>Whether it may change what another wrote: files are changed where they are, not by the API.</summary>
    public bool MayChange(string managedBy)
    {
        ArgumentNullException.ThrowIfNull(managedBy);
        return Kind(managedBy) == Kind(ManagedBy) || (managedBy == Registry.ManagedBy.Api && Caller is null);
    }

    private static string Kind(string managedBy) => managedBy.Split(':')[0];
}

/// <summary>How a change is to be made.</summary>
public sealed record ChangeOptions
{
    /// <summary>The version that the author read; null to change whatever is there.</summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>Whether a name that was deleted may be used again.</summary>
    public bool ReuseName { get; init; }

    /// <summary>Whether that may be although policies mention the name: the operator's own file alone says so.</summary>
    public bool DespiteMentions { get; init; }

    /// <summary>Check everything and change nothing.</summary>
    public bool ValidateOnly { get; init; }

    /// <summary>How many live leases a change of policies may end: whoever names the number has seen it.</summary>
    public long ExpectedRevocations { get; init; }

    /// <summary>Delete although leases live: they are revoked.</summary>
    public bool Force { get; init; }
}
