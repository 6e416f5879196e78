using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Clocks;
using CredBroker.EntityFrameworkCore.Protection;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>The database as a whole: its schema, and whether this process can use what is in it.</summary>
public sealed class BrokerDatabase
{
    // Each waits for two seconds at most.
    private const int MostAttempts = 30;
    private readonly Backend _backend;
    private readonly BrokerWriter _writer;
    private readonly KeyRingCheck _keyRing;
    private readonly ReferenceClock _clock;
    private readonly SchemaFloor _floor;

    internal BrokerDatabase(Backend backend, BrokerWriter writer, KeyRingCheck keyRing, ReferenceClock clock, SchemaFloor floor) =>
        (_backend, _writer, _keyRing, _clock, _floor) = (backend, writer, keyRing, clock, floor);

    /// <summary>Completes when a newer version has taken away what this one needs: it can do nothing any more but end, so that whoever holds a line to it turns to another node.</summary>
    public Task ShutOut => _floor.Over;

    /// <summary>The migrations that this version brings and the database does not have; all of them for one that does not exist.</summary>
    public async Task<IReadOnlyList<string>> PendingMigrationsAsync(CancellationToken cancellationToken)
    {
        await using var context = _backend.CreateForMigration();
        return [.. await context.Database.GetPendingMigrationsAsync(cancellationToken)];
    }

    /// <summary>
    /// Brings the schema to this version, one process at a time and beside nodes of the version before, and checks that the key ring can be read: a wrong wrapping key must show before
    /// anything is issued. To be called at start, before anything else.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Another process has the SQLite file, the server could lose what it answered, or the database is of a version that this one is too old for.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The key ring was wrapped by another key, or lacks a key that a handle needs.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var held = await _backend.LockForMigrationAsync(cancellationToken);
        await using (var context = _backend.CreateForMigration())
        {
            var fresh = !(await context.Database.GetAppliedMigrationsAsync(cancellationToken)).Any();
            if (!fresh && (await context.SchemaFloor.Select(row => row.OldestMigration).ToListAsync(cancellationToken)).Exists(oldest => !_floor.Allows(oldest))) throw _floor.Fallen();
            if ((await context.Database.GetPendingMigrationsAsync(cancellationToken)).Any()) await MigrateSchemaAsync(cancellationToken);
        }

        // Before anything is written by it.
        await _clock.MeasureAsync(cancellationToken);
        // Connects, and so says what is wrong with the server before anybody waits for it.
        await _writer.WriteAsync(LockSet.None, static _ => Task.FromResult(true), cancellationToken);
        // Still under the lock: of several nodes that start at once, one makes the first key.
        await _keyRing.RunAsync(cancellationToken);
    }

    private async Task MigrateSchemaAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; !await _backend.TryMigrateAsync(cancellationToken); attempt++)
        {
            if (attempt == MostAttempts)
                throw new StoreUnavailableException("Others always held what the migration needs to lock: look for long transactions in the database, such as a backup, and start again. Nothing was changed.", outcomeUnknown: false);
        }
    }
}
