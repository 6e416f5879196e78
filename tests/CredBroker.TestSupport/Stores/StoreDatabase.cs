using System.Data.Common;
using CredBroker.EntityFrameworkCore;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.TestSupport.Postgres;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace CredBroker.TestSupport.Stores;

/// <summary>An empty database of its own, on which nodes are started; gone when disposed.</summary>
public abstract class StoreDatabase : IAsyncDisposable
{
    /// <summary>The wrapping key of the nodes, unless a test says otherwise.</summary>
    public static byte[] WrappingKey { get; } = [.. Enumerable.Range(1, 32).Select(value => (byte)value)];

    /// <summary>What stands before a table's name.</summary>
    public abstract string Schema { get; }

    /// <summary>Whether several nodes may use it at once.</summary>
    public abstract bool TakesSeveralNodes { get; }

    /// <summary>A fresh database.</summary>
    public static async Task<StoreDatabase> CreateAsync(DatabaseKind kind) =>
        kind == DatabaseKind.Sqlite ? new SqliteStoreDatabase() : new PostgresStoreDatabase(await PostgresServer.CreateDatabaseAsync().ConfigureAwait(false));

    /// <summary>Points a store at it.</summary>
    public abstract void Use(StoreOptions options);

    /// <summary>Starts a node: its own writer, key ring and contexts, migrated. A database for several nodes has the clock <paramref name="time"/>; the node's is <paramref name="machine"/>, if that is another.</summary>
    public async Task<StoreNode> StartAsync(FakeTimeProvider time, Action<StoreOptions>? configure = null, TimeProvider? machine = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton(machine ?? time);
        services.AddCredBrokerStore(options =>
        {
            Use(options);
            if (TakesSeveralNodes) options.DatabaseTime = time.GetUtcNow;
            options.WrappingKey = WrappingKey;
            configure?.Invoke(options);
        });
        var provider = services.BuildServiceProvider();
        try
        {
            await provider.GetRequiredService<BrokerDatabase>().MigrateAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            await provider.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return new StoreNode(provider, time);
    }

    /// <summary>Runs a statement past the store, as somebody would who got hold of the database.</summary>
    public abstract Task<int> ExecuteAsync(string sql);

    /// <summary>Asks for one value.</summary>
    public abstract Task<object?> ScalarAsync(string sql);

    /// <summary>Keeps whatever writers ask for, until the answer is disposed: who only reads goes on, everybody else waits and fails.</summary>
    public abstract Task<IAsyncDisposable> HoldWritesAsync();

    /// <summary>Takes a backup, while nobody is connected.</summary>
    public abstract Task BackUpAsync();

    /// <summary>Takes a backup as an operator does, whoever writes meanwhile.</summary>
    public abstract Task BackUpWhileInUseAsync();

    /// <summary>Puts the backup into the database's place, whoever is connected.</summary>
    public abstract Task RestoreAsync();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Runs a statement on a connection that is kept open, and with it what the statement has locked.</summary>
    private protected static async Task<IAsyncDisposable> HoldAsync(DbConnection connection, string sql)
    {
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        return connection;
    }
}

/// <summary>A SQLite file in a temporary folder.</summary>
public sealed class SqliteStoreDatabase : StoreDatabase
{
    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-store-").FullName;

    /// <summary>The file.</summary>
    public string Path => System.IO.Path.Combine(_folder, "broker.db");

    /// <inheritdoc/>
    public override string Schema => "";

    /// <inheritdoc/>
    public override bool TakesSeveralNodes => false;

    /// <inheritdoc/>
    public override void Use(StoreOptions options) => options.UseSqlite(Path);

    /// <inheritdoc/>
    public override async Task<int> ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<IAsyncDisposable> HoldWritesAsync() => HoldAsync(new SqliteConnection($"Data Source={Path};Pooling=False"), "BEGIN IMMEDIATE");

    /// <inheritdoc/>
    public override Task BackUpWhileInUseAsync() => BackUpAsync();

    /// <inheritdoc/>
    public override async Task BackUpAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        await using var copy = new SqliteConnection($"Data Source={Path}.copy;Pooling=False");
        await connection.OpenAsync().ConfigureAwait(false);
        await copy.OpenAsync().ConfigureAwait(false);
        connection.BackupDatabase(copy);
    }

    /// <inheritdoc/>
    public override Task RestoreAsync()
    {
        File.Delete(Path + "-wal");
        File.Delete(Path + "-shm");
        File.Copy(Path + ".copy", Path, overwrite: true);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>A database of the test run's PostgreSQL server.</summary>
public sealed class PostgresStoreDatabase(PostgresDatabase database) : StoreDatabase
{
    /// <summary>The database.</summary>
    public PostgresDatabase Database => database;

    /// <inheritdoc/>
    public override string Schema => "credbroker.";

    /// <inheritdoc/>
    public override bool TakesSeveralNodes => true;

    /// <inheritdoc/>
    public override void Use(StoreOptions options) => options.UsePostgres(database.ConnectionString);

    /// <inheritdoc/>
    public override async Task<int> ExecuteAsync(string sql)
    {
        await database.ExecuteAsync(sql).ConfigureAwait(false);
        return 0;
    }

    /// <inheritdoc/>
    public override Task<object?> ScalarAsync(string sql) => database.ScalarAsync<object>(sql);

    /// <inheritdoc/>
    public override async Task<IAsyncDisposable> HoldWritesAsync()
    {
        var tables = await database.ScalarAsync<string>("SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_catalog.pg_tables WHERE schemaname = 'credbroker'").ConfigureAwait(false);
        return await HoldAsync(new NpgsqlConnection(database.ConnectionString), $"BEGIN; LOCK TABLE {tables} IN EXCLUSIVE MODE").ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task BackUpWhileInUseAsync() => PostgresServer.DumpAsync(database, $"{database.Name}_copy");

    /// <inheritdoc/>
    public override Task BackUpAsync() => PostgresServer.CopyAsync(database.Name, $"{database.Name}_copy");

    /// <inheritdoc/>
    public override Task RestoreAsync() => PostgresServer.CopyAsync($"{database.Name}_copy", database.Name);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await PostgresServer.DropAsync($"{database.Name}_copy").ConfigureAwait(false);
        await database.DisposeAsync().ConfigureAwait(false);
    }
}
