using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Children;

/// <summary>Moves the end of a token and of what was read with it. The target counts from now and may give less than asked: what it gave is what is answered.</summary>
internal sealed class ChildRenewal(ProviderContext context, BrokerSessions sessions, ChildTokens tokens)
{
    public async Task<DateTimeOffset> RunAsync(RenewRequest request, CancellationToken cancellationToken)
    {
        if (context.Time.GetUtcNow() >= request.Deadline) throw new ProviderException(ProviderFault.Credential, "The deadline for renewing has passed.", ProviderEffect.None);
        var handle = ChildHandle.Open(request.Handle, await sessions.GetAsync(cancellationToken).ConfigureAwait(false));
        if (handle is null) throw new ProviderException(ProviderFault.Credential, "No accessor is on record to renew by.", ProviderEffect.None);
        if (handle.Lasts || handle.MayHaveUnknownLease) throw new ProviderException(ProviderFault.NotSupported, "What was read has no lease that could be renewed.", ProviderEffect.None);
        var ends = await tokens.ExtendAsync(handle.Accessor, request.ExpiresAt, cancellationToken).ConfigureAwait(false);
        foreach (var lease in handle.Leases)
        {
            var leaseEnds = await ExtendLeaseAsync(lease, request.ExpiresAt, cancellationToken).ConfigureAwait(false);
            if (leaseEnds < ends) ends = leaseEnds;
        }

        return ends;
    }

    /// <summary>Moves the end of one lease.</summary>
    public async Task<DateTimeOffset> ExtendLeaseAsync(string lease, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var increment = Durations.WholeSeconds(expiresAt - context.Time.GetUtcNow());
        var call = VaultCall.Post("sys/leases/renew", new LeaseBody(lease, Increment: increment), VaultJson.Default.LeaseBody, reachesEngine: true);
        var (reply, _) = await sessions.SendAsync(call, cancellationToken).ConfigureAwait(false);
        if (reply.Says("not renewable")) throw new ProviderException(ProviderFault.NotSupported, "The engine's leases cannot be renewed.", ProviderEffect.None);
        if (reply.Says("lease not found") || reply.Says("lease expired") || reply.Says("lease is expired"))
            throw new ProviderException(ProviderFault.Credential, "The lease is not there any more.", ProviderEffect.None);
        var given = reply.Require().Answer.LeaseDuration;
        return given > 0 ? context.Time.GetUtcNow() + TimeSpan.FromSeconds(given) : throw Faults.Unintelligible(call);
    }
}
