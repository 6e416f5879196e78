using System.Diagnostics;
using System.Globalization;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Load;

/// <summary>Much that lives, many that ask, many that hold a line.</summary>
internal static class SizeScenarios
{
    /// <summary>
    /// Copies one live lease in the database until there are so many, starts the server on it, and issues: how long until it was ready, what it needs,
    /// how fast it issues.
    /// </summary>
    public static async Task<string> LiveLeasesAsync(MeasuredBroker broker, int leases, int callers, (int, TimeSpan) runs)
    {
        var empty = await IssueScenarios.IssueAsync(broker, callers, runs);
        var (task, client) = await IssueScenarios.FillAsync(broker, 1, at: 1, () => TimeSpan.FromHours(1.5));
        await broker.StopServerAsync();
        await CopyAsync(broker, leases);
        var started = Stopwatch.GetTimestamp();
        await broker.StartServerAsync();
        var ready = Stopwatch.GetElapsedTime(started);
        var full = await IssueScenarios.IssueAsync(broker, callers, runs);
        var resident = broker.Cost.ResidentMiB;
        client.Dispose();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"ready {ready.TotalSeconds:0.0} s after its start; {resident:0} MiB resident after issuing; {full.Median.Rate:0}/s issued, {empty.Median.Rate:0}/s with an empty store");
    }

    /// <summary>Asks twice as fast as the server can, whatever it answers.</summary>
    public static async Task<string> OverloadAsync(MeasuredBroker broker, int callers, (int, TimeSpan) runs)
    {
        var peak = await IssueScenarios.IssueAsync(broker, callers, runs);
        await UntilDeadAsync(broker);
        var clients = Enumerable.Range(0, 8).Select(number => broker.Caller(number)).ToList();
        var tasks = await Task.WhenAll(clients.Select(client => client.StartTaskAsync("measure", IssueScenarios.Settings)));
        var (samples, rate, length) = (new Samples(), 2 * peak.Median.Rate, TimeSpan.FromSeconds(15));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var (started, asked) = (Stopwatch.GetTimestamp(), 0);
        var pending = new List<Task>();
        while (await timer.WaitForNextTickAsync() && Stopwatch.GetElapsedTime(started) < length)
            for (; asked < rate * Stopwatch.GetElapsedTime(started).TotalSeconds; asked++) pending.Add(AskAsync(tasks[asked % tasks.Length], samples));
        samples.Elapsed = Stopwatch.GetElapsedTime(started);
        var good = samples.Rate;
        await Task.WhenAll(pending);
        foreach (var client in clients) client.Dispose();
        var refused = string.Join(", ", samples.FailuresBy.Select(pair => $"{pair.Value} {pair.Key}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{asked / length.TotalSeconds:0}/s asked, {good:0}/s issued ({100 * good / peak.Median.Rate:0} % of the peak of {peak.Median.Rate:0}/s), p99 {samples.At(0.99):0} ms; refused: {(refused.Length > 0 ? refused : "none")}");
    }

    /// <summary>Holds a line for each of so many tasks (gRPC <c>KeepTaskAlive</c>): what that costs the server while nothing else happens.</summary>
    public static async Task<string> HeldLinesAsync(MeasuredBroker broker, int lines, TimeSpan length)
    {
        const int PerConnection = 100;
        var clients = Enumerable.Range(0, (lines + PerConnection - 1) / PerConnection).Select(number => broker.Caller(number)).ToList();
        var names = new string[lines];
        await Parallel.ForAsync(0, lines, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, cancellationToken) =>
            names[i] = (await clients[i / PerConnection].Tasks.CreateTaskAsync(new() { Task = NewTask(TimeSpan.FromSeconds(60)) }, cancellationToken: cancellationToken)).Name);
        using var stop = new CancellationTokenSource();
        var before = broker.Cost;
        var opened = 0;
        var held = Enumerable.Range(0, lines).Select(i => Task.Run(async () =>
        {
            using var call = clients[i / PerConnection].Tasks.KeepTaskAlive(new() { Name = names[i] }, cancellationToken: stop.Token);
            try
            {
                while (await call.ResponseStream.MoveNext(stop.Token)) Interlocked.Increment(ref opened);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                // We hung up.
            }
        })).ToList();
        await Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System);
        var (from, heard) = (broker.Cost, Volatile.Read(ref opened));
        await Task.Delay(length, TimeProvider.System);
        var to = broker.Cost;
        var broken = held.Count(line => line.IsCompleted);
        await stop.CancelAsync();
        await Task.WhenAll(held);
        foreach (var client in clients) client.Dispose();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{lines - broken:N0} of {lines:N0} lines held; {(to.Cpu - from.Cpu) / length:P1} of one processor, {(to.WrittenMiB - from.WrittenMiB) / length.TotalSeconds:0.00} MiB written a second, {to.ResidentMiB - before.ResidentMiB:0} MiB more resident; {(opened - heard) / length.TotalSeconds:0} messages a second");
    }

    /// <summary>Sends heartbeats for so many tasks at their interval, and counts what that costs.</summary>
    public static async Task<string> HeartbeatsAsync(MeasuredBroker broker, int tasks, TimeSpan interval, TimeSpan length)
    {
        var clients = Enumerable.Range(0, 16).Select(number => broker.Caller(number)).ToList();
        var names = new string[tasks];
        await Parallel.ForAsync(0, tasks, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, cancellationToken) =>
        {
            names[i] = (await clients[i % clients.Count].Tasks.CreateTaskAsync(new() { Task = NewTask(interval) }, cancellationToken: cancellationToken)).Name;
        });
        var (from, started, sent, failed) = (broker.Cost, Stopwatch.GetTimestamp(), 0, 0);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var pending = new List<Task>();
        while (await timer.WaitForNextTickAsync() && Stopwatch.GetElapsedTime(started) < length)
        {
            for (; sent < tasks * (Stopwatch.GetElapsedTime(started) / interval); sent++)
            {
                var (name, client) = (names[sent % tasks], clients[sent % tasks % clients.Count]);
                pending.Add(Task.Run(async () =>
                {
                    try
                    {
                        await client.Tasks.HeartbeatAsync(new() { Name = name });
                    }
                    catch (BrokerException)
                    {
                        Interlocked.Increment(ref failed);
                    }
                }));
            }
        }

        await Task.WhenAll(pending);
        var (to, took) = (broker.Cost, Stopwatch.GetElapsedTime(started));
        foreach (var client in clients) client.Dispose();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{tasks:N0} tasks, each every {interval.TotalSeconds:0} s: {sent / took.TotalSeconds:0} heartbeats a second ({failed} failed), {(to.Cpu - from.Cpu) / took:P0} of one processor, {(to.WrittenMiB - from.WrittenMiB) / took.TotalSeconds:0.0} MiB written a second");
    }

    private static AgentTask NewTask(TimeSpan heartbeats) => new()
    {
        Intent = new Intent { What = "measure" },
        Ttl = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(2)),
        HeartbeatInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(heartbeats),
    };

    // Revoking what the peak left comes before what is new.
    private static async Task UntilDeadAsync(MeasuredBroker broker)
    {
        using var administrator = broker.Administrator();
        while ((await administrator.Leases.ListLeasesAsync(new() { Parent = "tasks/-", Filter = "effective_state = DEAD AND (state = ACTIVE OR state = REVOKING)", PageSize = 1 })).Leases.Count > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
    }

    private static async Task AskAsync(BrokerTask task, Samples samples)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await task.IssueAsync(MeasuredBroker.Role);
            samples.Add(Stopwatch.GetElapsedTime(started));
        }
        catch (BrokerException e)
        {
            samples.Fail(e.Reason);
        }
    }

    /// <summary>
    /// Copies the latest live lease so often, while no server runs: everything of its row but its ids, its name at the target, and when it expires where that is said. The
    /// counters are as many issues would have left them.
    /// </summary>
    public static async Task CopyAsync(MeasuredBroker broker, int leases, DateTimeOffset? due = null)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(broker.Folder, "credbroker.db")};Pooling=False");
        await database.OpenAsync();
        var columns = new List<string>();
        using (var names = Command(database, "SELECT name FROM pragma_table_info('leases') WHERE name NOT IN ('id', 'external_name')"))
        using (var reader = names.ExecuteReader())
        {
            while (reader.Read()) columns.Add(reader.GetString(0));
        }

        var rest = string.Join(", ", columns);
        var values = due is { } at ? string.Join(", ", columns.Select(column => column is "expires_at" or "due_at" ? MicrosOf(at) : column)) : rest;
        using var copy = Command(
            database,
            $"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {leases})
            INSERT INTO leases (id, external_name, {rest})
            SELECT CAST(substr(one.id, 1, 6) || randomblob(10) AS BLOB), 'copy-' || hex(randomblob(8)) || n.i, {values} FROM n, (SELECT * FROM leases WHERE state = 2 ORDER BY id DESC LIMIT 1) one
            """);
        copy.ExecuteNonQuery();
        using var count = Command(database, $"UPDATE counters SET value = value + {leases}");
        count.ExecuteNonQuery();
    }

    private static string MicrosOf(DateTimeOffset at) => ((at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond).ToString(CultureInfo.InvariantCulture);

    private static SqliteCommand Command(SqliteConnection database, string sql)
    {
        var command = database.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        return command;
    }
}
