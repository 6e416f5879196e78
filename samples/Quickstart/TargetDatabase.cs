using System.Security.Cryptography;
using Npgsql;

namespace Quickstart;

/// <summary>
/// What an administrator of the database prepares once: a login for the broker, which may make others and is no superuser, and a group with the rights that
/// logins get. Removed afterwards.
/// </summary>
internal sealed class TargetDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource _administrator;
    private readonly string _mark = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));

    private TargetDatabase(string connection)
    {
        Settings = new NpgsqlConnectionStringBuilder(connection) { IncludeErrorDetail = false };
        _administrator = NpgsqlDataSource.Create(connection);
        Password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
    }

    public NpgsqlConnectionStringBuilder Settings { get; }

    public string BrokerLogin => $"quickstart_broker_{_mark}";

    public string Group => $"quickstart_readers_{_mark}";

    public string Schema => $"quickstart_{_mark}";

    public string Password { get; }

    public static async Task<TargetDatabase> PrepareAsync(string connection, CancellationToken cancellationToken)
    {
        var target = new TargetDatabase(connection);
        try
        {
            // Every name and the password are our own, of hexadecimal digits.
            await target.RunAsync($"CREATE ROLE {target.Group} NOLOGIN", cancellationToken);
            await target.RunAsync($"CREATE ROLE {target.BrokerLogin} LOGIN CREATEROLE PASSWORD '{target.Password}'", cancellationToken);
            await target.RunAsync($"GRANT {target.Group} TO {target.BrokerLogin} WITH ADMIN OPTION", cancellationToken);
            await target.RunAsync($"GRANT pg_signal_backend TO {target.BrokerLogin}", cancellationToken);
            await target.RunAsync($"CREATE SCHEMA {target.Schema} CREATE TABLE reports (title text) ", cancellationToken);
            await target.RunAsync($"INSERT INTO {target.Schema}.reports SELECT 'report ' || i FROM generate_series(1, 12) i", cancellationToken);
            await target.RunAsync($"GRANT USAGE ON SCHEMA {target.Schema} TO {target.Group}; GRANT SELECT ON {target.Schema}.reports TO {target.Group}", cancellationToken);
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The broker drops its logins itself; after a failure or Ctrl+C one can be left.
        foreach (var login in await LeftAsync())
        {
            await RunAsync($"ALTER ROLE {login} NOLOGIN", CancellationToken.None);
            await RunAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{login}'", CancellationToken.None);
            await RunAsync($"DROP ROLE IF EXISTS {login}", CancellationToken.None);
        }

        await RunAsync($"DROP SCHEMA IF EXISTS {Schema} CASCADE", CancellationToken.None);
        await RunAsync($"DROP ROLE IF EXISTS {BrokerLogin}", CancellationToken.None);
        await RunAsync($"DROP ROLE IF EXISTS {Group}", CancellationToken.None);
        await _administrator.DisposeAsync();
    }

    private async Task<List<string>> LeftAsync()
    {
        // Their names hold nothing but letters, digits and underscores.
        await using var command = _administrator.CreateCommand($"SELECT rolname FROM pg_roles WHERE rolname ~ '^cb_{Installation.Id}_[a-z0-9]+$'");
        await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
        var left = new List<string>();
        while (await reader.ReadAsync(CancellationToken.None)) left.Add(reader.GetString(0));
        return left;
    }

    private async Task RunAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = _administrator.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
