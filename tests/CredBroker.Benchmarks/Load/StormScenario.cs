using System.Diagnostics;
using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Load;

/// <summary>What somebody kills while very much dies by itself.</summary>
internal static class StormScenario
{
    private static readonly TimeSpan UntilStorm = TimeSpan.FromSeconds(45);

    /// <summary>
    /// Lets so many leases of one workload expire in one moment, and suspends another workload in it: how long after the suspension's answer each of its leases was proven
    /// dead, by the broker's own record.
    /// </summary>
    public static async Task<string> SuspendAsync(MeasuredBroker broker, int storm, int suspended, int runs)
    {
        var (answers, lasts, p50s, left) = (new List<double>(), new List<double>(), new List<double>(), new List<long>());
        for (var run = 1; run <= runs; run++)
        {
            var (answered, deaths, others) = await OnceAsync(broker, run, storm, suspended);
            answers.Add(answered.TotalSeconds);
            lasts.Add(deaths[^1]);
            p50s.Add(deaths[deaths.Count / 2]);
            left.Add(others);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{suspended:N0} of a workload suspended while {left.Min():N0} or more of {storm:N0} others were due: answered after {Of(answers)}; proven dead p50 {Of(p50s)}, the last {Of(lasts)} after the answer");
    }

    private static async Task<(TimeSpan Answered, IReadOnlyList<double> Deaths, long Others)> OnceAsync(MeasuredBroker broker, int run, int storm, int suspended)
    {
        var (model, client) = await IssueScenarios.FillAsync(broker, 1, at: 1, life: () => TimeSpan.FromHours(1.5));
        await broker.StopServerAsync();
        var due = TimeProvider.System.GetUtcNow() + UntilStorm;
        await SizeScenarios.CopyAsync(broker, storm, due);
        await broker.StartServerAsync();
        var (_, caller) = await IssueScenarios.FillAsync(broker, suspended, at: 16, number: run);
        await using var database = new SqliteConnection($"Data Source={Path.Combine(broker.Folder, "credbroker.db")};Mode=ReadOnly;Pooling=False");
        await database.OpenAsync();
        var workload = (byte[])Ask(database, "SELECT workload_uid FROM leases ORDER BY id DESC LIMIT 1")!;
        var spare = due + TimeSpan.FromSeconds(0.5) - TimeProvider.System.GetUtcNow();
        if (spare < TimeSpan.Zero) await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"the storm began {-spare.TotalSeconds:0.0} s before all was issued"));
        else await Task.Delay(spare, TimeProvider.System);

        using var administrator = broker.Administrator();
        var asked = Stopwatch.GetTimestamp();
        await administrator.SuspendAsync(new Suspension { Target = $"workloads/{Uid.FromBytes(workload)}", Reason = "measured" });
        var took = Stopwatch.GetElapsedTime(asked);
        var answered = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var others = (long)Ask(database, "SELECT count(*) FROM leases WHERE state <= 3 AND workload_uid <> $p", workload)!;
        await UntilAsync(database, "SELECT count(*) FROM leases WHERE state <= 3 AND workload_uid = $p", workload);
        var deaths = new List<double>();
        using (var command = Command(database, "SELECT closed_at - $a FROM leases WHERE workload_uid = $p AND end_reason = 4 ORDER BY 1", workload))
        {
            command.Parameters.AddWithValue("$a", answered);
            using var reader = command.ExecuteReader();
            while (reader.Read()) deaths.Add(reader.GetInt64(0) / 1e6);
        }

        await model.EndAsync(Outcome.Succeeded);
        await UntilAsync(database, "SELECT count(*) FROM leases WHERE state <= 3", workload);
        await model.DisposeAsync();
        client.Dispose();
        caller.Dispose();
        return (took, deaths, others);
    }

    private static async Task UntilAsync(SqliteConnection database, string count, byte[] workload)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await timer.WaitForNextTickAsync() && (long)Ask(database, count, workload)! > 0)
        {
            // Until nothing of it lives any more.
        }
    }

    private static object? Ask(SqliteConnection database, string sql, byte[]? workload = null)
    {
        using var command = Command(database, sql, workload);
        return command.ExecuteScalar();
    }

    private static SqliteCommand Command(SqliteConnection database, string sql, byte[]? workload)
    {
        var command = database.CreateCommand();
        command.CommandText = sql;
        if (workload is not null) command.Parameters.AddWithValue("$p", workload);
        return command;
    }

    private static string Of(List<double> seconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{seconds.Order().ElementAt(seconds.Count / 2):0.00} s ({seconds.Min():0.00} to {seconds.Max():0.00})");
}
