using System.Collections.Immutable;

namespace CredBroker.Cedar.Schemas;

/// <summary>What a schema says of an entity type.</summary>
internal sealed record EntityTypeInfo(string Name, CedarType.Record Attributes, CedarType? Tags, ImmutableHashSet<string>? EnumIds, IReadOnlySet<string> Ancestors);

/// <summary>What a schema says of an action. Groups that apply to nothing have no principals and resources.</summary>
internal sealed record ActionInfo(EntityUid Uid, ImmutableArray<EntityUid> Parents, ImmutableArray<string> Principals, ImmutableArray<string> Resources,
    CedarType.Record Context, IReadOnlySet<EntityUid> Ancestors);

/// <summary>A kind of request that the schema allows.</summary>
internal sealed record RequestEnvironment(string Principal, ActionInfo Action, string Resource);
