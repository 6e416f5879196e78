using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Session;

/// <summary>
/// The broker's own log-in at one target. A service token is known to the cluster that made it and to no other: what accepts it is the target whose identity
/// stands here.
/// </summary>
/// <param name="Token">The token.</param>
/// <param name="Identity">The target: the cluster's id, and the namespace if there is one.</param>
/// <param name="Life">How long it was given when it was made.</param>
/// <param name="ExpiresAt">When it ends unless it is renewed.</param>
/// <param name="Renewable">Whether it can be.</param>
internal sealed record BrokerSession(Secret Token, string Identity, TimeSpan Life, DateTimeOffset ExpiresAt, bool Renewable)
{
    /// <summary>From when on it is to be renewed: with a third of its life left, so that an outage of some length does not end it.</summary>
    public DateTimeOffset RenewAt => ExpiresAt - (Life / 3);
}
