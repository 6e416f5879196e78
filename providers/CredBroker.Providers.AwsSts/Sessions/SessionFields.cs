using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>The parts of a session, under the names that AWS's tools use, and once more as their <c>credential_process</c> wants it.</summary>
internal static class SessionFields
{
    public static IReadOnlyList<string> Names { get; } = ["access_key_id", "secret_access_key", "session_token", "expiration", "region", "credential_process"];

    public static IReadOnlyDictionary<string, CredentialField> Of(AwsKeys keys, DateTimeOffset expiresAt, AwsStsConfiguration configuration) => new Dictionary<string, CredentialField>
    {
        ["access_key_id"] = new(new Secret(keys.AccessKeyId)),
        ["secret_access_key"] = new(keys.SecretAccessKey),
        ["session_token"] = new(keys.SessionToken!),
        ["expiration"] = new(new Secret(PolicyText.Instant(expiresAt))),
        ["region"] = new(new Secret(configuration.Region)),
        ["credential_process"] = new(new Secret(ProcessOf(keys, expiresAt, configuration.Account)), "application/json"),
    };

    // The version is a number, and without an expiration the SDKs would take the keys for permanent ones.
    private static string ProcessOf(AwsKeys keys, DateTimeOffset expiresAt, string account) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["Version"] = 1,
        ["AccessKeyId"] = keys.AccessKeyId,
        ["SecretAccessKey"] = keys.SecretAccessKey.Reveal(),
        ["SessionToken"] = keys.SessionToken!.Reveal(),
        ["Expiration"] = PolicyText.Instant(expiresAt),
        ["AccountId"] = account,
    });
}
