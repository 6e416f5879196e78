using Google.Protobuf;

namespace CredBroker.Manifests.Planning;

/// <summary>
/// Where manifests are applied: a running broker through its API, or the broker's own registry at its start. It speaks in the
/// contract's messages, and decides by itself as whom it acts.
/// </summary>
public interface IManifestTarget
{
    /// <summary>The resource with that full name, or null.</summary>
    Task<IMessage?> GetAsync(ResourceKind kind, string name, CancellationToken cancellationToken);

    /// <summary>All resources of a kind.</summary>
    Task<IReadOnlyList<IMessage>> ListAsync(ResourceKind kind, CancellationToken cancellationToken);

    /// <summary>Creates a resource that isn't there.</summary>
    Task CreateAsync(Manifest manifest, CancellationToken cancellationToken);

    /// <summary>Makes a resource what the manifest says, in all its fields, if its etag is still that one.</summary>
    Task UpdateAsync(Manifest manifest, string etag, CancellationToken cancellationToken);

    /// <summary>Deletes a resource, if its etag is still that one.</summary>
    Task DeleteAsync(ResourceKind kind, string name, string etag, CancellationToken cancellationToken);
}
