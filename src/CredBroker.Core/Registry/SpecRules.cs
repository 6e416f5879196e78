using System.Text.RegularExpressions;
using CredBroker.Abstractions;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuance;
using CredBroker.Core.Policies;
using CredBroker.Core.Providers;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Registry;

/// <summary>What is wrong with a specification: everything at once. The same rules serve the API, manifests and start-up.</summary>
public sealed partial class SpecRules(ProviderTypes types, PolicySetCheck policies, ISecretSources secrets, InstallationOptions installation)
{
    /// <summary>Every error; <paramref name="operatorOwned"/> for what comes from the operator's own file.</summary>
    public IReadOnlyList<ValidationError> Check(RegistrySnapshot snapshot, string name, string? parent, object spec, bool operatorOwned)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        if (!IsName(name)) return [new ValidationError("name", "A name is lower-case letters, digits and hyphens, begins with a letter, does not end with a hyphen, and has at most 63 characters.")];
        return [.. spec switch
        {
            IdentitySourceSpec source => IdentitySourceRules.Validate(source, installation, operatorOwned) is { Count: > 0 } errors
                ? errors : IdentitySourceRules.Conflicts(name, source, installation, snapshot.IdentitySources),
            ProviderSpec provider => CheckProvider(name, provider),
            RoleSpec role => CheckRole(snapshot, parent, role),
            HookSpec hook => CheckHook(snapshot, name, hook),
            PolicySetSpec set => policies.Check(name, set).Concat(CheckReferences(snapshot, set)),
            _ => throw new ArgumentOutOfRangeException(nameof(spec)),
        }];
    }

    /// <summary>Whether a text is a resource name's last part.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    private IEnumerable<ValidationError> CheckProvider(string name, ProviderSpec spec)
    {
        if (types.Find(spec.Type) is not { } type)
            return [new ValidationError("type", $"There is no such provider type. There are: {string.Join(", ", types.All.Select(known => known.Name))}.")];
        var errors = type.Validate(spec.Config).Select(error => error with { Path = Below("config", error.Path) }).ToList();
        if (errors.Count > 0) return errors;
        return type.SecretsOf(spec.Config)
            .Select(use => secrets.Refusal(use.Reference.Source, new SecretConsumer("provider", name, use.Host)))
            .Where(refusal => refusal is not null)
            .Select(refusal => new ValidationError("config", refusal!))
            .Concat(CheckLimits(spec.MaxTtl, spec.MaxActiveLeases, spec.IssueRatePerMinute));
    }

    private IEnumerable<ValidationError> CheckRole(RegistrySnapshot snapshot, string? parent, RoleSpec spec)
    {
        if (parent is null || !snapshot.Providers.TryGetValue(parent, out var provider) || types.Find(provider.Spec.Type) is not { } type)
            return [new ValidationError("parent", "There is no such provider.")];
        if (ProviderTypes.FindKind(type, spec.Kind) is not { } kind)
            return [new ValidationError("kind", $"The provider type {type.Name} has no such role kind. There are: {string.Join(", ", type.RoleKinds.Select(known => known.Name))}.")];
        var errors = Parameters.Check(spec.Parameters, spec.Template)
            .Concat(kind.Validate(spec.Template).Select(error => error with { Path = Below("template", error.Path) }))
            .Concat(CheckLimits(spec.MaxTtl, spec.MaxActiveLeases, null)).ToList();
        if (spec.MaxTtl < kind.ShortestLife) errors.Add(new ValidationError("max_ttl", $"The target makes nothing that lives shorter than {DurationConverter.Format(kind.ShortestLife)}."));
        return errors;
    }

    private IEnumerable<ValidationError> CheckHook(RegistrySnapshot snapshot, string name, HookSpec spec)
    {
        if (spec.IdentitySources.Count == 0) yield return new ValidationError("identity_sources", "A hook is bound to at least one identity source.");
        foreach (var source in spec.IdentitySources.Where(source => snapshot.FindSource(source) is null))
            yield return new ValidationError("identity_sources", $"There is no identity source {source}.");
        if (spec.Secret.Length == 0 && spec.PublicKeys.Count == 0) yield return new ValidationError("public_keys", "A hook needs a public key (v1a), or a secret source (v1).");
        if (spec.Secret.Length > 0 && secrets.Refusal(spec.Secret, new SecretConsumer("hook", name, "")) is { } refusal) yield return new ValidationError("secret", refusal);
        foreach (var key in spec.PublicKeys.Where(key => !IsPublicKey(key))) yield return new ValidationError("public_keys", "A public key is whpk_ and the base64 of 32 bytes.");
        if (spec.Tolerance <= TimeSpan.Zero || spec.Tolerance > HookSpec.LongestTolerance) yield return new ValidationError("tolerance", "A tolerance is more than 0 and at most 15m.");
    }

    private static IEnumerable<ValidationError> CheckReferences(RegistrySnapshot snapshot, PolicySetSpec spec) =>
        spec.Providers.Where(provider => !snapshot.Providers.ContainsKey(provider)).Select(provider => new ValidationError("scope.providers", $"There is no provider {provider}."))
            .Concat(spec.IdentitySources.Where(source => snapshot.FindSource(source) is null).Select(source => new ValidationError("scope.identity_sources", $"There is no identity source {source}.")));

    private static IEnumerable<ValidationError> CheckLimits(TimeSpan? maxTtl, int? maxActive, int? rate)
    {
        if (maxTtl is { } ttl && (ttl < TimeSpan.FromSeconds(1) || ttl > TimeSpan.FromDays(7))) yield return new ValidationError("max_ttl", "A longest life is between 1s and 7d.");
        if (maxActive is <= 0) yield return new ValidationError("max_active_leases", "This is at least 1; suspend what shall hold nothing.");
        if (rate is <= 0) yield return new ValidationError("issue_rate_per_minute", "This is at least 1; suspend what shall issue nothing.");
    }

    private static bool IsPublicKey(string key)
    {
        Span<byte> bytes = stackalloc byte[33];
        return key.StartsWith("whpk_", StringComparison.Ordinal) && key.Length <= 64 && Convert.TryFromBase64String(key[5..], bytes, out var length) && length == 32;
    }

    private static string Below(string member, string path) => path.Length == 0 ? member : $"{member}.{path}";

    [GeneratedRegex(@"\A[a-z]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex NamePattern();
}
