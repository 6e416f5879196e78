namespace CredBroker.Cedar;

/// <summary>A part of the scope that policies can be found by.</summary>
internal enum ScopePart : byte
{
    Principal,
    Action,
    Resource,
}

/// <summary>What one part of a policy's scope demands, as far as an index can tell: an entity, being in an entity, or a type; nothing if all are null.</summary>
internal readonly record struct ScopeKey(EntityUid? Equal, EntityUid? Within, string? Type)
{
    public bool IsAny => Equal is null && Within is null && Type is null;

    /// <summary>The keys of a part. More than one for a list of actions; none if no request can match.</summary>
    public static IEnumerable<ScopeKey> Of(Policy policy, ScopePart part) => part switch
    {
        ScopePart.Principal => [Of(policy.Principal)],
        ScopePart.Resource => [Of(policy.Resource)],
        _ => Of(policy.Action),
    };

    private static ScopeKey Of(EntityScope scope) => scope switch
    {
        EntityScope.Equal s => new(s.Entity, null, null),
        EntityScope.In s => new(null, s.Entity, null),
        EntityScope.IsIn s => new(null, s.Entity, null),
        EntityScope.Is s => new(null, null, s.Type),
        _ => default,
    };

    private static IEnumerable<ScopeKey> Of(ActionScope scope) => scope switch
    {
        ActionScope.Equal s => [new(s.Action, null, null)],
        ActionScope.In s => s.Actions.Select(a => new ScopeKey(null, a.Action, null)).Distinct(),
        _ => [default],
    };
}
