using CredBroker.Core.Identity;

namespace CredBroker.Core.Signing;

/// <summary>
/// The audiences that no lease token may have: whoever could choose one would turn a lease into the broker's own identity, or into a log-in
/// at a cloud that trusts the broker.
/// </summary>
public sealed class ReservedAudiences(InstallationOptions installation, IIdentitySourceCatalog sources)
{
    // The token exchanges of the clouds and of services that take OIDC tokens for log-ins.
    private static readonly string[] Hosts =
        ["amazonaws.com", "amazonaws.com.cn", "googleapis.com", "accounts.google.com", "login.microsoftonline.com", "sts.windows.net", "sigstore.dev"];

    private static readonly string[] Prefixes = ["api://azureadtokenexchange", "//iam.googleapis.com/", "credbroker:", "sigstore"];

    /// <summary>Whether a lease token for this audience is refused. Case, scheme, port, escapes and trailing slashes make no difference.</summary>
    public bool Contains(string audience)
    {
        ArgumentNullException.ThrowIfNull(audience);
        var plain = Plain(audience);
        if (Prefixes.Any(prefix => plain.StartsWith(prefix, StringComparison.Ordinal))) return true;
        if (HostOf(plain) is { } host && Hosts.Any(reserved => host == reserved || host.EndsWith("." + reserved, StringComparison.Ordinal))) return true;
        return IssuerUrl.IsBelow(plain, installation.PublicUrl)
            || sources.Current.SelectMany(source => IdentitySourceRules.AudiencesOf(source.Spec, installation)).Any(accepted => Plain(accepted) == plain);
    }

    private static string Plain(string audience) => Uri.UnescapeDataString(audience).Trim().TrimEnd('/').ToLowerInvariant();

    /// <summary>The host of a URL, or of what looks like a host alone.</summary>
    private static string? HostOf(string plain) =>
        Uri.TryCreate(plain.Contains("://", StringComparison.Ordinal) ? plain : "https://" + plain.TrimStart('/'), UriKind.Absolute, out var url)
            ? url.IdnHost.TrimEnd('.')
            : null;
}
