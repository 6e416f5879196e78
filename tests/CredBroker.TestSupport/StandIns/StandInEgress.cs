using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;

namespace CredBroker.TestSupport.StandIns;

/// <summary>
/// An egress that reaches one stand-in and nothing else: its hosts' real names lead to loopback, and its throwaway authority is the only one trusted.
/// Whatever a provider tries to reach beside it is refused and remembered.
/// </summary>
public sealed class StandInEgress : IEgress
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _hosts;
    private readonly List<string> _refused = [];
    private readonly int _port;
    private readonly TestAuthority? _authority;

    internal StandInEgress(IEnumerable<string> hosts, int port, TestAuthority? authority)
    {
        _hosts = new(hosts, StringComparer.OrdinalIgnoreCase) { "localhost", "127.0.0.1" };
        _port = port;
        _authority = authority;
    }

    /// <summary>Whom a provider tried to reach in vain.</summary>
    public IReadOnlyList<string> Refused
    {
        get
        {
            lock (_lock) return [.. _refused];
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken)
    {
        if (_hosts.Contains(host)) return Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Loopback]);
        lock (_lock) _refused.Add(host);
        throw new EgressDeniedException($"This test has no {host}.");
    }

    /// <inheritdoc/>
    public HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectCallback = ConnectAsync };
        if (_authority is not null) handler.SslOptions.CertificateChainPolicy = _authority.Trust();
        if (authorities is null) return handler;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        return handler;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var address = (await ResolveAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken))[0];
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, _port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
