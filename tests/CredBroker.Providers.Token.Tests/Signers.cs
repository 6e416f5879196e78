using CredBroker.Core.Identity;
using CredBroker.Core.Signing;

namespace CredBroker.Providers.Token.Tests;

/// <summary>The broker's real signer and verifier, with keys in memory.</summary>
internal sealed class Signers(TimeProvider time, string publicUrl) : ISigningKeyStore, IIdentitySourceCatalog
{
    private readonly List<StoredSigningKey> _keys = [];

    public IReadOnlyList<RegisteredIdentitySource> Current => [];

    public InstallationOptions Installation { get; } = new() { Id = "test01", PublicUrl = publicUrl, WrappingKey = new byte[InstallationOptions.WrappingKeySize] };

    public async Task<(LeaseTokenSigner Signer, LeaseTokenVerifier Verifier)> CreateAsync()
    {
        var ring = new KeyRing(this, Installation, time);
        await ring.EnsureAsync(CancellationToken.None);
        return (new LeaseTokenSigner(ring, Installation, new ReservedAudiences(Installation, this), time), new LeaseTokenVerifier(ring, Installation, time));
    }

    public Task<IReadOnlyList<StoredSigningKey>> LoadAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<StoredSigningKey>>([.. _keys]);

    public Task<bool> TryAddAsync(StoredSigningKey key, CancellationToken cancellationToken)
    {
        _keys.Add(key);
        return Task.FromResult(true);
    }
}
