using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CredBroker.Benchmarks.Load;

/// <summary>What this machine can do at best, in the same run as what is measured beside it.</summary>
internal static class Machine
{
    // About what a lease and its events come to.
    private const int RowBytes = 2000;

    /// <summary>Calls a second of a gRPC method that does nothing, from the same process.</summary>
    public static async Task<string> EmptyCallsAsync(int callers, TimeSpan length)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddGrpcHealthChecks();
        await using var server = builder.Build();
        server.MapGrpcHealthChecksService();
        await server.StartAsync();
        var runs = await ClosedLoop.RunAsync("empty calls", callers, (3, length), _ =>
        {
            var channel = GrpcChannel.ForAddress(server.Urls.First());
            var health = new Health.HealthClient(channel);
            return Task.FromResult(new Caller(
                async () =>
                {
                    await health.CheckAsync(new HealthCheckRequest());
                    return null;
                },
                () =>
                {
                    channel.Dispose();
                    return ValueTask.CompletedTask;
                }));
        });
        await server.StopAsync();
        return runs.Summary();
    }

    /// <summary>Signatures and verifications of ES256 a second, on one processor.</summary>
    public static string Signatures()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var data = RandomNumberGenerator.GetBytes(600);
        var signature = key.SignData(data, HashAlgorithmName.SHA256);
        var (signs, verifies) = (RateOf(() => key.SignData(data, HashAlgorithmName.SHA256)), RateOf(() => key.VerifyData(data, signature, HashAlgorithmName.SHA256)));
        return string.Create(CultureInfo.InvariantCulture, $"ES256: {1e6 / signs:0} µs to sign, {1e6 / verifies:0} µs to verify");
    }

    /// <summary>Rows of 2,000 bytes a second that SQLite makes durable (WAL, synchronous=FULL), so many in one commit.</summary>
    public static async Task<double> SqliteRowsAsync(int together, TimeSpan length)
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".db");
        try
        {
            await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
            await connection.OpenAsync();
            Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)");
            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO rows (body) VALUES ($body)";
            insert.Parameters.AddWithValue("$body", RandomNumberGenerator.GetBytes(RowBytes));
            return together * RateOf(
                () =>
                {
                    Run(connection, "BEGIN IMMEDIATE");
                    for (var i = 0; i < together; i++) insert.ExecuteNonQuery();
                    Run(connection, "COMMIT");
                },
                length);
        }
        finally
        {
            foreach (var left in Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(file) + "*")) File.Delete(left);
        }
    }

    /// <summary>The same of PostgreSQL, over one connection.</summary>
    public static async Task<double> PostgresRowsAsync(string connectionString, int together, TimeSpan length)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using (var create = new NpgsqlCommand("CREATE TABLE IF NOT EXISTS raw_rows (id bigserial PRIMARY KEY, body bytea)", connection)) await create.ExecuteNonQueryAsync();
        var body = RandomNumberGenerator.GetBytes(RowBytes);
        var (started, commits) = (Stopwatch.GetTimestamp(), 0);
        for (; Stopwatch.GetElapsedTime(started) < length; commits++)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN"));
            for (var i = 0; i < together; i++) batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO raw_rows (body) VALUES ($1)") { Parameters = { new NpgsqlParameter { Value = body } } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
            await batch.ExecuteNonQueryAsync();
        }

        return together * commits / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Logins a second that PostgreSQL makes and drops, one after the other on each of so many connections.</summary>
    public static async Task<double> LoginsAsync(string connectionString, int connections, TimeSpan length)
    {
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(async number =>
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            var count = 0;
            for (; Stopwatch.GetElapsedTime(started) < length; count++)
            {
                await using var create = new NpgsqlCommand($"CREATE ROLE raw_{number}_{count} LOGIN PASSWORD 'a-password-of-some-length-as-usual' VALID UNTIL '2099-01-01'", connection);
                await create.ExecuteNonQueryAsync();
                await using var drop = new NpgsqlCommand($"DROP ROLE raw_{number}_{count}", connection);
                await drop.ExecuteNonQueryAsync();
            }

            return count;
        }));
        return counts.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static double RateOf(Action act, TimeSpan? length = null)
    {
        var (started, count) = (Stopwatch.GetTimestamp(), 0);
        for (; Stopwatch.GetElapsedTime(started) < (length ?? TimeSpan.FromSeconds(1)); count++) act();
        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
