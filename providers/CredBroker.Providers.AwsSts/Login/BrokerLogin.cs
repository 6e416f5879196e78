using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Protocol;

namespace CredBroker.Providers.AwsSts.Login;

/// <summary>The broker's own keys at AWS: those of a session are kept until shortly before its end, and fetched once however many ask.</summary>
internal sealed class BrokerLogin(ProviderContext context, AwsStsConfiguration configuration, QueryClient sts, AmbientSettings ambient) : IDisposable
{
    // A session is left before it ends: a call signed with it must still arrive.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private AwsKeys? _keys;

    /// <summary>
    /// Whether sessions that these keys open are chained: AWS lets those live for an hour at most, and fails what asks for more.
    /// </summary>
    public static bool Chains(AwsKeys keys) => keys.SessionToken is not null;

    /// <summary>Keys that are good for a while.</summary>
    /// <exception cref="ProviderException">The broker could not log in; whatever was to be done was not begun.</exception>
    public async Task<AwsKeys> GetAsync(CancellationToken cancellationToken)
    {
        if (Current() is { } current) return current;
        try
        {
            await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new ProviderException(ProviderFault.Unreachable, "The call was cancelled before anything was sent.", ProviderEffect.None);
        }

        try
        {
            return Current() ?? (_keys = await FetchAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (ProviderException e) when (e.Effect != ProviderEffect.None)
        {
            // A login makes nothing that anybody else could use.
            throw new ProviderException(e.Fault, e.Message, ProviderEffect.None, e.RetryAfter);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Forgets keys that AWS has refused as no longer valid.</summary>
    public void Forget(AwsKeys keys) => Interlocked.CompareExchange(ref _keys, null, keys);

    public void Dispose() => _one.Dispose();

    private AwsKeys? Current() => Volatile.Read(ref _keys) is { } keys && (keys.ExpiresAt is null || context.Time.GetUtcNow() < keys.ExpiresAt - Margin) ? keys : null;

    private async Task<AwsKeys> FetchAsync(CancellationToken cancellationToken)
    {
        var web = new WebIdentityLogin(sts, context);
        if (configuration.Credentials.WebIdentity is { } identity)
        {
            var assertion = await context.Identity.MintAssertionAsync(cancellationToken).ConfigureAwait(false);
            return await web.LogInAsync(identity.RoleArn, assertion, cancellationToken).ConfigureAwait(false);
        }

        if (!ambient.IsAllowedFor(context.Name))
        {
            throw new ProviderException(
                ProviderFault.Misconfigured,
                $"The operator has not given this provider the credentials of the broker's process. Name it in {AmbientSettings.AllowVariable}, or use webIdentity.",
                ProviderEffect.None);
        }

        var keys = configuration.Credentials.Profile is { } profile
            ? await ProfileKeys.ReadAsync(profile.Name).ConfigureAwait(false)
            : await new DefaultChain(ambient, web).FindAsync(cancellationToken).ConfigureAwait(false);
        return AreKeys(keys) ? keys : throw new ProviderException(ProviderFault.Misconfigured, "What the operator gave the broker's process has not the form of AWS keys.", ProviderEffect.None);
    }

    // Two of them become headers. What is no key shall not be sent to find that out.
    private static bool AreKeys(AwsKeys keys) =>
        keys.AccessKeyId.Length is >= 16 and <= 128 && keys.AccessKeyId.All(char.IsAsciiLetterOrDigit)
        && IsPrintable(keys.SecretAccessKey, 256) && (keys.SessionToken is not { } token || IsPrintable(token, 16 * 1024));

    private static bool IsPrintable(Secret secret, int most) => secret.Reveal() is { } text && text.Length > 0 && text.Length <= most && text.All(character => character is > ' ' and <= '~');
}
