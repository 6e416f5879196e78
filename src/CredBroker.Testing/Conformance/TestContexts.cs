using System.Net;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>What a provider is given in a test.</summary>
public static class TestContexts
{
    /// <summary>
    /// A context whose egress lets everything out unless another is given, whose secrets are these, and whose identity is a <see cref="TestIdentity"/>.
    /// </summary>
    public static ProviderContext Create(
        TimeProvider time, IReadOnlyDictionary<string, string>? secrets = null, string installationId = "test01", IEgress? egress = null)
    {
        var provider = Uid.New(time);
        return new ProviderContext
        {
            ProviderUid = provider,
            Name = "under-test",
            InstallationId = installationId,
            Time = time,
            Egress = egress ?? new OpenEgress(),
            Identity = new TestIdentity(time, provider, installationId),
            ResolveSecretAsync = (reference, _) => secrets is not null && secrets.TryGetValue(reference.Source, out var value)
                ? ValueTask.FromResult(new Secret(value))
                : throw new KeyNotFoundException($"This test has no secret source {reference.Source}."),
        };
    }

    private sealed class OpenEgress : IEgress
    {
        public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken) =>
            await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);

        public HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null)
        {
            var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
            if (authorities is null) return handler;
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
            return handler;
        }
    }
}
