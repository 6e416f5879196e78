using CredBroker.TestSupport.Postgres;
using Npgsql;

namespace CredBroker.Benchmarks.Load;

/// <summary>The rows of the table in <c>docs/performance.md</c>, each by itself: a fresh server, a fresh database.</summary>
internal static class LoadCommand
{
    private const int Callers = 32;
    private static readonly (int, TimeSpan) Runs = (5, TimeSpan.FromSeconds(6));
    private static readonly TimeSpan Raw = TimeSpan.FromSeconds(5);

    private static readonly Dictionary<string, Func<Task<string>>> Rows = new(StringComparer.Ordinal)
    {
        ["machine"] = async () => string.Join("; ", await Machine.EmptyCallsAsync(Callers, TimeSpan.FromSeconds(4)), Machine.Signatures()),
        ["raw-sqlite"] = async () => $"{await Machine.SqliteRowsAsync(1, Raw):0} rows/s made durable one by one, {await Machine.SqliteRowsAsync(Callers, Raw):0}/s {Callers} together",
        ["raw-postgresql"] = async () =>
        {
            var server = await PostgresAsync();
            return $"{await Machine.PostgresRowsAsync(server, 1, Raw):0} rows/s made durable one by one, {await Machine.PostgresRowsAsync(server, Callers, Raw):0}/s {Callers} together";
        },
        ["raw-logins"] = async () =>
        {
            var server = await PostgresAsync();
            return $"{await Machine.LoginsAsync(server, 1, Raw):0} logins/s created and dropped by one connection, {await Machine.LoginsAsync(server, 16, Raw):0}/s by 16";
        },
        ["issue"] = () => OnAsync(new SetUp(), async broker => (await IssueScenarios.IssueAsync(broker, Callers, Runs)).Summary()),
        ["issue-half"] = () => OnAsync(new SetUp(), async broker => (await IssueScenarios.IssueAsync(broker, Callers / 8, Runs)).Summary()),
        ["issue-new-tokens"] = () => OnAsync(new SetUp(), async broker => (await IssueScenarios.IssueAsync(broker, Callers, Runs, newTokens: true)).Summary()),
        ["issue-on-postgresql"] = async () => await OnAsync(new SetUp(Database: await DatabaseAsync()), async broker => (await IssueScenarios.IssueAsync(broker, Callers, Runs)).Summary()),
        ["issue-half-on-postgresql"] = async () => await OnAsync(new SetUp(Database: await DatabaseAsync()), async broker => (await IssueScenarios.IssueAsync(broker, Callers / 8, Runs)).Summary()),
        ["dead"] = () => OnAsync(new SetUp(), async broker => (await IssueScenarios.TimeToDeadAsync(broker, Callers, Runs)).Summary()),
        ["issue-logins"] = async () => await OnAsync(new SetUp(Target: await PostgresAsync()), async broker => (await IssueScenarios.IssueAsync(broker, Callers, Runs)).Summary()),
        ["logins-few"] = async () => await OnAsync(new SetUp(Target: await PostgresAsync(), FewIterations: true), async broker => (await IssueScenarios.IssueAsync(broker, Callers, Runs)).Summary()),
        ["dead-logins"] = async () => await OnAsync(new SetUp(Target: await PostgresAsync()), async broker => (await IssueScenarios.TimeToDeadAsync(broker, 4 * Callers, Runs)).Summary()),
        ["expiry"] = () => OnAsync(new SetUp(), broker => EndScenarios.ExpiryAsync(broker, perSecond: 120, life: TimeSpan.FromSeconds(10), length: TimeSpan.FromSeconds(60))),
        ["expiry-at-once"] = () => OnAsync(new SetUp(), broker => EndScenarios.ExpiryAtOnceAsync(broker, leases: 10_000, until: TimeSpan.FromSeconds(60))),
        ["suspend-in-storm"] = () => OnAsync(new SetUp(), broker => StormScenario.SuspendAsync(broker, storm: 100_000, suspended: 1_000, runs: 5)),
        ["end-1000"] = () => OnAsync(new SetUp(), broker => EndScenarios.EndOfATaskAsync(broker, 1_000)),
        ["end-100000"] = () => OnAsync(new SetUp(), broker => EndScenarios.EndOfATaskAsync(broker, 100_000)),
        ["live-1000000"] = () => OnAsync(new SetUp(), broker => SizeScenarios.LiveLeasesAsync(broker, 1_000_000, Callers, Runs)),
        ["overload"] = () => OnAsync(new SetUp(IssueSlots: 2 * Callers), broker => SizeScenarios.OverloadAsync(broker, 2 * Callers, Runs)),
        ["held-lines"] = () => OnAsync(new SetUp(), broker => SizeScenarios.HeldLinesAsync(broker, 10_000, TimeSpan.FromSeconds(30))),
        ["heartbeats"] = () => OnAsync(new SetUp(), broker => SizeScenarios.HeartbeatsAsync(broker, 100_000, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30))),
    };

    /// <summary>Runs the rows that are named; all of them where none is.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> names)
    {
        if (names.FirstOrDefault(name => !Rows.ContainsKey(name)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"There is no row {unknown}. There are: {string.Join(", ", Rows.Keys)}");
            return 2;
        }

        Console.WriteLine($"{Environment.ProcessorCount} processors shared with the callers, {Callers} callers where nothing else is said");
        Console.WriteLine("| row | result |");
        Console.WriteLine("|---|---|");
        foreach (var name in names.Count > 0 ? names : [.. Rows.Keys]) Console.WriteLine($"| `{name}` | {await Rows[name]()} |");
        return 0;
    }

    private static async Task<string> OnAsync(SetUp setUp, Func<MeasuredBroker, Task<string>> measure)
    {
        await using var broker = await MeasuredBroker.StartAsync(setUp);
        return await measure(broker);
    }

    // One that keeps what it commits, started for this run.
    private static async Task<string> PostgresAsync()
    {
        var (server, reason) = await PostgresServer.StartDurableAsync();
        return server ?? throw new InvalidOperationException($"PostgreSQL is needed: {reason}");
    }

    private static async Task<string> DatabaseAsync()
    {
        var server = await PostgresAsync();
        await using var source = NpgsqlDataSource.Create(server);
        await using var create = source.CreateCommand("CREATE DATABASE measured");
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(server) { Database = "measured" }.ConnectionString;
    }
}
