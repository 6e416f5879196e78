using CredBroker.Cedar;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Registry;

/// <summary>What the registry must know of a kind of resource.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Collection">The first part of its resource names.</param>
/// <param name="Action">The action that administering it is.</param>
/// <param name="EntityType">Its Cedar entity type.</param>
public sealed record ResourceType<TSpec>(ResourceKind Kind, string Collection, string Action, string EntityType)
    where TSpec : class
{
    /// <summary>The resource name of one.</summary>
    public string NameOf(string name, string? parent) => parent is null ? $"{Collection}/{name}" : $"providers/{parent}/{Collection}/{name}";

    /// <summary>The Cedar entity of one.</summary>
    public EntityUid EntityOf(string name, string? parent) => new(EntityType, parent is null ? name : $"{parent}/{name}");
}

/// <summary>The kinds of resource.</summary>
public static class ResourceTypes
{
    /// <summary>Identity sources.</summary>
    public static ResourceType<IdentitySourceSpec> IdentitySource { get; } = new(ResourceKind.IdentitySource, "identitySources", "administerIdentitySource", "IdentitySource");

    /// <summary>Providers.</summary>
    public static ResourceType<ProviderSpec> Provider { get; } = new(ResourceKind.Provider, "providers", "administerProvider", "Provider");

    /// <summary>Roles, each below its provider.</summary>
    public static ResourceType<RoleSpec> Role { get; } = new(ResourceKind.Role, "roles", "administerRole", "Role");

    /// <summary>Hooks.</summary>
    public static ResourceType<HookSpec> Hook { get; } = new(ResourceKind.Hook, "hooks", "administerHook", "Hook");

    /// <summary>Policy sets.</summary>
    public static ResourceType<PolicySetSpec> PolicySet { get; } = new(ResourceKind.PolicySet, "policySets", "administerPolicySet", "PolicySet");
}
