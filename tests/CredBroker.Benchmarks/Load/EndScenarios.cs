using System.Diagnostics;
using System.Globalization;
using CredBroker.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Load;

/// <summary>How many leases die at once, or at their time.</summary>
internal static class EndScenarios
{
    /// <summary>Ends a task that holds so many leases, while others issue: how long the end took to be written, how long others waited, when all were proven dead.</summary>
    public static async Task<string> EndOfATaskAsync(MeasuredBroker broker, int leases)
    {
        var (task, client) = await IssueScenarios.FillAsync(broker, leases, at: 64);
        using var other = broker.Caller(0);
        await using var beside = await other.StartTaskAsync("beside", IssueScenarios.Settings);
        using var stop = new CancellationTokenSource();
        var waits = new Samples();
        var asking = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var asked = Stopwatch.GetTimestamp();
                await beside.IssueAsync(MeasuredBroker.Role);
                waits.Add(Stopwatch.GetElapsedTime(asked));
            }
        });
        var started = Stopwatch.GetTimestamp();
        var ended = await task.EndAsync(Outcome.Succeeded);
        var written = Stopwatch.GetElapsedTime(started);
        while ((ended = await client.Tasks.EndTaskAsync(new() { Name = task.Name, Outcome = Outcome.Succeeded, WaitUntilRevoked = true }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20))).Unproven > 0)
        {
            // Held until something has changed, or 20 s are over.
        }

        var proven = Stopwatch.GetElapsedTime(started);
        await stop.CancelAsync();
        await asking;
        await task.DisposeAsync();
        client.Dispose();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"written in {written.TotalMilliseconds:0} ms; all {leases:N0} proven dead after {proven.TotalSeconds:0.0} s ({leases / proven.TotalSeconds:0}/s); meanwhile another issued with p99 {waits.At(0.99):0} ms, at most {waits.At(1):0} ms");
    }

    /// <summary>Issues at a steady rate, each for a short life, and reads from the database how late each was first attempted and proven dead.</summary>
    public static async Task<string> ExpiryAsync(MeasuredBroker broker, int perSecond, TimeSpan life, TimeSpan length)
    {
        using var client = broker.Caller(0);
        await using var task = await client.StartTaskAsync("measure", IssueScenarios.Settings);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();
        var asked = new List<Task>();
        while (await timer.WaitForNextTickAsync() && Stopwatch.GetElapsedTime(started) < length)
            while (asked.Count < perSecond * Stopwatch.GetElapsedTime(started).TotalSeconds) asked.Add(task.IssueAsync(MeasuredBroker.Role, lifetime: life));
        await Task.WhenAll(asked);
        return await LatenessAsync(broker, asked.Count);
    }

    /// <summary>Issues so many leases that expire within one moment.</summary>
    public static async Task<string> ExpiryAtOnceAsync(MeasuredBroker broker, int leases, TimeSpan until)
    {
        var end = TimeProvider.System.GetUtcNow() + until;
        var (task, client) = await IssueScenarios.FillAsync(broker, leases, at: 64, () => end - TimeProvider.System.GetUtcNow());
        var spare = end - TimeProvider.System.GetUtcNow();
        var result = await LatenessAsync(broker, leases);
        await task.DisposeAsync();
        client.Dispose();
        return spare < TimeSpan.FromSeconds(1) ? $"only {spare.TotalSeconds:0.0} s were left when the last was issued: {result}" : result;
    }

    private static async Task<string> LatenessAsync(MeasuredBroker broker, int expected)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(broker.Folder, "credbroker.db")};Mode=ReadOnly;Pooling=False");
        await database.OpenAsync();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (await timer.WaitForNextTickAsync() && Read(database, "SELECT count(*) FROM leases WHERE state <= 3")[0] > 0)
        {
            // Until nothing lives any more.
        }

        var first = Read(database, "SELECT first_attempt_at - expires_at FROM leases WHERE first_attempt_at IS NOT NULL ORDER BY 1");
        var dead = Read(database, "SELECT closed_at - expires_at FROM leases WHERE closed_at IS NOT NULL ORDER BY 1");
        if (dead.Count < expected) return $"only {dead.Count} of {expected} died";
        return string.Create(CultureInfo.InvariantCulture, $"{dead.Count:N0} expired; first looked at {Of(first)} late; proven dead {Of(dead)} late");
    }

    private static string Of(List<long> micros) => micros.Count == 0 ? "never" :
        string.Create(CultureInfo.InvariantCulture, $"p50 {micros[micros.Count / 2] / 1e6:0.00} s, p99 {micros[(int)(micros.Count * 0.99)] / 1e6:0.00} s, at most {micros[^1] / 1e6:0.00} s");

    private static List<long> Read(SqliteConnection database, string sql)
    {
        using var command = database.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var values = new List<long>();
        while (reader.Read()) values.Add(reader.GetInt64(0));
        return values;
    }
}
