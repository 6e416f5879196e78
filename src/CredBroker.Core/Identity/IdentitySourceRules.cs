using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Identity;

/// <summary>What is wrong with an identity source: everything at once. Used at registration, by manifests and at start-up.</summary>
public static class IdentitySourceRules
{
    private const int MostEntries = 64;
    private const int LongestText = 512;
    private const int LargestKeySet = 256 * 1024;
    /// <summary>The longest life that a source may accept in a token.</summary>
    public static readonly TimeSpan LongestTokenLife = TimeSpan.FromHours(24);

    /// <summary>Every error of a document: misspelled members first, else what the values get wrong.</summary>
    /// <param name="document">The specification as JSON.</param>
    /// <param name="installation">This installation, whose own issuers cannot be registered.</param>
    /// <param name="operatorOwned">It comes from the operator's configuration file.</param>
    public static IReadOnlyList<ValidationError> Validate(JsonElement document, InstallationOptions installation, bool operatorOwned) =>
        Document<IdentitySourceSpec>.Validate(document, spec => Validate(spec, installation, operatorOwned));

    /// <summary>Every error of a specification.</summary>
    public static IReadOnlyList<ValidationError> Validate(IdentitySourceSpec spec, InstallationOptions installation, bool operatorOwned)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(installation);
        var errors = new List<ValidationError>();
        if (spec.Type != "oidc") Add(errors, "type", "The type is oidc: there is no other.");
        if (spec.Environment.Length > 63 || spec.Environment.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_' or '.')))
            Add(errors, "environment", "An environment is a name of at most 63 letters, digits, hyphens, underscores and dots.");
        if (spec.People && !operatorOwned)
            Add(errors, "people", "Only a source in the operator's own configuration file can vouch for people.");
        if (IdentityPreset.Find(spec.Preset) is not { } preset)
            Add(errors, "preset", $"There is no such preset. There are: {string.Join(", ", IdentityPreset.Names)}.");
        else
            CheckOidc(errors, spec.Oidc, preset, spec.Preset, installation, operatorOwned);
        return errors;
    }

    /// <summary>
    /// What does not go with the other sources: an issuer may be registered twice only with audiences that share nothing, for the audience is
    /// what tells which source a token is for.
    /// </summary>
    /// <param name="name">The source's name; another version of the same name is no conflict.</param>
    /// <param name="spec">A valid specification.</param>
    /// <param name="installation">This installation.</param>
    /// <param name="others">The sources that are registered.</param>
    public static IReadOnlyList<ValidationError> Conflicts(
        string name, IdentitySourceSpec spec, InstallationOptions installation, IEnumerable<RegisteredIdentitySource> others)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(others);
        var issuer = IssuerKeyOf(spec);
        var audiences = AudiencesOf(spec, installation);
        return [.. others
            .Where(other => other.Name != name && IssuerKeyOf(other.Spec) == issuer)
            .Select(other => (other.Name, Shared: AudiencesOf(other.Spec, installation).Intersect(audiences, StringComparer.Ordinal).FirstOrDefault()))
            .Where(other => other.Shared is not null)
            .Select(other => new ValidationError(
                "oidc.audiences", $"The source {other.Name} has the same issuer and accepts the audience {other.Shared} too. Give each its own audience."))];
    }

    internal static IReadOnlyList<string> AudiencesOf(IdentitySourceSpec spec, InstallationOptions installation) =>
        spec.Oidc.Audiences ?? [installation.DefaultAudience];

    /// <summary>What a source is found by: the trust domain for SPIFFE, else the issuer.</summary>
    internal static string IssuerKeyOf(IdentitySourceSpec spec)
    {
        var preset = IdentityPreset.Find(spec.Preset);
        return preset is { Spiffe: true } ? SpiffeId.TrustDomainOfPrefix(spec.Oidc.SubjectPrefix) ?? "" : spec.Oidc.Issuer ?? preset?.Issuer ?? "";
    }

    private static void CheckOidc(
        List<ValidationError> errors, OidcSpec oidc, IdentityPreset preset, string presetName, InstallationOptions installation, bool operatorOwned)
    {
        var issuer = oidc.Issuer ?? preset.Issuer;
        var hasKeys = oidc.JwksUri is not null || oidc.JwksInline is not null || oidc.JwksFile is not null;
        if (issuer is null && !preset.Spiffe)
            Add(errors, "oidc.issuer", "The issuer is required: the exact iss of the tokens.");
        else if (issuer is null && !hasKeys)
            Add(errors, "oidc", "Without an issuer it must be said where the keys are: jwksUri, jwksInline or jwksFile.");
        if (issuer is not null) CheckIssuer(errors, issuer, presetName, installation);
        CheckKeys(errors, oidc, installation, operatorOwned);
        if (preset.Spiffe && SpiffeId.TrustDomainOfPrefix(oidc.SubjectPrefix) is null)
            Add(errors, "oidc.subjectPrefix", "A SPIRE source names its trust domain, and may name a path below it: spiffe://example.org/ or spiffe://example.org/ns/agents/.");
        if (!preset.Spiffe && oidc.SubjectPrefix?.StartsWith("spiffe:", StringComparison.OrdinalIgnoreCase) == true)
            Add(errors, "oidc.subjectPrefix", "SPIFFE ids are vouched for by sources with the preset spire alone.");

        CheckList(errors, "oidc.audiences", oidc.Audiences, emptyIsError: true, IsText);
        CheckList(errors, "oidc.algorithms", oidc.Algorithms, emptyIsError: true, value => IdentityPreset.AllAlgorithms.Contains(value)
            ? null
            : $"This is not an accepted algorithm. There are: {string.Join(", ", IdentityPreset.AllAlgorithms)}.");
        CheckList(errors, "oidc.typ", oidc.Typ, emptyIsError: true, CheckTyp);
        CheckList(errors, "oidc.stableIdClaims", oidc.StableIdClaims, emptyIsError: false, CheckPath);
        CheckList(errors, "oidc.instanceClaims", oidc.InstanceClaims, emptyIsError: false, CheckPath);
        CheckMap(errors, "oidc.attributes", oidc.Attributes, CheckAttribute);
        CheckMap(errors, "oidc.requiredClaims", oidc.RequiredClaims, (path, value) => CheckPath(path) ?? IsText(value));
        if (oidc.TeamsClaim is { } teams && CheckPath(teams) is { } wrong) Add(errors, "oidc.teamsClaim", wrong);
        if (oidc.SubjectPrefix is { } prefix && IsText(prefix) is { } bad) Add(errors, "oidc.subjectPrefix", bad);
        if (oidc.MaxTokenLife is { } life && (life < TimeSpan.FromMinutes(1) || life > LongestTokenLife))
            Add(errors, "oidc.maxTokenLife", "The longest life of a token lies between 1m and 24h.");
    }

    private static void CheckIssuer(List<ValidationError> errors, string issuer, string presetName, InstallationOptions installation)
    {
        CheckUrl(errors, "oidc.issuer", issuer, installation);
        if (presetName == "entra" && issuer.Split('/').Any(part => part is "common" or "organizations" or "consumers" or ['{', ..]))
            Add(errors, "oidc.issuer", "Name the tenant: the issuers common, organizations and consumers vouch for everybody's tenants.");
    }

    private static void CheckKeys(List<ValidationError> errors, OidcSpec oidc, InstallationOptions installation, bool operatorOwned)
    {
        string?[] places = [oidc.DiscoveryUrl, oidc.JwksUri, oidc.JwksInline, oidc.JwksFile];
        if (places.Count(place => place is not null) > 1)
            Add(errors, "oidc", "Only one of discoveryUrl, jwksUri, jwksInline and jwksFile can say where the keys are.");
        if (oidc.DiscoveryUrl is not null) CheckUrl(errors, "oidc.discoveryUrl", oidc.DiscoveryUrl, installation);
        if (oidc.JwksUri is not null) CheckUrl(errors, "oidc.jwksUri", oidc.JwksUri, installation);
        if (oidc.JwksInline is not null && !operatorOwned)
            Add(errors, "oidc.jwksInline", "Keys can be given inline only in the operator's own configuration file.");
        else if (oidc.JwksInline is { Length: > LargestKeySet } || (oidc.JwksInline is not null && JsonWebKeySetReader.Read(oidc.JwksInline) is not { Keys.Count: > 0 }))
            Add(errors, "oidc.jwksInline", "This is not a JWK Set with at least one public signing key that has a kid.");
        if (oidc.JwksFile is not null && !operatorOwned)
            Add(errors, "oidc.jwksFile", "Keys can be read from a file only where the operator's own configuration file says so.");
        else if (oidc.JwksFile is not null && !Path.IsPathFullyQualified(oidc.JwksFile))
            Add(errors, "oidc.jwksFile", "The path must be absolute.");
    }

    private static void CheckUrl(List<ValidationError> errors, string path, string text, InstallationOptions installation)
    {
        if (IsText(text) is { } wrong)
            Add(errors, path, wrong);
        else if (!IssuerUrl.IsAllowed(text))
            Add(errors, path, "This must be an absolute https URL without user, query or fragment; http is allowed on loopback alone.");
        else if (KeyFamilies.All.Any(family => IssuerUrl.IsBelow(text, installation.IssuerOf(family))))
            Add(errors, path, "This is one of the broker's own issuers. Its tokens are made for others and can never prove a workload's identity.");
    }

    private static string? CheckTyp(string typ)
    {
        if (typ.Length == 0) return null;
        if (IsText(typ) is { } wrong) return wrong;
        var short_ = typ.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? typ["application/".Length..] : typ;
        return StrictJwt.NeverBearer.Contains(short_)
            ? "Tokens of this type are never bearer tokens of a workload."
            : null;
    }

    private static string? CheckAttribute(string name, string path)
    {
        if (name.Length is 0 or > 63 || !char.IsAsciiLetter(name[0]) || name.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('_' or '-')))
            return "An attribute's name is a letter followed by at most 62 letters, digits, hyphens and underscores.";
        return CheckPath(path);
    }

    private static string? CheckPath(string path) => ClaimPath.TryParse(path, out _)
        ? null
        : "This is not a claim path: member names separated by /, with ~1 for a slash and ~0 for a tilde in a name, at most 6 deep.";

    private static string? IsText(string value) => value is { Length: > 0 and <= LongestText } && value.All(character => character is > ' ' and <= '~')
        ? null
        : $"This must be 1 to {LongestText} printable ASCII characters without spaces.";

    private static void CheckList(List<ValidationError> errors, string path, IReadOnlyList<string>? values, bool emptyIsError, Func<string, string?> check)
    {
        if (values is null) return;
        if (values.Count == 0 && emptyIsError) Add(errors, path, "An empty list accepts nothing. Leave it out for the default.");
        if (values.Count > MostEntries) Add(errors, path, $"There can be at most {MostEntries}.");
        if (values.Distinct(StringComparer.Ordinal).Count() != values.Count) Add(errors, path, "A value appears twice.");
        for (var i = 0; i < Math.Min(values.Count, MostEntries); i++)
        {
            if ((values[i] is { } value ? check(value) : "This must be a string.") is { } wrong) Add(errors, $"{path}[{i}]", wrong);
        }
    }

    private static void CheckMap(List<ValidationError> errors, string path, IReadOnlyDictionary<string, string>? map, Func<string, string, string?> check)
    {
        if (map is null) return;
        if (map.Count > MostEntries) Add(errors, path, $"There can be at most {MostEntries}.");
        foreach (var (key, value) in map.Take(MostEntries))
        {
            if (check(key, value) is { } wrong) Add(errors, $"{path}.{key}", wrong);
        }
    }

    private static void Add(List<ValidationError> errors, string path, string message) => errors.Add(new ValidationError(path, message));
}
