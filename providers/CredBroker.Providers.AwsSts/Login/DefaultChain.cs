using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Login;

/// <summary>
/// What is left of AWS's chain: keys in the environment, a token file that the environment names, the default profile. Container and instance metadata
/// are not asked: their addresses are link-local, which no egress policy can allow.
/// </summary>
internal sealed class DefaultChain(AmbientSettings ambient, WebIdentityLogin web)
{
    public async Task<AwsKeys> FindAsync(CancellationToken cancellationToken)
    {
        if (Variable("AWS_ACCESS_KEY_ID") is { } id && Variable("AWS_SECRET_ACCESS_KEY") is { } secret)
            return new AwsKeys(id, new Secret(secret), Variable("AWS_SESSION_TOKEN") is { } token ? new Secret(token) : null);
        if (Variable("AWS_WEB_IDENTITY_TOKEN_FILE") is { } file && Variable("AWS_ROLE_ARN") is { } role)
            return await web.LogInAsync(role, await ReadAsync(file, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return await ProfileKeys.ReadAsync(Variable("AWS_PROFILE") ?? "default").ConfigureAwait(false);
    }

    private string? Variable(string name) => ambient.Variable(name) is { Length: > 0 } value ? value : null;

    private async Task<Secret> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            var text = (await ambient.ReadFile(file, cancellationToken).ConfigureAwait(false)).Trim();
            if (text.Length is >= 20 and <= 20_000) return new Secret(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProviderException(ProviderFault.Misconfigured, $"The file that AWS_WEB_IDENTITY_TOKEN_FILE names could not be read ({e.GetType().Name}).", ProviderEffect.None);
        }

        throw new ProviderException(ProviderFault.Misconfigured, "The file that AWS_WEB_IDENTITY_TOKEN_FILE names holds no token.", ProviderEffect.None);
    }
}
