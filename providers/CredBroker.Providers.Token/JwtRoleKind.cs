using CredBroker.Abstractions;

namespace CredBroker.Providers.Token;

/// <summary>What a token says beside its lease, task and workload.</summary>
public sealed record JwtTemplate
{
    /// <summary>The one audience: the service that the token is for.</summary>
    public required string Audience { get; init; }

    /// <summary>Its scopes, at most 32.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Further claims, at most 32. Registered claims are refused when the token is signed.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();
}

/// <summary>A signed token (RFC 9068) for one audience.</summary>
public sealed class JwtRoleKind : RoleKind<JwtTemplate>
{
    internal const string AudienceRule = "An audience has 1 to 512 printable ASCII characters and no space.";
    private const int Most = 32;

    /// <inheritdoc/>
    public override string Name => "jwt";

    /// <inheritdoc/>
    public override string Description => "A signed token for one audience.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["token"];

    internal static bool IsAudience(string text) => text.Length is > 0 and <= 512 && text.All(IsVisible);

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(JwtTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        if (!IsAudience(template.Audience)) yield return new("audience", AudienceRule);
        if (template.Scopes.Count > Most) yield return new("scopes", $"There can be at most {Most} scopes.");
        for (var i = 0; i < template.Scopes.Count; i++)
            if (!IsScope(template.Scopes[i])) yield return new($"scopes[{i}]", "A scope has 1 to 256 printable ASCII characters and no space, quote or backslash (RFC 6749, section 3.3).");
        if (template.Claims.Count > Most) yield return new("claims", $"There can be at most {Most} claims.");
        foreach (var (name, value) in template.Claims.Take(Most))
        {
            if (!IsClaimName(name)) yield return new("claims", "A claim's name begins with a letter and has at most 128 letters, digits and . _ - / :.");
            else if (!IsClaimValue(value)) yield return new($"claims.{name}", "A claim's value has at most 1024 characters, none of which controls a terminal or the direction of text.");
        }
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(JwtTemplate template) => new(
        RevocabilityKind.Deletes, TimeSpan.Zero, "A service that verifies the token offline, without asking the broker, accepts it until its exp.");

    /// <inheritdoc/>
    protected override string DestinationOf(JwtTemplate template) => template?.Audience ?? "";

    private static bool IsVisible(char character) => character is > ' ' and <= '~';

    private static bool IsScope(string text) => text.Length is > 0 and <= 256 && text.All(character => IsVisible(character) && character is not ('"' or '\\'));

    private static bool IsClaimName(string text) =>
        text.Length is > 0 and <= 128 && char.IsAsciiLetter(text[0]) && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-' or '/' or ':');

    // Control characters (Cc) and the invisible ones that turn or hide text (Cf, surrogates without their partner).
    private static bool IsClaimValue(string text) => text.Length <= 1024 && text.EnumerateRunes().All(rune =>
        rune.Value != 0xFFFD && System.Text.Rune.GetUnicodeCategory(rune) is not (
            System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
            or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator));
}
