using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Abstractions;

/// <summary>
/// The operator's egress policy: the addresses that the broker may connect to, checked on the resolved address at connect time.
/// Link-local and metadata addresses are always denied.
/// </summary>
public interface IEgress
{
    /// <summary>The addresses of a host that may be connected to. Connect to one of these, and keep the name for TLS.</summary>
    /// <exception cref="EgressDeniedException">None is allowed.</exception>
    Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken);

    /// <summary>A handler that connects under the policy, follows no redirects and keeps no cookies. The caller disposes it.</summary>
    /// <param name="authorities">Who may certify a server, instead of those that the system trusts; null for the system's.</param>
    HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null);
}

/// <summary>The egress policy does not allow this connection.</summary>
/// <param name="message">Which host, and what to change in the operator's file.</param>
public sealed class EgressDeniedException(string message) : Exception(message);

/// <summary>The broker's own attested identity towards one provider's target: an RS256 token of the federation key family.</summary>
public interface IBrokerIdentity
{
    /// <summary>A fresh assertion whose subject is <c>installation:provider:uid</c> and whose audience is this provider's own.</summary>
    ValueTask<Secret> MintAssertionAsync(CancellationToken cancellationToken);

    /// <summary>
    /// A fresh assertion for what was made at this target for one lease: the subject is <c>installation:lease:uid</c>, so that neither the broker's own
    /// log-in nor another lease's identity can be had with it.
    /// </summary>
    ValueTask<Secret> MintLeaseAssertionAsync(Uid lease, CancellationToken cancellationToken);

    /// <summary>The issuer of these assertions, as the target must be told to trust it.</summary>
    string Issuer { get; }

    /// <summary>The subject of the broker's own log-in.</summary>
    string Subject { get; }

    /// <summary>The audience of every assertion for this provider.</summary>
    string Audience { get; }
}

/// <summary>Signs lease tokens (ES256, the lease key family). Given to local provider types alone.</summary>
public interface ILeaseTokenSigner
{
    /// <summary>Signs a token for one lease.</summary>
    /// <exception cref="ProviderException">The audience is reserved: the broker's own, a cloud's token exchange, or a provider's log-in.</exception>
    ValueTask<Secret> SignAsync(LeaseToken token, CancellationToken cancellationToken);

    /// <summary>Whether a lease token for this audience would be refused.</summary>
    bool IsReservedAudience(string audience);

    /// <summary>What identifies this signer as a target: its issuer URL.</summary>
    string Issuer { get; }
}

/// <summary>What a lease token says.</summary>
public sealed record LeaseToken
{
    /// <summary>The lease: the token's <c>jti</c>.</summary>
    public required Uid LeaseId { get; init; }

    /// <summary>The task.</summary>
    public required Uid TaskId { get; init; }

    /// <summary>The workload, as <c>source/subject</c>: the token's <c>sub</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>The one audience.</summary>
    public required string Audience { get; init; }

    /// <summary>The token's <c>exp</c>.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The token's <c>scope</c>, space-separated on the wire (RFC 8693, section 4.2).</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Further string claims; registered names are refused.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();
}
