using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault.Children;

/// <summary>
/// Ends what was made for a lease: each known lease in step with its backend, then the token, then a look at both. Every step can be repeated. A success is no
/// proof, and "invalid lease" is one only for an id that was stored: a lease that was forgotten by force answers the same, and this never forces.
/// </summary>
internal sealed class ChildRevocation(ProviderContext context, VaultConfiguration configuration, BrokerSessions sessions, ChildTokens tokens, ChildListing listing)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PendingLook = TimeSpan.FromSeconds(30);

    public async Task<RevokeOutcome> RunAsync(RevokeRequest request, bool lasts, CancellationToken cancellationToken)
    {
        if (!Names.IsExternalName(request.ExternalName) || !Names.IsMark(request.Mark))
            throw new ProviderException(ProviderFault.Credential, "This is no name and no mark of ours.", ProviderEffect.None);
        tokens.Close(request);
        var session = await sessions.GetAsync(cancellationToken).ConfigureAwait(false);
        var handle = ChildHandle.Open(request.Handle, session);
        if (handle is null)
        {
            if (!configuration.Listing) return await LapseAsync(request, cancellationToken).ConfigureAwait(false);
            (handle, var listedAt) = await listing.FindAsync(request, session, cancellationToken).ConfigureAwait(false);
            if (handle is null) return Absent(request, session, lasts, listedAt);
        }

        foreach (var lease in handle.Leases) await RevokeLeaseAsync(lease, cancellationToken).ConfigureAwait(false);
        (await CallAsync(ChildTokens.RevokeAccessor(handle.Accessor), cancellationToken).ConfigureAwait(false)).Require();
        return await ProveAsync(request, handle, lasts || handle.Lasts, cancellationToken).ConfigureAwait(false);
    }

    private async Task RevokeLeaseAsync(string lease, CancellationToken cancellationToken)
    {
        // The default differs between products, and without it the call is only queued.
        var call = VaultCall.Post("sys/leases/revoke", new LeaseBody(lease, Sync: true), VaultJson.Default.LeaseBody, reachesEngine: true);
        var reply = await CallAsync(call, cancellationToken).ConfigureAwait(false);
        if (reply.Succeeded) return;
        var failure = Faults.From(reply);
        if (failure.Fault != ProviderFault.Credential) throw failure;
        var look = await LookUpLeaseAsync(lease, cancellationToken).ConfigureAwait(false);
        if (!look.Succeeded || look.Data(VaultJson.Default.VaultLeaseState).RevokeError is not { Length: > 0 } error) throw failure;
        throw new ProviderException(
            ProviderFault.Credential, $"The target has given up on this lease (irrevocable); the broker has not, and asks again. {failure.Message} It says: {Faults.Clean(error)}", failure.Effect);
    }

    private async Task<RevokeOutcome> ProveAsync(RevokeRequest request, ChildHandle handle, bool lasts, CancellationToken cancellationToken)
    {
        foreach (var lease in handle.Leases)
        {
            var seen = await LookUpLeaseAsync(lease, cancellationToken).ConfigureAwait(false);
            if (seen.Succeeded) return Settling(handle, "The lease is still there.", handle.Seal());
            if (!seen.Says("invalid lease")) throw Faults.From(seen);
        }

        var look = await CallAsync(ChildTokens.LookUp(handle.Accessor), cancellationToken).ConfigureAwait(false);
        if (look.Succeeded) return Settling(handle, "The token is still there.", handle.Seal());
        if (!look.Says("invalid accessor")) throw Faults.From(look);
        if (lasts) return Lasting(request, handle.Target, look.At, "The token it was read with is revoked; what was read lasts until its own end.");
        if (handle.MayHaveUnknownLease) return await ProveUnknownLeaseAsync(request, handle, look.At, cancellationToken).ConfigureAwait(false);
        var leases = handle.Leases.Count == 0 ? "" : $"\"invalid lease\" for the lease of {PathOf(handle.Leases[0])}, and ";
        return Gone(request, handle.Target, handle.Leases.Count == 0 ? "token_absent" : "lease_and_token_absent", $"Asked after revoking, the target answers {leases}\"invalid accessor\" for the token, at {handle.Target}.", look.At);
    }

    /// <summary>
    /// The answer with the lease's id was lost. The token's end has queued it for revocation, which a look-up shows as expired until it is done: once nothing under
    /// the path is in that state, this is not either.
    /// </summary>
    private async Task<RevokeOutcome> ProveUnknownLeaseAsync(RevokeRequest request, ChildHandle handle, DateTimeOffset at, CancellationToken cancellationToken)
    {
        if (request.MayStillArriveUntil is { } arrival && Earlier(at, context.Time.GetUtcNow()) < arrival)
            return new RevokeOutcome.Settling(handle.Target, arrival + TimeSpan.FromSeconds(1), "The call that reads the secret may still be worked on; its token is revoked.", handle.Seal());
        var list = await CallAsync(VaultCall.List($"sys/leases/lookup/{handle.Path}/"), cancellationToken).ConfigureAwait(false);
        if (list.Status == 403)
            return Lasting(request, handle.Target, at, $"Its token is revoked, and with it what was read was queued for revocation; that this is done cannot be seen without list and sudo on sys/leases/lookup/{handle.Path}.");
        if (list.Status != 404)
        {
            foreach (var key in list.Require().Data(VaultJson.Default.VaultKeys).Keys ?? [])
            {
                var seen = await LookUpLeaseAsync($"{handle.Path}/{key}", cancellationToken).ConfigureAwait(false);
                if (seen.Succeeded && seen.Data(VaultJson.Default.VaultLeaseState) is { Ttl: <= 0 } pending)
                {
                    var givenUp = pending.RevokeError is null ? "" : ", and the target has given up on it: revoke it by hand, in step";
                    return new RevokeOutcome.Settling(handle.Target, context.Time.GetUtcNow() + PendingLook, $"A lease under {handle.Path} is still being revoked{givenUp}.", handle.Seal());
                }

                if (!seen.Succeeded && !seen.Says("invalid lease")) throw Faults.From(seen);
            }
        }

        return Gone(request, handle.Target, "token_absent_none_pending", $"The token is revoked (\"invalid accessor\"), and no lease under {handle.Path} is waiting to be revoked, at {handle.Target}.", at);
    }

    // Nothing is read before its token is on record, so that what has no token was never read, or its token was revoked before.
    private RevokeOutcome Absent(RevokeRequest request, BrokerSession session, bool lasts, DateTimeOffset now)
    {
        var value = lasts ? "; a value that was read before is not invalidated" : "";
        return Gone(request, session.Identity, "token_absent", $"No token at {session.Identity} has the name {request.ExternalName}{value}.", now);
    }

    /// <summary>
    /// Neither a handle nor a right to list: no token was ever given more than two minutes without being on record. What the broker has on record may be older than what
    /// happened, though (a restored backup), so that it waits out the longest life there can be.
    /// </summary>
    private async Task<RevokeOutcome> LapseAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        var identity = await sessions.Login.IdentifyAsync(cancellationToken).ConfigureAwait(false);
        var now = (await sessions.Login.HealthAsync(cancellationToken).ConfigureAwait(false)).At;
        return Lasting(request, identity, now, "No accessor is on record and the provider may not list tokens; a token that is not on record lapses within two minutes, and no other outlives this instant.");
    }

    // When the target's clock, which shows whole seconds, will have reached it.
    private RevokeOutcome Lasting(RevokeRequest request, string identity, DateTimeOffset now, string text) => now < request.PossibleDeathAt
        ? new RevokeOutcome.ExpiresAt(identity, context.Time.GetUtcNow() + (request.PossibleDeathAt - now) + TimeSpan.FromSeconds(1))
        : new RevokeOutcome.Expired(identity, new Evidence("lapsed", text, now));

    // By both clocks: the call was timed by the broker's, and the evidence is by the target's, which shows whole seconds.
    private RevokeOutcome Gone(RevokeRequest request, string identity, string kind, string text, DateTimeOffset at) =>
        request.MayStillArriveUntil is { } arrival && Earlier(at, context.Time.GetUtcNow()) < arrival
            ? new RevokeOutcome.Settling(identity, arrival + TimeSpan.FromSeconds(1), "The issuing call may still take effect.", request.Handle)
            : new RevokeOutcome.Gone(identity, new Evidence(kind, text, at));

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;

    private RevokeOutcome.Settling Settling(ChildHandle handle, string reason, Handle seal) => new(handle.Target, context.Time.GetUtcNow() + Soon, reason, seal);

    private Task<VaultReply> LookUpLeaseAsync(string lease, CancellationToken cancellationToken) =>
        CallAsync(VaultCall.Post("sys/leases/lookup", new LeaseBody(lease), VaultJson.Default.LeaseBody), cancellationToken);

    private async Task<VaultReply> CallAsync(VaultCall call, CancellationToken cancellationToken) => (await sessions.SendAsync(call, cancellationToken).ConfigureAwait(false)).Reply;

    private static string PathOf(string lease) => lease[..Math.Max(0, lease.LastIndexOf('/'))];
}
