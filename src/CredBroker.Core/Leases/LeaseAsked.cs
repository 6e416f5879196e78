namespace CredBroker.Core.Leases;

/// <summary>
/// What policy was asked with when the lease was issued, and nothing else remembers: so that a live lease can be decided again on what was true of its
/// request. It holds what is attested and what was asked for, never a secret; its size is bounded by that of a token.
/// </summary>
public sealed record LeaseAsked
{
    /// <summary>Of a lease that was reserved before this was kept: it is not decided again.</summary>
    public static LeaseAsked Unknown { get; } = new();

    /// <summary>The address that the request came from; empty where nothing is known.</summary>
    public string SourceIp { get; init; } = "";

    /// <summary>The life that the caller wished for; null for none.</summary>
    public TimeSpan? RequestedTtl { get; init; }

    /// <summary>The life that was to be granted, before what policies said of it.</summary>
    public TimeSpan Ttl { get; init; }

    /// <summary>In what time the parent task had to end; null without one.</summary>
    public TimeSpan? ParentExpiresIn { get; init; }

    /// <summary>Where the credential can be used.</summary>
    public string Destination { get; init; } = "";

    /// <summary>Where the caller said that it would use it: its own word, erased with the task's texts.</summary>
    public string DeclaredDestination { get; init; } = "";

    /// <summary>The caller's instance, where its issuer attests one.</summary>
    public string? Instance { get; init; }

    /// <summary>What the caller's token proved, as <c>source/attribute</c>.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The teams that it proved, as <c>source/team</c>.</summary>
    public IReadOnlyList<string> Teams { get; init; } = [];

    /// <summary>The names of the policy sets whose permits granted it.</summary>
    public IReadOnlyList<string> PermittedBy { get; init; } = [];

    /// <summary>Whether anything is known.</summary>
    public bool IsKnown => SourceIp.Length > 0;
}
