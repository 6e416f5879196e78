using System.Security.Cryptography.X509Certificates;
using CredBroker.Client.Tokens;
using Grpc.Core;
using Grpc.Net.Client;

namespace CredBroker.Client.Transport;

internal static class Channels
{
    public static GrpcChannel Open(BrokerClientOptions options) => GrpcChannel.ForAddress(options.Address, new GrpcChannelOptions
    {
        HttpHandler = Handler(options),
        DisposeHttpClient = true,
        // No retries and no hedging below us: a repeat of IssueLease has to say so by its attempt.
        DisableResolverServiceConfig = true,
        ServiceConfig = null,
        Credentials = ChannelCredentials.Create(
            options.Address.Scheme == Uri.UriSchemeHttps ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
            CallCredentials.FromInterceptor((_, metadata) => AddTokenAsync(options.Token, metadata))),
        // Reached only for loopback: the options refuse http elsewhere.
        UnsafeUseInsecureChannelCallCredentials = options.Address.Scheme == Uri.UriSchemeHttp,
        MaxReceiveMessageSize = 16 * 1024 * 1024,
    });

    private static async Task AddTokenAsync(TokenSource source, Metadata metadata) =>
        metadata.Add("authorization", "Bearer " + await source.GetTokenAsync(CancellationToken.None).ConfigureAwait(false));

    private static SocketsHttpHandler Handler(BrokerClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
        };
        if (options.Address.IsLoopback) handler.UseProxy = false;
        if (options.CertificateAuthorityFile is not { } file) return handler;

        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(file);
        if (roots.Count == 0) throw new ArgumentException($"{file} holds no certificate.");
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        return handler;
    }
}
