using System.Diagnostics;
using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>Where the signing keys live. It encrypts the private part at rest, with a purpose that holds the key's family and id.</summary>
public interface ISigningKeyStore
{
    /// <summary>All keys, retired ones included.</summary>
    Task<IReadOnlyList<StoredSigningKey>> LoadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Adds a key. False when the family already has one of this ordinal (another node was faster, which the database enforces), or when a successor comes so long after
    /// it was made that it would sign before others have learned it. The caller loads again.
    /// </summary>
    Task<bool> TryAddAsync(StoredSigningKey key, CancellationToken cancellationToken);
}

/// <summary>One signing key.</summary>
[DebuggerDisplay("{Family} {Ordinal} {KeyId}")]
public sealed record StoredSigningKey
{
    /// <summary>The row's id.</summary>
    public required Uid Uid { get; init; }

    /// <summary>The family: part of the encryption purpose.</summary>
    public required KeyFamily Family { get; init; }

    /// <summary>1 for the family's first key, then counting up. Unique within the family.</summary>
    public required int Ordinal { get; init; }

    /// <summary>The <c>kid</c>: the public key's thumbprint (RFC 7638).</summary>
    public required string KeyId { get; init; }

    /// <summary>The private key as unencrypted PKCS#8 (RFC 5958). Never printed.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public required byte[] Pkcs8 { get; init; }

    /// <summary>From when on the public part is in the JWKS document.</summary>
    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>From when on it signs, unless a later key does. Verifiers learn a key before its first use.</summary>
    public required DateTimeOffset UseFrom { get; init; }

    /// <summary>When it leaves the JWKS document and verifies nothing any more; null: when what its successor replaced has run out.</summary>
    public DateTimeOffset? RetireAt { get; init; }

    /// <summary>Names the key, never its private part.</summary>
    public override string ToString() => $"{Family} {Ordinal} {KeyId}";
}
