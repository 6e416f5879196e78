using System.Net;
using System.Security.Cryptography;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>What a provider is given in a test.</summary>
public static class TestContexts
{
    /// <summary>A context whose egress lets everything out, and whose secrets are these.</summary>
    public static ProviderContext Create(TimeProvider time, IReadOnlyDictionary<string, string>? secrets = null, string installationId = "test01") => new()
    {
        ProviderUid = Uid.New(time),
        Name = "under-test",
        InstallationId = installationId,
        Time = time,
        Egress = new OpenEgress(),
        Identity = new NoIdentity(),
        ResolveSecretAsync = (reference, _) => secrets is not null && secrets.TryGetValue(reference.Source, out var value)
            ? ValueTask.FromResult(new Secret(value))
            : throw new KeyNotFoundException($"This test has no secret source {reference.Source}."),
    };

    private sealed class OpenEgress : IEgress
    {
        public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken) =>
            await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);

        public HttpMessageHandler CreateHttpHandler() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
    }

    private sealed class NoIdentity : IBrokerIdentity
    {
        public ValueTask<Secret> MintAssertionAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult(new Secret(Convert.ToHexString(RandomNumberGenerator.GetBytes(32))));
    }
}
