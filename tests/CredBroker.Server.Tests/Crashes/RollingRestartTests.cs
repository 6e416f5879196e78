using System.Globalization;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Postgres;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>
/// Two real servers are restarted one after the other, beside a schema that a newer version has already added to, while agents hold lines and send heartbeats.
/// <c>CREDBROKER_TEST_LINES</c> says how many lines.
/// </summary>
public sealed class RollingRestartTests
{
    private const string Switch = "CREDBROKER_TEST_LINES";
    private const int InEveryRun = 1000;
    private const int Beating = 10;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(60);

    // As a migration that only adds: every table gets a column that this version does not know.
    private const string Newer = """
        DO $$ DECLARE t text; BEGIN
          FOR t IN SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'credbroker' AND tablename <> '__ef_migrations_history' LOOP
            EXECUTE format('ALTER TABLE credbroker.%I ADD COLUMN of_a_newer_version integer NOT NULL DEFAULT 7', t);
          END LOOP;
          CREATE TABLE credbroker.newer (id integer PRIMARY KEY);
          INSERT INTO credbroker.__ef_migrations_history VALUES ('99991231235959_Newer', '99.0.0');
        END $$
        """;

    // As the migration of the version after that, which takes away what this one needs.
    private const string ShutsOut = """
        BEGIN;
        LOCK TABLE credbroker.writers IN SHARE ROW EXCLUSIVE MODE;
        UPDATE credbroker.schema_floor SET oldest_migration = '99991231235959_Newer';
        UPDATE credbroker.writers SET retired = true WHERE migration < '99991231235959_Newer';
        COMMIT;
        """;

    [Test]
    public async Task Restarting_one_node_after_the_other_beside_a_newer_schema_ends_no_task_that_is_held()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable(Switch), CultureInfo.InvariantCulture, out var asked) ? asked : InEveryRun;
        await using var cluster = await Cluster.StartAsync(
            2, "{tasksPerWorkload: 100000, issuesPerMinutePerWorkload: 100000}", await PostgresServer.CreateDatabaseAsync(), await PostgresServer.CreateDatabaseAsync());
        await using var lines = new Lines(cluster);
        await lines.OpenAsync(count);
        using var client = cluster.Agent(0);
        var beating = new List<BrokerTask>();
        for (var i = 0; i < Beating; i++) beating.Add(await client.StartTaskAsync("beat", new TaskSettings { HeartbeatInterval = Beat }));

        await cluster.Store.ExecuteAsync(Newer);
        await AssertWorksAsync(cluster, "both of the older version");
        for (var node = 0; node < cluster.Nodes; node++)
        {
            await cluster.StopNodeAsync(node);
            await lines.UntilAllAsync(1 - node);
            await cluster.StartNodeAsync(node);
        }

        await AssertWorksAsync(cluster, "both restarted on it");
        TestContext.Out.WriteLine($"{count} lines: {lines.Told} were told to reconnect, {lines.Broken} broke");
        foreach (var task in beating) await client.Tasks.HeartbeatAsync(new() { Name = task.Name });
        Assert.Multiple(async () =>
        {
            Assert.That(lines.Ended, Is.Zero);
            Assert.That(lines.Told, Is.GreaterThanOrEqualTo(count), "who holds a line is told, and needs no time-out to notice");
            Assert.That(beating.Where(task => task.Ended.IsCancellationRequested), Is.Empty);
            Assert.That(await cluster.CountAsync("tasks WHERE ended_at IS NULL"), Is.EqualTo(count + Beating));
        });
        foreach (var task in beating) await task.DisposeAsync();
        await AssertShutOutAsync(cluster);
    }

    private static async Task AssertShutOutAsync(Cluster cluster)
    {
        await cluster.Store.ExecuteAsync(ShutsOut);
        for (var node = 0; node < cluster.Nodes; node++) Assert.That(await cluster.Node(node).WaitForExitAsync(), Is.EqualTo(3), "it ends, so that lines and requests go to other nodes");
        Assert.That(async () => await cluster.StartNodeAsync(0), Throws.InvalidOperationException.With.Message.Contains("upgrade this server"));
    }

    /// <summary>The whole life of a lease, at each node.</summary>
    private static async Task AssertWorksAsync(Cluster cluster, string when)
    {
        for (var node = 0; node < cluster.Nodes; node++)
        {
            using var agent = cluster.Agent(node);
            await using var task = await agent.StartTaskAsync("work");
            var lease = await task.IssueAsync(Cluster.RoleName);
            await task.RenewAsync(lease, TimeSpan.FromMinutes(2));
            var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(25));
            Assert.That(ended.Unproven, Is.Zero, when);
        }

        Assert.That(await cluster.LoginsAsync(), Is.Zero, when);
    }

    /// <summary>Many lines over few connections; each is taken up again at the other node when it closes.</summary>
    private sealed class Lines : IAsyncDisposable
    {
        private const int AtOnce = 16;
        private readonly List<BrokerClient> _clients;
        private readonly CancellationTokenSource _enough = new();
        private readonly List<Task> _holding = [];
        private int[] _heldAt = [];
        private int _told;
        private int _broken;
        private int _ended;
        private string _last = "";

        public Lines(Cluster cluster) => _clients = [.. Enumerable.Range(0, cluster.Nodes).Select(node => cluster.Agent(node))];

        public int Told => _told;

        public int Broken => _broken;

        public int Ended => _ended;

        /// <summary>Waits until every line is held by one node.</summary>
        public Task UntilAllAsync(int node) => UntilAsync(held => held == node, "every line is held by the other node");

        public async Task OpenAsync(int count)
        {
            _heldAt = [.. Enumerable.Repeat(-1, count)];
            var tasks = new string[count];
            // The second node takes a moment to learn whom to trust: the first opens them all.
            await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, stop) =>
            {
                var wanted = new AgentTask { Intent = new Intent { What = "hold" }, HeartbeatInterval = Duration.FromTimeSpan(Interval) };
                tasks[number] = (await _clients[0].CreateTaskAsync(wanted, cancellationToken: stop)).Name;
            });
            _holding.AddRange(tasks.Select((task, number) => HoldAsync(number, task)));
            await UntilAsync(held => held >= 0, "every line is held");
        }

        public async ValueTask DisposeAsync()
        {
            await _enough.CancelAsync();
            await Task.WhenAll(_holding);
            foreach (var client in _clients) client.Dispose();
            _enough.Dispose();
        }

        private async Task UntilAsync(Func<int, bool> held, string what)
        {
            try
            {
                await Cluster.UntilAsync(() => Task.FromResult(_heldAt.All(held)), what, Bound);
            }
            catch (TimeoutException e)
            {
                throw new AssertionException($"{e.Message} {_heldAt.Count(held)} of {_heldAt.Length} are; {_told} were told to reconnect, {_ended} that it has ended, {_broken} broke; the last: {_last}");
            }
        }

        private async Task HoldAsync(int number, string task)
        {
            for (var node = number % _clients.Count; !_enough.IsCancellationRequested; node = (node + 1) % _clients.Count)
            {
                try
                {
                    using var line = _clients[node].Tasks.KeepTaskAlive(new() { Name = task }, cancellationToken: _enough.Token);
                    while (await line.ResponseStream.MoveNext(_enough.Token)) Hear(number, node, line.ResponseStream.Current.Signal);
                }
                catch (Exception e) when (e is BrokerException or OperationCanceledException)
                {
                    if (_enough.IsCancellationRequested) return;
                    _last = e.Message;
                    // Told or not, a line that was held is lost by it; one that was not held found its node down.
                    if (_heldAt[number] >= 0) Interlocked.Increment(ref _broken);
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250)), TimeProvider.System);
                }

                _heldAt[number] = -1;
            }
        }

        private void Hear(int number, int node, KeepTaskAliveResponse.Types.Signal signal)
        {
            _heldAt[number] = signal == KeepTaskAliveResponse.Types.Signal.Alive ? node : -1;
            if (signal == KeepTaskAliveResponse.Types.Signal.Reconnect) Interlocked.Increment(ref _told);
            if (signal == KeepTaskAliveResponse.Types.Signal.TaskEnded) Interlocked.Increment(ref _ended);
        }
    }
}
