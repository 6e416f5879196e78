using System.Collections.Frozen;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Identity;

/// <summary>Finds the sources that a token may belong to. Nothing here touches the network.</summary>
internal sealed record SourceIndex(
    IReadOnlyList<RegisteredIdentitySource> From,
    IReadOnlyList<CompiledSource> All,
    FrozenDictionary<string, CompiledSource[]> ByIssuer,
    FrozenDictionary<string, CompiledSource[]> ByTrustDomain)
{
    public static SourceIndex Make(IReadOnlyList<RegisteredIdentitySource> sources, InstallationOptions installation, Action<RegisteredIdentitySource> unusable)
    {
        var compiled = new List<CompiledSource>();
        foreach (var source in sources)
        {
            if (CompiledSource.Make(source, installation) is { } usable) compiled.Add(usable);
            else unusable(source);
        }

        return new SourceIndex(
            sources,
            compiled,
            Group(compiled.Where(source => !source.Preset.Spiffe), source => source.Issuer!),
            Group(compiled.Where(source => source.Preset.Spiffe), source => source.TrustDomain!));
    }

    /// <summary>
    /// The candidates by the token's own words. A SPIFFE subject is matched by its trust domain alone, and no other source may vouch for
    /// one: keys of trust domains are never pooled (SPIFFE_Federation.md, section 7.3).
    /// </summary>
    public IReadOnlyList<CompiledSource> Find(string? issuer, string subject)
    {
        if (!subject.StartsWith("spiffe:", StringComparison.OrdinalIgnoreCase))
            return issuer is null ? [] : ByIssuer.GetValueOrDefault(issuer) ?? [];
        return SpiffeId.TryParse(subject, out var id) && ByTrustDomain.TryGetValue(id.TrustDomain, out var sources)
            ? [.. sources.Where(source => issuer is null || source.Issuer is null || source.Issuer == issuer)]
            : [];
    }

    private static FrozenDictionary<string, CompiledSource[]> Group(IEnumerable<CompiledSource> sources, Func<CompiledSource, string> key) =>
        sources.GroupBy(key, StringComparer.Ordinal).ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
}
