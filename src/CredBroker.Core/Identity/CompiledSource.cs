using System.Collections.Frozen;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Identity;

/// <summary>A registered source with its preset's defaults, ready to judge tokens.</summary>
internal sealed record CompiledSource
{
    public required RegisteredIdentitySource Source { get; init; }

    public required IdentityPreset Preset { get; init; }

    /// <summary>The exact <c>iss</c>; null only for SPIFFE, whose tokens need none.</summary>
    public required string? Issuer { get; init; }

    /// <summary>The trust domain, for SPIFFE alone.</summary>
    public required string? TrustDomain { get; init; }

    public required FrozenSet<string> Audiences { get; init; }

    public required FrozenSet<string> Algorithms { get; init; }

    public required FrozenSet<string> Typ { get; init; }

    public required TimeSpan MaxTokenLife { get; init; }

    public required IReadOnlyList<ClaimPath> StableIds { get; init; }

    public required IReadOnlyList<ClaimPath> Instance { get; init; }

    public required IReadOnlyList<(string Key, ClaimPath Path)> Attributes { get; init; }

    public required ClaimPath? Teams { get; init; }

    public required string SubjectPrefix { get; init; }

    public required IReadOnlyList<(ClaimPath Path, string Value)> Required { get; init; }

    public required KeyPlace Keys { get; init; }

    /// <summary>People's log-ins are accepted: only where the operator said so.</summary>
    public bool People => Source.Spec.People && Source.OperatorOwned;

    /// <summary>
    /// Prepares a source. Null when it is not usable: registration refuses such a source, and one that got past it must vouch for nobody.
    /// </summary>
    public static CompiledSource? Make(RegisteredIdentitySource source, InstallationOptions installation)
    {
        var oidc = source.Spec.Oidc;
        if (IdentityPreset.Find(source.Spec.Preset) is not { } preset) return null;
        var issuer = oidc.Issuer ?? preset.Issuer;
        var trustDomain = preset.Spiffe ? SpiffeId.TrustDomainOfPrefix(oidc.SubjectPrefix) : null;
        if (preset.Spiffe ? trustDomain is null : issuer is null) return null;
        if (issuer is not null && KeyFamilies.All.Any(family => IssuerUrl.IsBelow(issuer, installation.IssuerOf(family)))) return null;
        if (PlaceOf(oidc, issuer, source.OperatorOwned) is not { } place) return null;
        try
        {
            return new CompiledSource
            {
                Source = source,
                Preset = preset,
                Issuer = issuer,
                TrustDomain = trustDomain,
                Audiences = IdentitySourceRules.AudiencesOf(source.Spec, installation).ToFrozenSet(StringComparer.Ordinal),
                Algorithms = (oidc.Algorithms ?? preset.Algorithms).Intersect(IdentityPreset.AllAlgorithms).ToFrozenSet(StringComparer.Ordinal),
                Typ = (oidc.Typ ?? preset.Typ).ToFrozenSet(StringComparer.Ordinal),
                MaxTokenLife = oidc.MaxTokenLife ?? preset.MaxTokenLife,
                StableIds = [.. (oidc.StableIdClaims ?? preset.StableIdClaims).Select(ClaimPath.Parse)],
                Instance = [.. (oidc.InstanceClaims ?? preset.InstanceClaims).Select(ClaimPath.Parse)],
                Attributes = [.. (oidc.Attributes ?? preset.Attributes).Select(entry => ($"{source.Name}/{entry.Key}", ClaimPath.Parse(entry.Value)))],
                Teams = oidc.TeamsClaim is { } teams ? ClaimPath.Parse(teams) : null,
                SubjectPrefix = oidc.SubjectPrefix ?? "",
                Required = [.. (oidc.RequiredClaims ?? new Dictionary<string, string>()).Select(entry => (ClaimPath.Parse(entry.Key), entry.Value))],
                Keys = place,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static KeyPlace? PlaceOf(OidcSpec oidc, string? issuer, bool operatorOwned) => oidc switch
    {
        { JwksInline: { } keys } => operatorOwned && JsonWebKeySetReader.Read(keys) is { } read ? new KeyPlace.Inline(read) : null,
        { JwksFile: { } path } => operatorOwned ? new KeyPlace.File(path) : null,
        { JwksUri: { } address } => new KeyPlace.Url(address),
        _ when issuer is not null => new KeyPlace.Discovery(oidc.DiscoveryUrl ?? IssuerUrl.DiscoveryOf(issuer), issuer),
        _ => null,
    };
}
