using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;

namespace CredBroker.Providers.Vault.Session;

/// <summary>Logs the broker in, and says where.</summary>
internal sealed class BrokerLogin(ProviderContext context, VaultConfiguration configuration, VaultClient client)
{
    public async Task<BrokerSession> RunAsync(CancellationToken cancellationToken)
    {
        // The identity is asked on both sides of the log-in: a name that leads to another cluster meanwhile is found out.
        var before = await IdentifyAsync(cancellationToken).ConfigureAwait(false);
        var sent = context.Time.GetUtcNow();
        var reply = await client.SendAsync(await CallAsync(cancellationToken).ConfigureAwait(false), null, cancellationToken).ConfigureAwait(false);
        if (!reply.Succeeded) throw Refused(reply);
        if (reply.Answer.Auth is not { ClientToken.Value: { } token } auth) throw Faults.Unintelligible(reply.Call);
        var after = await IdentifyAsync(cancellationToken).ConfigureAwait(false);
        if (before != after) throw new ProviderException(ProviderFault.TargetMismatch, $"The address leads to {before} and to {after}: it must lead to one cluster.", ProviderEffect.None);
        var life = TimeSpan.FromSeconds(auth.LeaseDuration > 0 ? auth.LeaseDuration : TimeSpan.FromDays(1).TotalSeconds); // 0: it never ends.
        return new BrokerSession(token, after, life, sent + life, auth.Renewable);
    }

    /// <summary>Which cluster answers. The status is a caller's choice there and says little: the body counts.</summary>
    public async Task<string> IdentifyAsync(CancellationToken cancellationToken)
    {
        var (health, _) = await HealthAsync(cancellationToken).ConfigureAwait(false);
        return IdentityOf(health);
    }

    public string IdentityOf(VaultHealth health)
    {
        if (!health.Initialized) throw new ProviderException(ProviderFault.Misconfigured, "The server is not initialised.", ProviderEffect.None);
        if (health.Sealed) throw new ProviderException(ProviderFault.Unreachable, "The server is sealed: unseal it.", ProviderEffect.None);
        if (health.ClusterId is not { Length: > 0 and <= 128 } cluster || !Names.IsSegment(cluster))
            throw new ProviderException(ProviderFault.Unreachable, "The server does not say which cluster it belongs to.", ProviderEffect.None);
        return configuration.Namespace is { } name ? $"{cluster}/{name}" : cluster;
    }

    public async Task<(VaultHealth Health, DateTimeOffset At)> HealthAsync(CancellationToken cancellationToken)
    {
        // Health is refused within a namespace.
        var call = VaultCall.Get("sys/health", "standbyok=true&perfstandbyok=true");
        var reply = await client.SendAsync(call, null, cancellationToken, inNamespace: false).ConfigureAwait(false);
        if (!reply.Succeeded && reply.Status is not (429 or 472 or 473 or 501 or 503)) throw Faults.From(reply);
        try
        {
            return (JsonSerializer.Deserialize(reply.Body, VaultJson.Default.VaultHealth) ?? throw Faults.Unintelligible(call), reply.At);
        }
        catch (JsonException)
        {
            throw reply.Succeeded ? Faults.Unintelligible(call) : Faults.From(reply);
        }
    }

    // Who is refused wants to know what must be trusted there.
    private ProviderException Refused(VaultReply reply)
    {
        var failure = Faults.From(reply);
        if (configuration.Auth.Jwt is null || failure.Fault != ProviderFault.Denied) return failure;
        var identity = context.Identity;
        return new ProviderException(failure.Fault, $"{failure.Message} The method must trust issuer {identity.Issuer}, subject {identity.Subject}, audience {identity.Audience}.", failure.Effect);
    }

    private async Task<VaultCall> CallAsync(CancellationToken cancellationToken)
    {
        if (configuration.Auth.Jwt is { } jwt)
            return Call(jwt.Mount, ("role", jwt.Role), ("jwt", (await context.Identity.MintAssertionAsync(cancellationToken).ConfigureAwait(false)).Reveal()));
        if (configuration.Auth.AppRole is { } role)
            return Call(role.Mount, ("role_id", role.RoleId), ("secret_id", (await context.ResolveSecretAsync(role.SecretId, cancellationToken).ConfigureAwait(false)).Reveal().Trim()));
        var account = configuration.Auth.Kubernetes!;
        return Call(account.Mount, ("role", account.Role), ("jwt", (await context.ResolveSecretAsync(account.Token, cancellationToken).ConfigureAwait(false)).Reveal().Trim()));
    }

    private static VaultCall Call(string mount, params (string Name, string Value)[] body) => VaultCall.Post(
        $"auth/{mount}/login",
        body.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal),
        VaultJson.Default.IReadOnlyDictionaryStringString);
}
