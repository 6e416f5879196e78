namespace CredBroker.Policies;

/// <summary>A policy set as it takes part in decisions: its text, its kind and its scope.</summary>
public sealed record PolicySetDefinition
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>How places in its text are named; its name unless its file is known.</summary>
    public string Label { get => field ?? Name; init; }

    /// <summary>A kind of <see cref="PolicySetKinds"/>.</summary>
    public string Kind { get; init; } = PolicySetKinds.Scoped;

    /// <summary>The providers that a scoped set may speak of; empty for all.</summary>
    public IReadOnlyList<string> Providers { get; init; } = [];

    /// <summary>The identity sources that a scoped set may speak of; empty for all.</summary>
    public IReadOnlyList<string> IdentitySources { get; init; } = [];

    /// <summary>The actions that a scoped set may speak of; empty for all that are not an administrator's.</summary>
    public IReadOnlyList<string> Actions { get; init; } = [];

    /// <summary>Whether a change of it leaves live leases alone.</summary>
    public bool KeepLiveLeases { get; init; }

    /// <summary>The Cedar text.</summary>
    public required string Text { get; init; }

    /// <summary>By when somebody must look at it again.</summary>
    public DateTimeOffset? ReviewBy { get; init; }
}
