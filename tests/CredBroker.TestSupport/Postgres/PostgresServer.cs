using CredBroker.Abstractions;
using Npgsql;
using NUnit.Framework;

namespace CredBroker.TestSupport.Postgres;

/// <summary>
/// The PostgreSQL server of this test run: the one that <c>CREDBROKER_TEST_POSTGRES</c> names (a superuser's connection string), or a
/// throwaway one, started once for the process and stopped with it. Where there is neither, the tests that ask are skipped with
/// the reason; with <c>CREDBROKER_TEST_REQUIRE_POSTGRES=1</c> they fail.
/// </summary>
public static class PostgresServer
{
    private static readonly Lock Gate = new();
    private static Task<Found>? _found;

    /// <summary>A superuser's connection string to the maintenance database.</summary>
    public static async Task<string> RequireAsync()
    {
        Task<Found> found;
        lock (Gate) found = _found ??= FindAsync();
        switch (await found.ConfigureAwait(false))
        {
            case Found.Server server:
                return server.ConnectionString;
            case Found.None none when Environment.GetEnvironmentVariable("CREDBROKER_TEST_REQUIRE_POSTGRES") == "1":
                throw new AssertionException($"PostgreSQL is required for this run, but {none.Reason}");
            case Found.None none:
                throw new IgnoreException($"PostgreSQL is needed, but {none.Reason}");
            case var other:
                throw new InvalidOperationException($"{other} is neither found nor missing.");
        }
    }

    /// <summary>Starts a server that keeps what it commits, for measurements, and answers a superuser's connection string; null, with the reason, where there is none.</summary>
    public static async Task<(string? ConnectionString, string Reason)> StartDurableAsync() =>
        PostgresBinaries.Find() is not { } binaries ? (null, "initdb and postgres are neither on the path nor in /usr/lib/postgresql/*/bin.")
        : await ThrowawayCluster.StartAsync(binaries, durable: true).ConfigureAwait(false) is Found.Server server ? (server.ConnectionString, "")
        : (null, "it could not be started as this user.");

    /// <summary>Makes an empty database, which is dropped when the answer is disposed.</summary>
    public static async Task<PostgresDatabase> CreateDatabaseAsync()
    {
        var superuser = await RequireAsync().ConfigureAwait(false);
        var name = $"cbtest_{Uid.New(TimeProvider.System)}";
        await ExecuteAsync(superuser, $"CREATE DATABASE {name} TEMPLATE template0").ConfigureAwait(false);
        return new PostgresDatabase(superuser, name);
    }

    /// <summary>Makes one database a copy of another, file by file, in the place of what had its name.</summary>
    public static async Task CopyAsync(string from, string to)
    {
        await DropAsync(to).ConfigureAwait(false);
        await ExecuteAsync(await RequireAsync().ConfigureAwait(false), $"CREATE DATABASE {to} TEMPLATE {from}").ConfigureAwait(false);
    }

    /// <summary>Dumps one database, whoever is connected, and makes another of it. The test is skipped where there is no pg_dump.</summary>
    public static async Task DumpAsync(PostgresDatabase from, string to)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (PostgresBinaries.Find() is not { } binaries || !File.Exists(binaries["pg_dump"])) throw new IgnoreException("pg_dump is neither on the path nor in /usr/lib/postgresql/*/bin.");
        await DropAsync(to).ConfigureAwait(false);
        await ExecuteAsync(await RequireAsync().ConfigureAwait(false), $"CREATE DATABASE {to} TEMPLATE template0").ConfigureAwait(false);
        var settings = new NpgsqlConnectionStringBuilder(from.ConnectionString);
        string Of(string database) => $"--dbname=host={settings.Host} port={settings.Port} user={settings.Username} password={settings.Password} dbname={database}";
        var file = Path.GetTempFileName();
        try
        {
            await ThrowawayCluster.RunOrThrowAsync(false, binaries["pg_dump"], "--format=custom", "--file", file, Of(from.Name)).ConfigureAwait(false);
            await ThrowawayCluster.RunOrThrowAsync(false, binaries["pg_restore"], "--exit-on-error", Of(to), file).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Drops a database if it is there, and cuts who is in it.</summary>
    public static async Task DropAsync(string name) => await ExecuteAsync(await RequireAsync().ConfigureAwait(false), $"DROP DATABASE IF EXISTS {name} WITH (FORCE)").ConfigureAwait(false);

    /// <summary>The server's major version, such as 15.</summary>
    public static async Task<int> MajorVersionAsync()
    {
        await using var connection = new NpgsqlConnection(await RequireAsync().ConfigureAwait(false));
        await connection.OpenAsync().ConfigureAwait(false);
        return connection.PostgreSqlVersion.Major;
    }

    internal static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    private static async Task<Found> FindAsync()
    {
        if (Environment.GetEnvironmentVariable("CREDBROKER_TEST_POSTGRES") is { Length: > 0 } given) return new Found.Server(given);
        if (PostgresBinaries.Find() is not { } binaries)
            return new Found.None("neither CREDBROKER_TEST_POSTGRES is set nor are initdb and postgres on the path or in /usr/lib/postgresql/*/bin.");
        return await ThrowawayCluster.StartAsync(binaries).ConfigureAwait(false);
    }

    internal abstract record Found
    {
        private Found()
        {
        }

        internal sealed record Server(string ConnectionString) : Found
        {
            public override string ToString() => "A server";
        }

        internal sealed record None(string Reason) : Found;
    }
}
