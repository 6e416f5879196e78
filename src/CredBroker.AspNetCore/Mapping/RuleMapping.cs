using System.Security.Cryptography;
using System.Text;
using CredBroker.AspNetCore.Filters;
using CredBroker.Contracts.V1;
using CredBroker.Core.Registry;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Hooks and policy sets between the contract and the domain, which calls other resources by their last part.</summary>
internal static class RuleMapping
{
    private static readonly TimeSpan DefaultTolerance = TimeSpan.FromMinutes(5);

    public static ResourceMapping<HookSpec, Hook> Hooks { get; } = new(ResourceTypes.Hook, "hook", ToProto, ToSpec);

    public static ResourceMapping<PolicySetSpec, PolicySet> PolicySets { get; } = new(ResourceTypes.PolicySet, "policy_set", ToProto, ToSpec);

    private static Hook ToProto(Registered<HookSpec> registered) => new()
    {
        Owner = registered.Spec.Owner,
        ReviewBy = registered.Spec.ReviewBy.ToProto(),
        IdentitySources = { registered.Spec.IdentitySources.Select(source => $"identitySources/{source}") },
        Secret = registered.Spec.Secret,
        PublicKeys = { registered.Spec.PublicKeys },
        MatchClaims = { registered.Spec.MatchClaims },
        MatchLabels = { registered.Spec.MatchLabels },
        Tolerance = ((TimeSpan?)registered.Spec.Tolerance).ToProto(),
    };

    private static HookSpec ToSpec(Hook hook) => new()
    {
        Owner = hook.Owner,
        ReviewBy = hook.ReviewBy.ToDomain(),
        IdentitySources = [.. hook.IdentitySources.Select(Last)],
        Secret = hook.Secret,
        PublicKeys = [.. hook.PublicKeys],
        MatchClaims = [.. hook.MatchClaims],
        MatchLabels = [.. hook.MatchLabels],
        Tolerance = hook.Tolerance.ToDomain() ?? DefaultTolerance,
    };

    private static PolicySet ToProto(Registered<PolicySetSpec> registered) => new()
    {
        Owner = registered.Spec.Owner,
        ReviewBy = registered.Spec.ReviewBy.ToProto(),
        Kind = ProtoEnum.ValueOf<PolicySet.Types.Kind>(registered.Spec.Kind.ToUpperInvariant()),
        Scope = new PolicyScope
        {
            Providers = { registered.Spec.Providers.Select(provider => $"providers/{provider}") },
            IdentitySources = { registered.Spec.IdentitySources.Select(source => $"identitySources/{source}") },
            Actions = { registered.Spec.Actions },
        },
        KeepLiveLeases = registered.Spec.KeepLiveLeases,
        Text = registered.Spec.Text,
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(registered.Spec.Text))),
        Active = registered.Entry.DeletedAt is null,
    };

    private static PolicySetSpec ToSpec(PolicySet set) => new()
    {
        Owner = set.Owner,
        ReviewBy = set.ReviewBy.ToDomain(),
        Kind = ProtoEnum.NameOf(set.Kind).ToLowerInvariant(),
        Providers = [.. set.Scope?.Providers.Select(Last) ?? []],
        IdentitySources = [.. set.Scope?.IdentitySources.Select(Last) ?? []],
        Actions = [.. set.Scope?.Actions ?? []],
        KeepLiveLeases = set.KeepLiveLeases,
        Text = set.Text,
    };

    private static string Last(string name) => name.Split('/')[^1];
}
