using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Core.Identity;

/// <summary>
/// A SPIFFE id of a workload (SPIFFE-ID.md, section 2). Bytes are compared and upper case is refused in scheme and trust domain: an id that
/// was never folded cannot be confused. Nothing is normalised.
/// </summary>
internal sealed record SpiffeId(string TrustDomain, string Path)
{
    public const string Scheme = "spiffe://";
    private const int LongestId = 2048;
    private const int LongestTrustDomain = 255;

    /// <summary>Reads an id with a path: one without names the trust domain, and no workload.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out SpiffeId? id)
    {
        id = null;
        if (text.Length > LongestId || !text.StartsWith(Scheme, StringComparison.Ordinal)) return false;
        var rest = text[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IsTrustDomain(rest[..slash]) || !rest[(slash + 1)..].Split('/').All(IsSegment)) return false;
        id = new SpiffeId(rest[..slash], rest[slash..]);
        return true;
    }

    /// <summary>The trust domain of a prefix such as <c>spiffe://example.org/</c> or <c>spiffe://example.org/ns/agents/</c>; null when it is none.</summary>
    public static string? TrustDomainOfPrefix(string? prefix)
    {
        if (prefix is null || !prefix.StartsWith(Scheme, StringComparison.Ordinal)) return null;
        var rest = prefix[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IsTrustDomain(rest[..slash])) return null;
        var segments = rest[(slash + 1)..].Split('/');
        return segments[..^1].All(IsSegment) && (segments[^1].Length == 0 || IsSegment(segments[^1])) ? rest[..slash] : null;
    }

    private static bool IsTrustDomain(string text) =>
        text.Length is > 0 and <= LongestTrustDomain
        && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '.' or '-' or '_');

    private static bool IsSegment(string text) =>
        text is not ("" or "." or "..") && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_');
}
