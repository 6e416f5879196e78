using System.Net;

namespace CredBroker.Policies;

/// <summary>What is known of an identity source.</summary>
public sealed record SourceFacts
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The environment that it belongs to; empty for none.</summary>
    public string Environment { get; init; } = "";

    /// <summary>Whether it vouches for people.</summary>
    public bool People { get; init; }

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";
}

/// <summary>What is known of a workload: what its last verified token proved.</summary>
public sealed record WorkloadFacts
{
    /// <summary>The name of its identity source.</summary>
    public required string Source { get; init; }

    /// <summary>Its subject there.</summary>
    public required string Subject { get; init; }

    /// <summary>The environment of its source.</summary>
    public string Environment { get; init; } = "";

    /// <summary>Whether its source vouches for people.</summary>
    public bool People { get; init; }

    /// <summary>The instance, where the source attests one.</summary>
    public string? Instance { get; init; }

    /// <summary>Its teams, as <c>source/team</c>.</summary>
    public IReadOnlyList<string> Teams { get; init; } = [];

    /// <summary>Its attested attributes, named <c>source/attribute</c>.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Its name, <c>source/subject</c>.</summary>
    public string Name => $"{Source}/{Subject}";
}

/// <summary>Who asks, when and from where.</summary>
public sealed record AskerFacts
{
    /// <summary>Who.</summary>
    public required WorkloadFacts Workload { get; init; }

    /// <summary>Its identity source; null where that is not registered any more.</summary>
    public SourceFacts? Source { get; init; }

    /// <summary>Whether one of the operator's own identity sources vouches for it: only such callers may administer, suspend and lift.</summary>
    public bool OfOperator { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>From which address.</summary>
    public required IPAddress SourceIp { get; init; }

    /// <summary>What the token of this call proves, named <c>source/attribute</c>.</summary>
    public required IReadOnlyDictionary<string, string> Attested { get; init; }
}

/// <summary>What is known of a provider.</summary>
public sealed record ProviderFacts
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The provider type's name.</summary>
    public string Type { get; init; } = "";

    /// <summary>The environment that it belongs to; empty for none.</summary>
    public string Environment { get; init; } = "";

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>What its target says it is; empty while nobody has looked.</summary>
    public string TargetIdentity { get; init; } = "";
}

/// <summary>What is known of a role.</summary>
public sealed record RoleFacts
{
    /// <summary>Its provider.</summary>
    public required ProviderFacts Provider { get; init; }

    /// <summary>Its name within the provider.</summary>
    public required string Name { get; init; }

    /// <summary>The role kind's name.</summary>
    public string Kind { get; init; } = "";

    /// <summary>How sensitive what it opens is, in the installation's own words.</summary>
    public string Sensitivity { get; init; } = "";

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";

    /// <summary>What revoking its credentials means, as policies name it.</summary>
    public string Revocability { get; init; } = "";

    /// <summary>Whether its credentials can make others.</summary>
    public bool CanMint { get; init; }
}

/// <summary>What is known of a task.</summary>
public sealed record TaskFacts
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Who opened it, <c>source/subject</c>.</summary>
    public required string Opener { get; init; }

    /// <summary>Who performs it, <c>source/subject</c>.</summary>
    public required string Performer { get; init; }

    /// <summary>How many tasks are above it.</summary>
    public int Depth { get; init; }

    /// <summary>The ids of the tasks above it, from the root.</summary>
    public IReadOnlyList<string> Ancestors { get; init; } = [];

    /// <summary>What it is for, in the opener's words.</summary>
    public string What { get; init; } = "";

    /// <summary>For whom, in the opener's words.</summary>
    public string ForWhom { get; init; } = "";

    /// <summary>On which data, in the opener's words.</summary>
    public string Data { get; init; } = "";

    /// <summary>Labels of the opener's choice.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>A task that is to be opened.</summary>
public sealed record OpeningFacts
{
    /// <summary>The task as it would be.</summary>
    public required TaskFacts Task { get; init; }

    /// <summary>The task above it; null for a root.</summary>
    public TaskFacts? Parent { get; init; }

    /// <summary>Its performer: who has not been seen yet has a name and proves nothing.</summary>
    public required WorkloadFacts Performer { get; init; }

    /// <summary>The performer's identity source; null where there is none of that name.</summary>
    public SourceFacts? PerformerSource { get; init; }

    /// <summary>The life that it would have.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>In what time the parent ends.</summary>
    public TimeSpan? ParentExpiresIn { get; init; }
}

/// <summary>A credential that is to be made or to live longer, exactly as it would be granted.</summary>
public sealed record GrantFacts
{
    /// <summary><c>issue</c> or <c>renew</c>.</summary>
    public required string Action { get; init; }

    /// <summary>For which task; of an ancestor's permit, that ancestor.</summary>
    public required TaskFacts Task { get; init; }

    /// <summary>Whether <see cref="Task"/> stands above the task that the credential is for.</summary>
    public bool OnBehalfOf { get; init; }

    /// <summary>The role.</summary>
    public required RoleFacts Role { get; init; }

    /// <summary>The canonical parameters.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Where the credential can be used.</summary>
    public string Destination { get; init; } = "";

    /// <summary>Where the caller says that it will use it; empty when it says nothing.</summary>
    public string DeclaredDestination { get; init; } = "";

    /// <summary>The life that would be granted.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>The life that the caller wishes for; null when it names none.</summary>
    public TimeSpan? RequestedTtl { get; init; }

    /// <summary>In what time the parent task ends.</summary>
    public TimeSpan? ParentExpiresIn { get; init; }

    /// <summary>How deep the task is that the credential is for.</summary>
    public int ChainDepth { get; init; }

    /// <summary>Leases that are not proven dead, the one asked for not counted.</summary>
    public LeaseCounts Counters { get; init; }
}

/// <summary>Leases that are not proven dead, the one asked for not counted.</summary>
public readonly record struct LeaseCounts(long Task, long Workload, long Role, long Provider);

/// <summary>What is known of a hook.</summary>
public sealed record HookFacts
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "";
}
