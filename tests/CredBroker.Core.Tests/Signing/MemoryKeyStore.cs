using System.Collections.Concurrent;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Tests.Signing;

/// <summary>Keeps keys as the database does: one of each ordinal in a family.</summary>
internal sealed class MemoryKeyStore : ISigningKeyStore
{
    private readonly ConcurrentDictionary<(KeyFamily, int), StoredSigningKey> _keys = new();

    public int Count => _keys.Count;

    public Task<IReadOnlyList<StoredSigningKey>> LoadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<StoredSigningKey>>([.. _keys.Values]);

    public Task<bool> TryAddAsync(StoredSigningKey key, CancellationToken cancellationToken) => Task.FromResult(_keys.TryAdd((key.Family, key.Ordinal), key));

    public void Change(StoredSigningKey key) => _keys[(key.Family, key.Ordinal)] = key;
}
