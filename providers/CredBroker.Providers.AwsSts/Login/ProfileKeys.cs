using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Login;

/// <summary>
/// A profile of the shared configuration: keys, or a program that prints them. Profiles that fetch their keys over the network are refused: the SDK
/// would fetch them past the operator's egress policy.
/// </summary>
internal static class ProfileKeys
{
    public static async Task<AwsKeys> ReadAsync(string name)
    {
        try
        {
            // The SDK itself asks for the place only once in a process.
            var chain = new CredentialProfileStoreChain(Environment.GetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE"));
            if (!chain.TryGetProfile(name, out var profile)) throw Refuse($"There is no profile {name} in the shared configuration.");
            var options = profile.Options;
            if (options.CredentialProcess is { Length: > 0 } command)
            {
                using var process = new ProcessAWSCredentials(command);
                return Of(await process.GetCredentialsAsync().ConfigureAwait(false), process.Expiration);
            }

            if (options is { AccessKey.Length: > 0, SecretKey.Length: > 0, RoleArn: null })
                return new AwsKeys(options.AccessKey, new Secret(options.SecretKey), options.Token is { Length: > 0 } token ? new Secret(token) : null);
            throw Refuse($"The profile {name} holds neither keys nor a credential_process. Others would go past the egress policy.");
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or ProcessAWSCredentialException or InvalidOperationException or IOException
            or InvalidDataException or FormatException or ArgumentException or UnauthorizedAccessException)
        {
            // What a program printed, or the file's text, may be in the message.
            throw Refuse($"The profile {name} could not be read ({e.GetType().Name}).");
        }
    }

    private static AwsKeys Of(ImmutableCredentials keys, DateTime? expiry) => new(
        keys.AccessKey, new Secret(keys.SecretKey), keys.UseToken ? new Secret(keys.Token) : null,
        expiry is { } end ? new DateTimeOffset(DateTime.SpecifyKind(end.ToUniversalTime(), DateTimeKind.Utc)) : null);

    private static ProviderException Refuse(string words) => new(ProviderFault.Misconfigured, words, ProviderEffect.None);
}
