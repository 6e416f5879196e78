using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>A request of which something isn't known: on which resource, or what some fields of the context say.</summary>
public sealed record PartialRequest
{
    /// <summary>Who.</summary>
    public required EntityUid Principal { get; init; }

    /// <summary>What.</summary>
    public required EntityUid Action { get; init; }

    /// <summary>On what; null if that is not known.</summary>
    public EntityUid? Resource { get; init; }

    /// <summary>The type of the resource, where that is known of an unknown resource.</summary>
    public string? ResourceType { get; init; }

    /// <summary>What is known of the circumstances.</summary>
    public CedarRecord Context { get; init; } = CedarRecord.Empty;

    /// <summary>The attributes of the context of which it is not known what they say, nor whether they are there.</summary>
    public ImmutableHashSet<string> UnknownContext { get; init; } = [];
}
