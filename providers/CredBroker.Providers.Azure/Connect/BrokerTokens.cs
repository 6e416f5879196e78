using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>
/// The broker's own access tokens, one for each audience, and for no other audience than those of the services it talks to. They are kept for a few minutes
/// by the injected clock; each is asked for with a credential object of its own, whose cache would go by the machine's.
/// </summary>
internal sealed class BrokerTokens(ProviderContext context, AzureConfiguration configuration, AzureHttp http) : TokenCredential, IDisposable
{
    // The shortest life that a tenant can give its tokens is ten minutes.
    private static readonly TimeSpan Keep = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<string, (Secret Token, DateTimeOffset Until)> _kept = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1, 1);

    public async Task<Secret> GetAsync(string scope, CancellationToken cancellationToken)
    {
        if (Kept(scope) is { } kept) return kept;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Kept(scope) is { } meanwhile) return meanwhile;
            var token = await LogInAsync(scope, cancellationToken).ConfigureAwait(false);
            _kept[scope] = (token, context.Time.GetUtcNow() + Keep);
            return token;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Drops a token that a service no longer takes.</summary>
    public void Forget(string scope, Secret token)
    {
        if (_kept.TryGetValue(scope, out var kept) && kept.Token == token) _kept.TryRemove(KeyValuePair.Create(scope, kept));
    }

    /// <summary>What a token says of itself: Entra's tokens can be read, but promise no form, so that nothing rests on it alone.</summary>
    public static TokenClaims? ClaimsOf(Secret token)
    {
        var parts = token.Reveal().Split('.');
        if (parts.Length != 3) return null;
        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(parts[1]), AzureJson.Default.TokenClaims);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    /// <summary>For the SDK's key vault client: the vault names tenant and audience in its challenge, and is given neither another tenant's nor another audience's.</summary>
    public override async ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        if (requestContext.Scopes is not [var scope] || scope != http.Addresses.VaultScope)
            throw new ProviderException(ProviderFault.TargetMismatch, "The vault asks for a token of another audience than that of this cloud's key vaults.", ProviderEffect.None);
        if (requestContext.TenantId is { } tenant && !tenant.Equals(configuration.TenantId, StringComparison.OrdinalIgnoreCase))
            throw new ProviderException(ProviderFault.TargetMismatch, "The vault belongs to another tenant than this provider's.", ProviderEffect.None);
        var token = await GetAsync(scope, cancellationToken).ConfigureAwait(false);
        // Past at once: the client would keep it by the machine's clock, and asks here each time instead.
        return new AccessToken(token.Reveal(), DateTimeOffset.UnixEpoch);
    }

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Everything here is asynchronous.");

    public void Dispose() => _one.Dispose();

    private Secret? Kept(string scope) => _kept.TryGetValue(scope, out var kept) && context.Time.GetUtcNow() < kept.Until ? kept.Token : null;

    private async Task<Secret> LogInAsync(string scope, CancellationToken cancellationToken)
    {
        try
        {
            var credential = await CredentialAsync(cancellationToken).ConfigureAwait(false);
            var token = new Secret((await credential.GetTokenAsync(new TokenRequestContext([scope]), cancellationToken).ConfigureAwait(false)).Token);
            if (ClaimsOf(token)?.Tenant is { } tenant && !tenant.Equals(configuration.TenantId, StringComparison.OrdinalIgnoreCase))
                throw new ProviderException(ProviderFault.TargetMismatch, "The token endpoint answered for another tenant.", ProviderEffect.None);
            return token;
        }
        catch (Exception e) when (Faults.Translate(e, makes: false, cancellationToken) is { } translated)
        {
            throw Explain(translated);
        }
    }

    // Who is refused wants to know what must be trusted there.
    private ProviderException Explain(ProviderException failure)
    {
        if (failure.Fault != ProviderFault.Denied || configuration.Credential.Kind != AzureCredentialKind.WorkloadIdentity) return failure;
        var identity = context.Identity;
        return new ProviderException(
            failure.Fault, $"{failure.Message} The application must trust issuer {identity.Issuer}, subject {identity.Subject}, audience {identity.Audience}.", failure.Effect, failure.RetryAfter);
    }

    private async ValueTask<TokenCredential> CredentialAsync(CancellationToken cancellationToken)
    {
        var (tenant, client) = (configuration.TenantId, configuration.Credential.ClientId);
        switch (configuration.Credential.Kind)
        {
            case AzureCredentialKind.ClientSecret:
                var secret = await context.ResolveSecretAsync(configuration.Credential.Secret!, cancellationToken).ConfigureAwait(false);
                return new ClientSecretCredential(tenant, client, secret.Reveal(), Configure(new ClientSecretCredentialOptions { DisableInstanceDiscovery = true }));
            case AzureCredentialKind.ClientCertificate:
                var pem = await context.ResolveSecretAsync(configuration.Credential.Secret!, cancellationToken).ConfigureAwait(false);
                return new ClientCertificateCredential(tenant, client, ReadCertificate(pem), Configure(new ClientCertificateCredentialOptions { DisableInstanceDiscovery = true }));
            default:
                return new ClientAssertionCredential(
                    tenant, client, async token => (await context.Identity.MintAssertionAsync(token).ConfigureAwait(false)).Reveal(),
                    Configure(new ClientAssertionCredentialOptions { DisableInstanceDiscovery = true }));
        }
    }

    private T Configure<T>(T options)
        where T : TokenCredentialOptions
    {
        options.AuthorityHost = http.Addresses.Authority;
        return http.Configure(options);
    }

    internal static X509Certificate2 ReadCertificate(Secret pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem.Reveal(), pem.Reveal());
        }
        catch (CryptographicException)
        {
            throw new ProviderException(ProviderFault.Misconfigured, "The secret source does not hold a certificate and its private key in PEM.", ProviderEffect.None);
        }
    }
}
