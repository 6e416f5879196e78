using CredBroker.EntityFrameworkCore.Clocks;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>The database as a whole: its schema, and whether this process can use what is in it.</summary>
public sealed class BrokerDatabase
{
    private readonly Backend _backend;
    private readonly BrokerWriter _writer;
    private readonly KeyRingCheck _keyRing;
    private readonly ReferenceClock _clock;

    internal BrokerDatabase(Backend backend, BrokerWriter writer, KeyRingCheck keyRing, ReferenceClock clock) =>
        (_backend, _writer, _keyRing, _clock) = (backend, writer, keyRing, clock);

    /// <summary>The migrations that this version brings and the database does not have; all of them for one that does not exist.</summary>
    public async Task<IReadOnlyList<string>> PendingMigrationsAsync(CancellationToken cancellationToken)
    {
        await using var context = _backend.CreateForMigration();
        return [.. await context.Database.GetPendingMigrationsAsync(cancellationToken)];
    }

    /// <summary>
    /// Brings the schema to this version, one process at a time, and checks that the key ring can be read: a wrong wrapping key must show before
    /// anything is issued. To be called at start, before anything else.
    /// </summary>
    /// <exception cref="Core.Leases.StoreUnavailableException">Another process has the SQLite file, or the server could lose what it answered.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The key ring was wrapped by another key, or lacks a key that a handle needs.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var held = await _backend.LockForMigrationAsync(cancellationToken);
        await using (var context = _backend.CreateForMigration())
        {
            if ((await context.Database.GetPendingMigrationsAsync(cancellationToken)).Any()) await context.Database.MigrateAsync(cancellationToken);
        }

        // Before anything is written by it.
        await _clock.MeasureAsync(cancellationToken);
        // Connects, and so says what is wrong with the server before anybody waits for it.
        await _writer.WriteAsync(LockSet.None, static _ => Task.FromResult(true), cancellationToken);
        // Still under the lock: of several nodes that start at once, one makes the first key.
        await _keyRing.RunAsync(cancellationToken);
    }
}
