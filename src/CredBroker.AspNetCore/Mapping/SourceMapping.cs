using CredBroker.Contracts.V1;
using CredBroker.Core.Identity;
using CredBroker.Core.Registry;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Identity sources between the contract and the domain: what is absent is the preset's to say.</summary>
internal static class SourceMapping
{
    public static ResourceMapping<IdentitySourceSpec, IdentitySource> IdentitySources { get; } = new(ResourceTypes.IdentitySource, "identity_source", ToProto, ToSpec);

    private static IdentitySource ToProto(Registered<IdentitySourceSpec> registered) => new()
    {
        Owner = registered.Spec.Owner,
        ReviewBy = registered.Spec.ReviewBy.ToProto(),
        Type = registered.Spec.Type,
        Environment = registered.Spec.Environment,
        People = registered.Spec.People,
        Preset = registered.Spec.Preset,
        Oidc = ToProto(registered.Spec.Oidc),
    };

    private static IdentitySourceSpec ToSpec(IdentitySource source) => new()
    {
        Owner = source.Owner,
        ReviewBy = source.ReviewBy.ToDomain(),
        Type = source.Type,
        Environment = source.Environment,
        People = source.People,
        Preset = source.Preset,
        Oidc = ToSpec(source.Oidc ?? new OidcSource()),
    };

    private static OidcSource ToProto(OidcSpec spec) => new()
    {
        Issuer = spec.Issuer ?? "",
        Audiences = { spec.Audiences ?? [] },
        DiscoveryUrl = spec.DiscoveryUrl ?? "",
        JwksUri = spec.JwksUri ?? "",
        JwksInline = spec.JwksInline ?? "",
        Algorithms = { spec.Algorithms ?? [] },
        Typ = { spec.Typ ?? [] },
        MaxTokenLife = spec.MaxTokenLife.ToProto(),
        StableIdClaims = { spec.StableIdClaims ?? [] },
        InstanceClaims = { spec.InstanceClaims ?? [] },
        Attributes = { spec.Attributes?.ToDictionary() ?? [] },
        TeamsClaim = spec.TeamsClaim ?? "",
        SubjectPrefix = spec.SubjectPrefix ?? "",
        RequiredClaims = { spec.RequiredClaims?.ToDictionary() ?? [] },
    };

    private static OidcSpec ToSpec(OidcSource source) => new()
    {
        Issuer = TextOf(source.Issuer),
        Audiences = ListOf(source.Audiences),
        DiscoveryUrl = TextOf(source.DiscoveryUrl),
        JwksUri = TextOf(source.JwksUri),
        JwksInline = TextOf(source.JwksInline),
        Algorithms = ListOf(source.Algorithms),
        Typ = ListOf(source.Typ),
        MaxTokenLife = source.MaxTokenLife.ToDomain(),
        StableIdClaims = ListOf(source.StableIdClaims),
        InstanceClaims = ListOf(source.InstanceClaims),
        Attributes = source.Attributes.Count == 0 ? null : new Dictionary<string, string>(source.Attributes),
        TeamsClaim = TextOf(source.TeamsClaim),
        SubjectPrefix = TextOf(source.SubjectPrefix),
        RequiredClaims = source.RequiredClaims.Count == 0 ? null : new Dictionary<string, string>(source.RequiredClaims),
    };

    private static string? TextOf(string text) => text.Length == 0 ? null : text;

    private static string[]? ListOf(ICollection<string> list) => list.Count == 0 ? null : [.. list];
}
