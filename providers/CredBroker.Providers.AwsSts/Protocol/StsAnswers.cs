using System.Globalization;
using System.Xml.Linq;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>Reads what STS answers.</summary>
internal static class StsAnswers
{
    /// <exception cref="ProviderException">The answer has no credentials, though it was a success.</exception>
    public static AwsKeys KeysOf(XElement result)
    {
        if (result.Child("Credentials") is { } keys && keys.Text("AccessKeyId") is { Length: > 0 } id && keys.Text("SecretAccessKey") is { Length: > 0 } secret
            && keys.Text("SessionToken") is { Length: > 0 } token && Instant(keys.Text("Expiration")) is { } expiresAt)
        {
            return new AwsKeys(id, new Secret(secret), new Secret(token), expiresAt);
        }

        throw new ProviderException(ProviderFault.Unreachable, "sts: the answer has no credentials.");
    }

    /// <summary>An instant as the services write it (RFC 3339, UTC).</summary>
    public static DateTimeOffset? Instant(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant) ? instant : null;
}
