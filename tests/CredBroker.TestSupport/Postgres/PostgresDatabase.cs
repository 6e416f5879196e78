using CredBroker.Abstractions;
using Npgsql;

namespace CredBroker.TestSupport.Postgres;

/// <summary>A database of its own, with its superuser's connection string.</summary>
public sealed class PostgresDatabase(string superuser, string name) : IAsyncDisposable
{
    private readonly List<string> _roles = [];

    /// <summary>The database's name.</summary>
    public string Name { get; } = name;

    /// <summary>A superuser's connection string to this database.</summary>
    public string ConnectionString { get; } = new NpgsqlConnectionStringBuilder(superuser) { Database = name }.ConnectionString;

    /// <summary>The server's host.</summary>
    public string Host => new NpgsqlConnectionStringBuilder(ConnectionString).Host!;

    /// <summary>The server's port.</summary>
    public int Port => new NpgsqlConnectionStringBuilder(ConnectionString).Port;

    /// <summary>A connection string of another login.</summary>
    public string ConnectionStringFor(string username, string password) =>
        new NpgsqlConnectionStringBuilder(ConnectionString) { Username = username, Password = password, Pooling = false }.ConnectionString;

    /// <summary>Runs statements as superuser.</summary>
    public Task ExecuteAsync(string sql) => PostgresServer.ExecuteAsync(ConnectionString, sql);

    /// <summary>Asks for one value as superuser; null where there is none.</summary>
    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync().ConfigureAwait(false) is T value ? value : default;
    }

    /// <summary>Makes a group that reads everything in schema <c>public</c>.</summary>
    public async Task<string> CreateGroupAsync()
    {
        var group = $"grp_{Uid.New(TimeProvider.System)}";
        _roles.Add(group);
        await ExecuteAsync($"CREATE ROLE {group} NOLOGIN; GRANT USAGE ON SCHEMA public TO {group}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {group}").ConfigureAwait(false);
        return group;
    }

    /// <summary>
    /// Makes the login that the broker needs and no more: CREATEROLE, <c>pg_signal_backend</c>, and from PostgreSQL 16 on ADMIN on the groups.
    /// </summary>
    public async Task<PostgresLogin> CreateBrokerLoginAsync(params IEnumerable<string> groups)
    {
        var login = new PostgresLogin($"broker_{Uid.New(TimeProvider.System)}", $"test-{Uid.New(TimeProvider.System)}");
        _roles.Add(login.Username);
        await ExecuteAsync($"CREATE ROLE {login.Username} LOGIN CREATEROLE PASSWORD '{login.Password}'; GRANT pg_signal_backend TO {login.Username}").ConfigureAwait(false);
        if (await PostgresServer.MajorVersionAsync().ConfigureAwait(false) >= 16)
        {
            foreach (var group in groups)
                await ExecuteAsync($"GRANT {group} TO {login.Username} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").ConfigureAwait(false);
        }

        return login;
    }

    /// <summary>Drops the database, cuts who is still in it, and drops the groups and logins that were made here.</summary>
    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(ConnectionString)) NpgsqlConnection.ClearPool(connection);
        await PostgresServer.ExecuteAsync(superuser, $"DROP DATABASE IF EXISTS {Name} WITH (FORCE)").ConfigureAwait(false);
        foreach (var role in _roles) await PostgresServer.ExecuteAsync(superuser, $"DROP ROLE IF EXISTS {role}").ConfigureAwait(false);
    }
}

/// <summary>A login at the test's server.</summary>
public sealed record PostgresLogin(string Username, string Password);
