namespace CredBroker.Core.Identity;

/// <summary>URLs of issuers and their keys.</summary>
internal static class IssuerUrl
{
    /// <summary>https, or http on loopback, and nothing in it that changes where it leads.</summary>
    public static bool IsAllowed(string text) =>
        !text.Any(character => character is '?' or '#' or '@' or '\\' or <= ' ' or > '~') && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    /// <summary>The URL is the other or lies below it, whatever the spelling of scheme, host, port, escapes and trailing slash.</summary>
    public static bool IsBelow(string text, string parent)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || !Uri.TryCreate(parent, UriKind.Absolute, out var root)) return false;
        if (!url.Host.TrimEnd('.').Equals(root.Host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase) || url.Port != root.Port) return false;
        var path = Uri.UnescapeDataString(url.AbsolutePath).TrimEnd('/') + "/";
        return path.StartsWith(Uri.UnescapeDataString(root.AbsolutePath).TrimEnd('/') + "/", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Where the discovery document is (OpenID Connect Discovery 1.0, section 4.1).</summary>
    public static string DiscoveryOf(string issuer) => issuer.TrimEnd('/') + "/.well-known/openid-configuration";
}
