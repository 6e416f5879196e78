using System.Data.Common;
using CredBroker.Core;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>One database: contexts that read, a context that migrates, and the writer's dialect.</summary>
internal abstract class Backend : IAsyncDisposable
{
    public abstract Dialect Dialect { get; }

    /// <summary>A context that reads.</summary>
    public abstract BrokerContext CreateForReading();

    /// <summary>An open connection that reads.</summary>
    public abstract Task<DbConnection> ConnectForReadingAsync(CancellationToken cancellationToken);

    /// <summary>A context whose connection may change the schema.</summary>
    public abstract BrokerContext CreateForMigration();

    /// <summary>The database's own clock; null where it has none.</summary>
    public abstract Task<DateTimeOffset?> AskTimeAsync(CancellationToken cancellationToken);

    /// <summary>Keeps other processes from migrating at the same time, until the answer is disposed.</summary>
    public abstract Task<IAsyncDisposable> LockForMigrationAsync(CancellationToken cancellationToken);

    /// <summary>Brings the schema to this version. False where others held what it needs, and nothing was changed.</summary>
    public abstract Task<bool> TryMigrateAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();

    public static Backend Of(StoreOptions options) =>
        options.Kind == DatabaseKind.Sqlite ? new SqliteBackend(options.Where, options.ForMigration) : new PostgresBackend(options.Where, options.ForMigration);
}

internal sealed class SqliteBackend : Backend
{
    private readonly string _connectionString;
    private readonly string _readOnly;
    private readonly PooledDbContextFactory<SqliteBrokerContext> _factory;
    private readonly SqliteFileLock _lock;
    private readonly Action<DbContextOptionsBuilder>? _forMigration;

    public SqliteBackend(string path, Action<DbContextOptionsBuilder>? forMigration)
    {
        _forMigration = forMigration;
        _lock = new SqliteFileLock(path);
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = SqliteOpenMode.ReadWrite }.ConnectionString;
        _readOnly = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = true }.ConnectionString;
        _factory = new PooledDbContextFactory<SqliteBrokerContext>(
            new DbContextOptionsBuilder<SqliteBrokerContext>().UseSqlite(_readOnly).UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking).Options);
        Dialect = new SqliteDialect(_connectionString, _lock.Take);
    }

    public override Dialect Dialect { get; }

    public override BrokerContext CreateForReading() => _factory.CreateDbContext();

    public override async Task<DbConnection> ConnectForReadingAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_readOnly);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override BrokerContext CreateForMigration()
    {
        var builder = new DbContextOptionsBuilder<SqliteBrokerContext>().UseSqlite(_connectionString);
        _forMigration?.Invoke(builder);
        return new SqliteBrokerContext(builder.Options);
    }

    public override Task<DateTimeOffset?> AskTimeAsync(CancellationToken cancellationToken) => Task.FromResult<DateTimeOffset?>(null);

    public override async Task<IAsyncDisposable> LockForMigrationAsync(CancellationToken cancellationToken)
    {
        _lock.Take();
        // EF's own lock is a row, which a killed process leaves behind, and which the next migration would wait for, for ever. Nobody else can
        // hold it while the file's lock is ours.
        await using var connection = new SqliteConnection(_connectionString);
        await connection.OpenAsync(cancellationToken);
        using var command = connection.CreateCommand();
        command.CommandText = "DROP TABLE IF EXISTS __EFMigrationsLock";
        await command.ExecuteNonQueryAsync(cancellationToken);
        return NothingHeld.Instance;
    }

    public override async Task<bool> TryMigrateAsync(CancellationToken cancellationToken)
    {
        await using var context = CreateForMigration();
        await context.Database.MigrateAsync(cancellationToken);
        return true;
    }

    public override ValueTask DisposeAsync()
    {
        using (var connection = new SqliteConnection(_readOnly)) SqliteConnection.ClearPool(connection);
        _lock.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class NothingHeld : IAsyncDisposable
    {
        public static readonly NothingHeld Instance = new();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

internal sealed class PostgresBackend : Backend
{
    // Any number that no other program uses: "credbroker" in ASCII, as far as it fits.
    private const long MigrationLock = 0x6372656462726f6b;
    private readonly NpgsqlDataSource _source;
    private readonly Action<DbContextOptionsBuilder>? _forMigration;
    private readonly PooledDbContextFactory<PostgresBrokerContext> _factory;

    public PostgresBackend(string connectionString, Action<DbContextOptionsBuilder>? forMigration)
    {
        _forMigration = forMigration;
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 200, IncludeErrorDetail = false };
        _source = NpgsqlDataSource.Create(settings);
        _factory = new PooledDbContextFactory<PostgresBrokerContext>(
            Configure(new DbContextOptionsBuilder<PostgresBrokerContext>()).UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking).Options);
        // The writer's connection lives as long as the process: it does not come from the pool.
        settings.Pooling = false;
        settings.KeepAlive = 30;
        Dialect = new PostgresDialect(settings.ConnectionString);
    }

    public override Dialect Dialect { get; }

    public override BrokerContext CreateForReading() => _factory.CreateDbContext();

    public override async Task<DbConnection> ConnectForReadingAsync(CancellationToken cancellationToken) => await _source.OpenConnectionAsync(cancellationToken);

    public override BrokerContext CreateForMigration()
    {
        var builder = Configure(new DbContextOptionsBuilder<PostgresBrokerContext>());
        _forMigration?.Invoke(builder);
        return new PostgresBrokerContext(builder.Options);
    }

    public override async Task<bool> TryMigrateAsync(CancellationToken cancellationToken)
    {
        await using var context = CreateForMigration();
        await context.Database.OpenConnectionAsync(cancellationToken);
        // Whoever waits for a table that nodes are using stands in the way of all that come after.
        await context.Database.ExecuteSqlRawAsync("SET lock_timeout = '2s'", cancellationToken);
        try
        {
            await context.Database.MigrateAsync(cancellationToken);
            return true;
        }
        catch (Exception e) when ((e as PostgresException ?? e.InnerException as PostgresException)?.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
    }

    public override async Task<DateTimeOffset?> AskTimeAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint");
        return Instants.FromMicros((long)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    public override async Task<IAsyncDisposable> LockForMigrationAsync(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT pg_catalog.pg_advisory_lock($1)", connection) { Parameters = { new() { Value = MigrationLock } } };
        // As long as another node needs for its migration: its end, however it ends, frees the lock.
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new AdvisoryLock(connection);
    }

    public override ValueTask DisposeAsync() => _source.DisposeAsync();

    private DbContextOptionsBuilder<PostgresBrokerContext> Configure(DbContextOptionsBuilder<PostgresBrokerContext> builder) =>
        builder.UseNpgsql(_source, npgsql => npgsql.MigrationsHistoryTable("__ef_migrations_history", PostgresBrokerContext.SchemaName));

    private sealed class AdvisoryLock(NpgsqlConnection connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            // A connection that goes back to its pool keeps its locks until it is used again.
            await using var command = new NpgsqlCommand("SELECT pg_catalog.pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = MigrationLock } } };
            await command.ExecuteNonQueryAsync();
            await connection.DisposeAsync();
        }
    }
}
