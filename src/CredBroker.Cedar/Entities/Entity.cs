using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>An entity: what policies can ask of a principal, action or resource, and of whatever these refer to.</summary>
/// <param name="Uid">Its name.</param>
/// <param name="Attributes">Its attributes.</param>
/// <param name="Parents">What it is in directly; the store adds what its parents are in.</param>
/// <param name="Tags">Its tags: attributes whose names need not be known in the schema.</param>
public sealed record Entity(EntityUid Uid, CedarRecord Attributes, ImmutableArray<EntityUid> Parents, CedarRecord Tags)
{
    /// <summary>An entity of which nothing is known but that it exists.</summary>
    public Entity(EntityUid uid)
        : this(uid, null) { }

    /// <summary>An entity without tags.</summary>
    public Entity(EntityUid uid, CedarRecord? attributes, params ImmutableArray<EntityUid> parents)
        : this(uid, attributes ?? CedarRecord.Empty, parents, CedarRecord.Empty) { }
}
