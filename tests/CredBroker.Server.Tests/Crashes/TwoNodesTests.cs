using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Server;
using CredBroker.TestSupport.Stores;
using DevIdentity;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Quickstart;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>Two real servers on one PostgreSQL: what one of them begins another finishes, once, whatever becomes of the first.</summary>
public sealed class TwoNodesTests
{
    private const string Provider = "reports-db";
    private const string RoleName = $"providers/{Provider}/roles/reader";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly int[] _ports = ServerProcess.FreePorts(4);

    private PostgresDatabase _store = null!;
    private PostgresDatabase _database = null!;
    private TargetDatabase _target = null!;
    private Workplace _place = null!;
    private DevIdentitySource _identity = null!;
    private ServerProcess _one = null!;
    private ServerProcess _two = null!;

    [SetUp]
    public async Task StartNodesAsync()
    {
        _store = await PostgresServer.CreateDatabaseAsync();
        _database = await PostgresServer.CreateDatabaseAsync();
        _target = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        _target.Settings.Host = "127.0.0.1";
        _place = new Workplace();
        _identity = await DevIdentitySource.StartAsync();
        _place.Write("wrapping.key", Convert.ToBase64String(_key));
        _one = await ServerProcess.StartReadyAsync(Configure("one", 0), HttpOf(0));
        _two = await ServerProcess.StartReadyAsync(Configure("two", 2), HttpOf(2));
        await RegisterAsync();
    }

    [TearDown]
    public async Task StopNodesAsync()
    {
        foreach (var node in (ServerProcess?[])[_one, _two])
            if (node is not null) await node.DisposeAsync();
        await _identity.DisposeAsync();
        await _target.DisposeAsync();
        _place.Dispose();
        await _database.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Test]
    public async Task What_both_issued_is_revoked_by_both_and_each_lease_proven_dead_once()
    {
        using var first = Agent(0);
        using var second = Agent(2);
        var task = await OpenTaskAsync(first, second);
        await IssueAsync(task, 10, first, second);
        await second.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded });
        await AssertDeadOnceAsync(first, task, 20);
    }

    [Test]
    public async Task What_one_node_had_claimed_when_it_was_killed_dies_by_the_other_once()
    {
        using var first = Agent(0);
        using var second = Agent(2);
        var task = await OpenTaskAsync(first, second);
        await IssueAsync(task, 3, first, second);
        Assert.That(await LoginsAsync(), Is.EqualTo(6));

        // The first stands still, so that whatever is claimed is the second's; and the target answers nothing, so that it keeps its claims.
        _one.Freeze();
        await using (await HoldTheTargetAsync())
        {
            await second.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded });
            await UntilAsync(async () => await CountAsync("leases WHERE state = 3 AND first_attempt_at IS NOT NULL") == 6, "the second node has claimed all");
            await _two.KillAsync();
        }

        Assert.That(await CountAsync("leases WHERE state = 3"), Is.EqualTo(6), "nothing of it is proven");
        _one.Thaw();
        await AssertDeadOnceAsync(first, task, 6);
        Assert.That(await CountAsync("leases WHERE fence >= 3"), Is.EqualTo(6), "each was claimed again");
    }

    [Test]
    public async Task A_node_that_stood_still_longer_than_its_claims_settles_nothing_and_standing_still_ends_nobody()
    {
        using var first = Agent(0);
        using var second = Agent(2);
        var task = await OpenTaskAsync(first, second);
        await IssueAsync(task, 3, first, second);
        _one.Freeze();
        await using (await HoldTheTargetAsync())
        {
            await second.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Succeeded });
            await UntilAsync(async () => await CountAsync("leases WHERE state = 3 AND first_attempt_at IS NOT NULL") == 6, "the second node has claimed all");
            _two.Freeze();
        }

        _one.Thaw();
        await AssertDeadOnceAsync(first, task, 6);
        _two.Thaw();
        await UntilAsync(async () => (await second.Tasks.GetTaskAsync(new() { Name = task })).EndTime is not null, "the second node answers again");
        await AssertDeadOnceAsync(second, task, 6);

        // Both stand still for longer than the grace of a heartbeat.
        var living = await first.Tasks.CreateTaskAsync(
            new() { Task = new AgentTask { Intent = new Intent { What = "wait" }, HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) } });
        foreach (var node in (ServerProcess[])[_one, _two]) node.Freeze();
        // Only real time passes for a process that stands still.
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        foreach (var node in (ServerProcess[])[_one, _two]) node.Thaw();
        await first.Tasks.HeartbeatAsync(new() { Name = living.Name });
        Assert.That((await first.Tasks.GetTaskAsync(new() { Name = living.Name })).EndTime, Is.Null);
    }

    private async Task AssertDeadOnceAsync(BrokerClient agent, string task, int count)
    {
        await UntilAsync(
            async () => (await agent.Leases.ListLeasesAsync(new() { Parent = task, PageSize = 100 })).Leases is { } leases
                && leases.Count == count && leases.All(lease => lease.State == Lease.Types.State.Revoked),
            "everything is proven dead");
        Assert.That(await LoginsAsync(), Is.Zero, "nothing is left at the target");
        Assert.That((await agent.Receipts.GetReceiptAsync(new() { Name = $"{task}/receipt" })).State, Is.EqualTo(Receipt.Types.State.Closed));
        Assert.That(await CountAsync("audit_events WHERE type = 'lease.revoked'"), Is.EqualTo(count), "each is told to be dead once");
        Assert.That(await _store.ScalarAsync<long>("SELECT count(DISTINCT lease_id) FROM credbroker.audit_events WHERE type = 'lease.revoked'"), Is.EqualTo(count));
        Assert.That(await CountAsync("audit_events WHERE type = 'receipt.closed'"), Is.EqualTo(1));
        await AssertChainsAreSoundAsync();
    }

    private async Task AssertChainsAreSoundAsync()
    {
        await using var reader = await new PostgresStoreDatabase(_store).StartAsync(new FakeTimeProvider(), options => options.WrappingKey = _key);
        var events = new List<Core.Audit.AuditEvent>();
        for (string? after = null; ;)
        {
            var page = await reader.Audit.ListAsync(new AuditQuery(), new PageRequest(1000, after), CancellationToken.None);
            events.AddRange(page.Items);
            if ((after = page.Next) is null) break;
        }

        var chains = events.GroupBy(found => found.Writer).ToList();
        Assert.That(chains, Has.Count.GreaterThanOrEqualTo(2), "both have written");
        foreach (var chain in chains) Assert.That(AuditChain.Verify(chain.OrderBy(found => found.Sequence)), Is.InstanceOf<AuditFinding.Sound>());
    }

    private static async Task IssueAsync(string task, int each, params BrokerClient[] agents)
    {
        for (var i = 0; i < each; i++)
            foreach (var agent in agents) await agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = RoleName });
    }

    /// <summary>A task that the first node opened, once the second knows whom to trust.</summary>
    private static async Task<string> OpenTaskAsync(BrokerClient first, BrokerClient second)
    {
        var task = await first.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "count the reports" } } });
        await UntilAsync(
            async () =>
            {
                try
                {
                    return (await second.Tasks.GetTaskAsync(new() { Name = task.Name })).Name == task.Name;
                }
                catch (BrokerException)
                {
                    return false;
                }
            },
            "the second node knows the task");
        return task.Name;
    }

    private async Task RegisterAsync()
    {
        using var root = Connect(0, () => _identity.Mint("root", Installation.OperatorAudience));
        var quiet = new Narrator(TextWriter.Null);
        await Registration.RegisterAgentsAsync(root, _identity.Issuer, quiet, CancellationToken.None);
        await root.Providers.CreateProviderAsync(new() { ProviderId = Provider, Provider = new Provider { Type = "postgresql", Config = Configuration() } });
        var template = new Struct { Fields = { ["groups"] = Value.ForList(Value.ForString(_target.Group)) } };
        await root.Roles.CreateRoleAsync(new() { Parent = $"providers/{Provider}", RoleId = "reader", Role = new Role { Kind = "login", MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)), Template = template } });
        var policy = $"permit (principal in IdentitySource::\"{Installation.Agents}\", action in [Action::\"createTask\", Action::\"issue\"], resource);";
        await root.PolicySets.CreatePolicySetAsync(new() { PolicySetId = "agents", PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = policy } });
    }

    private Struct Configuration() => new()
    {
        Fields =
        {
            ["host"] = Value.ForString("127.0.0.1"),
            ["port"] = Value.ForNumber(_database.Port),
            ["database"] = Value.ForString(_database.Name),
            ["username"] = Value.ForString(_target.BrokerLogin),
            ["password"] = Value.ForStruct(new Struct { Fields = { ["source"] = Value.ForString("reports-db") } }),
            ["sslMode"] = Value.ForString("disable"),
            ["groups"] = Value.ForList(Value.ForString(_target.Group)),
        },
    };

    private string Configure(string name, int ports)
    {
        var settings = new NpgsqlConnectionStringBuilder(_store.ConnectionString);
        var password = settings.Password is { Length: > 0 } given ? $", passwordFile: {_place.Write($"{name}.password", given)}" : "";
        return _place.Write($"{name}.yaml", string.Create(CultureInfo.InvariantCulture, $$"""
            installation: {id: {{Installation.Id}}, publicUrl: "http://127.0.0.1:{{_ports[0]}}", wrappingKeyFile: wrapping.key}
            listen: {http: "127.0.0.1:{{_ports[ports]}}", grpc: "127.0.0.1:{{_ports[ports + 1]}}"}
            storage:
              postgresql: {host: 127.0.0.1, port: {{_store.Port}}, database: {{_store.Name}}, username: {{settings.Username}}{{password}}}
            operator:
              identitySources:
                - name: operator
                  oidc: {issuer: "{{_identity.Issuer}}", audiences: [{{Installation.OperatorAudience}}]}
              root: {identitySource: operator, subject: root}
            egress: {allow: [127.0.0.1, "::1", localhost]}
            logging: {level: warning}
            limits: {attemptTimeout: 5s, claimFor: 6s, shortestHeartbeatGrace: 3s}
            {{DatabaseStory.SecretSources(_place, _target)}}
            """));
    }

    private BrokerClient Agent(int ports) => Connect(ports, () => _identity.Mint("agent-1", Installation.AgentAudience, new() { ["run"] = "run-1" }));

    private BrokerClient Connect(int ports, Func<string> token) => new(new BrokerClientOptions
    {
        Address = new Uri($"http://127.0.0.1:{_ports[ports + 1]}"),
        Token = TokenSource.From(_ => ValueTask.FromResult(token())),
    });

    private Uri HttpOf(int ports) => new($"http://127.0.0.1:{_ports[ports]}");

    /// <summary>Holds what changing a login must write to.</summary>
    private async Task<NpgsqlConnection> HoldTheTargetAsync()
    {
        var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE pg_catalog.pg_authid IN SHARE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private Task<long> CountAsync(string what) => _store.ScalarAsync<long>($"SELECT count(*) FROM credbroker.{what}");

    private Task<long> LoginsAsync() => _database.ScalarAsync<long>($"SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname LIKE 'cb\\_{Installation.Id}\\_%'");

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > Bound) throw new TimeoutException($"In {Bound.TotalSeconds:0} s it did not come true that {what}.");
            await timer.WaitForNextTickAsync();
        }
    }
}
