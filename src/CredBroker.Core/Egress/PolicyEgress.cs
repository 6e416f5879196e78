using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;

namespace CredBroker.Core.Egress;

/// <summary>
/// The only way out. Names are resolved here, each address is held against the policy, and the connection goes to the very address that was
/// checked: a name that changes its mind between check and connect gains nothing.
/// </summary>
public sealed class PolicyEgress : IEgress
{
    private readonly EgressRule[] _allow;
    private readonly EgressRule[] _deny;
    private readonly bool _onlyAllowed;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    /// <summary>Takes a valid policy.</summary>
    /// <param name="policy">The operator's policy.</param>
    /// <param name="resolve">How names are resolved; null for the system's resolver.</param>
    /// <exception cref="FormatException">The policy is not valid.</exception>
    public PolicyEgress(EgressPolicy policy, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _allow = Parse(policy.Allow);
        _deny = Parse(policy.Deny);
        _onlyAllowed = policy.OnlyAllowed;
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        var name = EgressRule.Canonical(host);
        if (_deny.Any(rule => rule.Matches(name))) throw Denied(host, "its name is on the deny list");
        var addresses = IPAddress.TryParse(name.Trim('[', ']'), out var literal) ? [literal] : await _resolve(name, cancellationToken);
        var nameIsAllowed = literal is null && _allow.Any(rule => rule.Matches(name));
        var allowed = addresses.Where(address => IsAllowed(address, nameIsAllowed)).ToArray();
        return allowed.Length > 0 ? allowed : throw Denied(host, "none of its addresses is allowed");
    }

    /// <inheritdoc/>
    public HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null)
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = async (context, cancellationToken) =>
                new NetworkStream(await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken), ownsSocket: true),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 32,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // A changed policy or address is noticed.
            PreAuthenticate = false,
            UseCookies = false,
            UseProxy = false,
        };
        if (authorities is null) return handler;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        return handler;
    }

    private async Task<Socket> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = await ResolveAsync(host, port, cancellationToken);
        for (var i = 0; ; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], port), cancellationToken);
                return socket;
            }
            catch (SocketException) when (i + 1 < addresses.Count)
            {
                socket.Dispose(); // The next address may answer.
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private bool IsAllowed(IPAddress address, bool nameIsAllowed) => AddressRanges.Meanings(address).All(meaning =>
    {
        if (AddressRanges.IsAlwaysDenied(meaning) || _deny.Any(rule => rule.Matches(meaning))) return false;
        return nameIsAllowed || _allow.Any(rule => rule.Matches(meaning)) || (!_onlyAllowed && AddressRanges.IsPublic(meaning));
    });

    private static EgressDeniedException Denied(string host, string why) => new(
        $"The operator's egress policy does not allow a connection to {Printable(host)}: {why}. The setting is egress.allow; link-local and metadata addresses are always denied.");

    private static string Printable(string host) =>
        new([.. host.Take(255).Select(character => character is > ' ' and <= '~' ? character : '?')]);

    private static EgressRule[] Parse(IReadOnlyList<string> rules) =>
        [.. rules.Select(rule => EgressRule.Parse(rule) ?? throw new FormatException("The egress policy holds a rule that is none."))];
}
