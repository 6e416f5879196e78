using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Signing;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Introspection;

/// <summary>
/// Says whether a lease token lives (RFC 7662), from its lease's effective state: inactive from the commit that killed it. A caller asks about audiences that
/// policy lets it ask about; whatever else it asks about is inactive, like garbage.
/// </summary>
public sealed class IntrospectionService(LeaseTokenVerifier verifier, ILeaseStore leases, Decider decider, StoreTime time)
{
    /// <summary>The token and its lease while it lives; null for everything else, without saying why.</summary>
    public async Task<(VerifiedLeaseToken Token, Lease Lease)?> IntrospectAsync(Caller caller, string token, CancellationToken cancellationToken)
    {
        // The signature comes before the database: nobody can make the broker look things up by sending garbage.
        if (await verifier.VerifyAsync(token) is not { } verified) return null;
        if (!decider.Introspect(caller, verified.Audience).Allowed) return null;
        // A clock that jumped ahead may be right.
        if (verified.ExpiresAt <= time.Latest) return null;
        var found = await leases.FindAsync(verified.LeaseId, cancellationToken);
        return found is { Effective.Live: true, Lease: { State: LeaseState.Active } lease } ? (verified, lease) : null;
    }
}
