using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Client;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>
/// Agents that ask whichever node comes, as behind a load balancer, and ask another when there is no answer: they open tasks, get logins, look whether they are
/// there, renew, revoke and end. What may not happen whatever fails is kept as a finding.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(4);
    private readonly Cluster _cluster;
    private readonly ConcurrentDictionary<(int Node, string Name), BrokerClient> _clients = [];
    private readonly ConcurrentDictionary<string, string> _delivered = [];
    private readonly ConcurrentDictionary<string, int> _counts = [];
    private readonly ConcurrentQueue<string> _findings = [];
    private readonly ConcurrentDictionary<string, string> _running = [];
    private readonly CancellationTokenSource _enough = new();
    private readonly List<Task> _agents = [];
    private int _suspensions;

    private Load(Cluster cluster) => _cluster = cluster;

    /// <summary>What may not happen, and did.</summary>
    public IReadOnlyCollection<string> Findings => _findings;

    /// <summary>What happened, by its name.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>All of it in a line.</summary>
    public string Summary => string.Join(", ", _counts.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} {one.Value}")));

    /// <summary>Begins, once every node knows whom to trust.</summary>
    /// <param name="cluster">Whom they ask.</param>
    /// <param name="agents">How many at once.</param>
    /// <param name="turnover">After how many tasks an agent is another workload; never for 0.</param>
    public static async Task<Load> StartAsync(Cluster cluster, int agents, int turnover = 0)
    {
        var load = new Load(cluster);
        for (var node = 0; node < cluster.Nodes; node++)
        {
            var client = load.ClientOf(node, "first");
            await Cluster.UntilAsync(() => KnowsAsync(client), "the node knows whom to trust", Patience);
        }

        load._agents.AddRange(Enumerable.Range(0, agents).Select(number => Task.Run(() => load.WorkAsync(number, turnover))));
        return load;
    }

    /// <summary>Suspends the role, so that everything it gave dies at once, and lifts that again.</summary>
    public async Task SuspendAsync()
    {
        Interlocked.Increment(ref _suspensions);
        var request = new CreateSuspensionRequest
        {
            RequestId = NewId(),
            Suspension = new Suspension { Target = Cluster.RoleName, Reason = "load" },
        };
        var made = await AskAsync("root", (client, _) => client.Suspensions.CreateSuspensionAsync(request).ResponseAsync);
        if (made is null) return;
        Count("suspended");
        await AskAsync("root", (client, _) => client.Suspensions.LiftSuspensionAsync(new() { Name = made.Name }).ResponseAsync);
    }

    /// <summary>Lets every agent come to the end of what it does, and then ends every task that still runs.</summary>
    public async Task StopAsync()
    {
        await _enough.CancelAsync();
        await Task.WhenAll(_agents);
        foreach (var (task, name) in _running) await EndAsync(name, task);
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        foreach (var client in _clients.Values) client.Dispose();
        _enough.Dispose();
    }

    private static async Task<bool> KnowsAsync(BrokerClient client)
    {
        try
        {
            await client.Tasks.ListTasksAsync(new());
            return true;
        }
        catch (BrokerException)
        {
            return false;
        }
    }

    private async Task WorkAsync(int number, int turnover)
    {
        try
        {
            for (var round = 0; !_enough.IsCancellationRequested; round++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"agent-{number}-{(turnover == 0 ? 0 : round / turnover)}");
                await TaskAsync(name);
                if (turnover > 0 && (round + 1) % turnover == 0) Forget(name);
            }
        }
        catch (Exception e) when (e is BrokerException or TimeoutException)
        {
            _findings.Enqueue($"an agent gave up: {e.Message}");
        }
    }

    /// <summary>One task from its opening to its end, or to where its agent leaves it.</summary>
    private async Task TaskAsync(string name)
    {
        var create = new CreateTaskRequest { RequestId = NewId(), Task = new AgentTask { Intent = new Intent { What = "load" } } };
        if (await AskAsync(name, (client, _) => client.Tasks.CreateTaskAsync(create).ResponseAsync) is not { } task) return;
        _running[task.Name] = name;
        Count("tasks");
        for (var more = Random.Shared.Next(1, 4); more > 0; more--) await LeaseAsync(name, task.Name);
        // Some are left to run: their leases are among what lives.
        if (Random.Shared.Next(5) > 0) await EndAsync(name, task.Name);
    }

    private async Task LeaseAsync(string name, string task)
    {
        var suspensions = Volatile.Read(ref _suspensions);
        var brief = Random.Shared.Next(6) == 0;
        var id = NewId();
        var issued = await AskAsync(name, (client, attempt) =>
        {
            var request = new IssueLeaseRequest { Parent = task, Role = Cluster.RoleName, RequestId = id, Attempt = attempt };
            if (brief) request.Ttl = Duration.FromTimeSpan(Brief);
            return client.Leases.IssueLeaseAsync(request).ResponseAsync;
        });
        if (issued is null) return;
        Count("issued");
        var (lease, login) = (issued.Lease.Name, issued.Credential.ToDictionary()["username"].Value);
        if (!_delivered.TryAdd(lease, id) || !_delivered.TryAdd(login, id)) _findings.Enqueue($"{lease} was delivered twice");
        if (brief) return;
        if (!await IsThereAsync(login) && suspensions == Volatile.Read(ref _suspensions)) _findings.Enqueue($"{lease} lives, and its login {login} is not there");
        switch (Random.Shared.Next(6))
        {
            case 0 when await AskAsync(name, (client, _) => client.Leases.RenewLeaseAsync(new() { Name = lease, Ttl = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)) }).ResponseAsync) is not null:
                Count("renewed");
                break;
            case 1 when await AskAsync(name, (client, _) => client.Leases.RevokeLeaseAsync(new() { Name = lease }).ResponseAsync) is not null:
                Count("revoked");
                break;
        }
    }

    private async Task EndAsync(string name, string task)
    {
        if (await AskAsync(name, (client, _) => client.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded }).ResponseAsync) is null) _findings.Enqueue($"{task} could not be ended");
        _running.TryRemove(task, out _);
        Count("ended");
    }

    /// <summary>Asks one node after the other, with a higher attempt each time, until one says yes or no. Answers null for no.</summary>
    private async Task<T?> AskAsync<T>(string name, Func<BrokerClient, int, Task<T>> call)
        where T : class
    {
        var started = Stopwatch.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call(ClientOf(Random.Shared.Next(_cluster.Nodes), name), attempt);
            }
            catch (BrokerException e) when (e.AnswerLost || e.Code == StatusCode.Unavailable || e.KnownReason is ErrorReason.ConcurrentChange or ErrorReason.DeadlineExceeded)
            {
                Count("asked again");
                if (Stopwatch.GetElapsedTime(started) > Patience) throw new TimeoutException($"No node answered in {Patience.TotalSeconds:0} s: {e.Message}");
                await Task.Delay(Pause, TimeProvider.System);
            }
            catch (BrokerException e)
            {
                Count($"refused {e.Reason}");
                return null;
            }
        }
    }

    private async Task<bool> IsThereAsync(string login)
    {
        try
        {
            return await _cluster.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = '{login}' AND rolcanlogin") == 1;
        }
        catch (NpgsqlException)
        {
            Count("not looked");
            return true; // The target is down: nobody knows.
        }
    }

    private BrokerClient ClientOf(int node, string name) => _clients.GetOrAdd((node, name), key => key.Name == "root" ? _cluster.Root(key.Node) : _cluster.Agent(key.Node, key.Name));

    private void Forget(string name)
    {
        for (var node = 0; node < _cluster.Nodes; node++)
            if (_running.Values.All(other => other != name) && _clients.TryRemove((node, name), out var client)) client.Dispose();
    }

    private static string NewId() => Uid.New(TimeProvider.System).ToString();

    private void Count(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);
}
