using CredBroker.Cedar;

namespace CredBroker.Core.Registry;

/// <summary>
/// Who speaks of a resource by its name. Policies do, and so do the scopes of policy sets and the bindings of hooks: whoever makes a resource under a name
/// that was deleted would be given what these say of the one before. So a name is used again only when nobody mentions it any more.
/// </summary>
internal static class NameMentions
{
    /// <summary>The resource names of those that mention it, in order.</summary>
    public static IReadOnlyList<string> Of(RegistrySnapshot snapshot, ResourceKind kind, EntityUid entity)
    {
        var sets = snapshot.PolicySets
            .Where(set => Scopes(kind, set.Spec).Contains(entity.Id) || PoliciesOf(snapshot, set.Name).Any(policy => Mentions(policy, kind, entity)))
            .Select(set => $"policySets/{set.Name}");
        var hooks = kind == ResourceKind.IdentitySource
            ? snapshot.Hooks.Values.Where(hook => hook.Spec.IdentitySources.Contains(entity.Id)).Select(hook => $"hooks/{hook.Name}")
            : [];
        return [.. sets.Concat(hooks).Order(StringComparer.Ordinal)];
    }

    private static IReadOnlyList<string> Scopes(ResourceKind kind, PolicySetSpec spec) => kind switch
    {
        ResourceKind.Provider => spec.Providers,
        ResourceKind.IdentitySource => spec.IdentitySources,
        _ => [],
    };

    private static IEnumerable<Policy> PoliciesOf(RegistrySnapshot snapshot, string set) => snapshot.Policies.Sets.Where(compiled => compiled.Name == set).SelectMany(compiled => compiled.Policies);

    private static bool Mentions(Policy policy, ResourceKind kind, EntityUid entity)
    {
        var names = PolicyNames.Of(policy);
        return names.Entities.Any(named => named.Equals(entity) || (Below(kind).Contains(named.Type) && named.Id.StartsWith(entity.Id + "/", StringComparison.Ordinal)))
            || (Below(kind).Count > 0 && (names.Texts.Any(text => IsOrBelow(text, entity.Id)) || names.Patterns.Any(pattern => pattern.Matches(entity.Id) || IsOrBelow(pattern.Pieces[0], entity.Id))));
    }

    // Whose ids begin with the name. A text says the name too: attributes' names begin with their source's, and a target is named by its provider.
    private static IReadOnlyList<string> Below(ResourceKind kind) => kind switch
    {
        ResourceKind.IdentitySource => ["Workload", "Team"],
        ResourceKind.Provider => ["Role"],
        _ => [],
    };

    private static bool IsOrBelow(string text, string name) => text == name || text.StartsWith(name + "/", StringComparison.Ordinal);
}
