namespace CredBroker.Cedar;

/// <summary>What policies are looked for by. The resource may be unknown.</summary>
internal readonly record struct ScopeQuery(EntityUid Principal, EntityUid Action, EntityUid? Resource, EntityStore Entities);
