using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Server;
using DevIdentity;
using Google.Protobuf.WellKnownTypes;
using Npgsql;
using Quickstart;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>Several real servers on one PostgreSQL, and a database whose logins they make. Any of them may be killed, stopped, frozen and started again.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const string Provider = "reports-db";
    public const string RoleName = $"providers/{Provider}/roles/reader";
    private const string Policy = $"permit (principal in IdentitySource::\"{Installation.Agents}\", action in [Action::\"createTask\", Action::\"issue\", Action::\"renew\"], resource);";

    private readonly int[] _ports;
    private readonly string _limits;
    private readonly TargetDatabase _target;
    private readonly Workplace _place = new();
    private readonly DevIdentitySource _identity;
    private readonly ServerProcess?[] _nodes;

    private Cluster(int nodes, string limits, PostgresDatabase store, PostgresDatabase database, TargetDatabase target, DevIdentitySource identity)
    {
        (_limits, Store, Database, _target, _identity) = (limits, store, database, target, identity);
        _ports = ServerProcess.FreePorts(nodes * 2);
        _nodes = new ServerProcess?[nodes];
        _place.Write("wrapping.key", Convert.ToBase64String(Key));
    }

    /// <summary>Where the servers keep what they know.</summary>
    public PostgresDatabase Store { get; }

    /// <summary>Where they make logins.</summary>
    public PostgresDatabase Database { get; }

    /// <summary>The wrapping key.</summary>
    public byte[] Key { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>How many nodes there are, living or not.</summary>
    public int Nodes => _nodes.Length;

    /// <summary>Starts the nodes on two empty databases, which are disposed with it, and registers a provider, a role and a policy.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="limits">What stands in the configuration under <c>limits</c>, in braces.</param>
    /// <param name="store">Where the servers keep what they know.</param>
    /// <param name="database">Where they make logins.</param>
    public static async Task<Cluster> StartAsync(int nodes, string limits, PostgresDatabase store, PostgresDatabase database)
    {
        var target = await TargetDatabase.PrepareAsync(database.ConnectionString, CancellationToken.None);
        target.Settings.Host = "127.0.0.1";
        var cluster = new Cluster(nodes, limits, store, database, target, await DevIdentitySource.StartAsync());
        try
        {
            // The first brings the database up to date; the others find it so.
            await cluster.StartNodeAsync(0);
            await cluster.RegisterAsync();
            await Task.WhenAll(Enumerable.Range(1, nodes - 1).Select(cluster.StartNodeAsync));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A node that runs.</summary>
    public ServerProcess Node(int index) => _nodes[index] ?? throw new InvalidOperationException($"Node {index} does not run.");

    /// <summary>Starts a node, or starts it again, and waits until it is ready.</summary>
    public async Task StartNodeAsync(int index) => _nodes[index] = await ServerProcess.StartReadyAsync(Configure(index), new Uri($"http://127.0.0.1:{_ports[index * 2]}"));

    /// <summary>Kills a node at once (SIGKILL).</summary>
    public async Task KillNodeAsync(int index)
    {
        await Node(index).KillAsync();
        await Node(index).DisposeAsync();
        _nodes[index] = null;
    }

    /// <summary>Asks a node to stop (SIGTERM), and waits for its end.</summary>
    public async Task StopNodeAsync(int index)
    {
        await Node(index).StopAsync();
        await Node(index).DisposeAsync();
        _nodes[index] = null;
    }

    /// <summary>A workload, as it asks one node.</summary>
    public BrokerClient Agent(int node, string name = "agent-1") => Connect(node, () => _identity.Mint(name, Installation.AgentAudience, new() { ["run"] = $"{name}-run-1" }));

    /// <summary>The operator's root.</summary>
    public BrokerClient Root(int node) => Connect(node, () => _identity.Mint("root", Installation.OperatorAudience));

    /// <summary>Counts rows of a table of the broker's, with a condition.</summary>
    public Task<long> CountAsync(string what) => Store.ScalarAsync<long>($"SELECT count(*) FROM credbroker.{what}");

    /// <summary>How many logins of this installation are at the target.</summary>
    public Task<long> LoginsAsync() => Database.ScalarAsync<long>($"SELECT count(*) FROM pg_catalog.pg_roles WHERE {OurLogins}");

    /// <summary>The names of the logins at the target.</summary>
    public async Task<IReadOnlyList<string>> LoginNamesAsync() =>
        (await Database.ScalarAsync<string>($"SELECT coalesce(string_agg(rolname, ','), '') FROM pg_catalog.pg_roles WHERE {OurLogins}"))!.Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Waits until something holds.</summary>
    /// <exception cref="TimeoutException">It did not within <paramref name="bound"/>.</exception>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what, TimeSpan bound)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > bound) throw new TimeoutException($"In {bound.TotalSeconds:0} s it did not come true that {what}.");
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            if (node is not null) await node.DisposeAsync();
        await _identity.DisposeAsync();
        await _target.DisposeAsync();
        _place.Dispose();
        await Database.DisposeAsync();
        await Store.DisposeAsync();
    }

    private static string OurLogins => $"rolname LIKE 'cb\\_{Installation.Id}\\_%'";

    private async Task RegisterAsync()
    {
        using var root = Root(0);
        await Registration.RegisterAgentsAsync(root, _identity.Issuer, new Narrator(TextWriter.Null), CancellationToken.None);
        await root.Providers.CreateProviderAsync(new() { ProviderId = Provider, Provider = new Provider { Type = "postgresql", Config = ProviderConfiguration() } });
        var template = new Struct { Fields = { ["groups"] = Value.ForList(Value.ForString(_target.Group)) } };
        await root.Roles.CreateRoleAsync(new() { Parent = $"providers/{Provider}", RoleId = "reader", Role = new Role { Kind = "login", MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)), Template = template } });
        await root.PolicySets.CreatePolicySetAsync(new() { PolicySetId = "agents", PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = Policy } });
    }

    private Struct ProviderConfiguration() => new()
    {
        Fields =
        {
            ["host"] = Value.ForString("127.0.0.1"),
            ["port"] = Value.ForNumber(Database.Port),
            ["database"] = Value.ForString(Database.Name),
            ["username"] = Value.ForString(_target.BrokerLogin),
            ["password"] = Value.ForStruct(new Struct { Fields = { ["source"] = Value.ForString(Provider) } }),
            ["sslMode"] = Value.ForString("disable"),
            ["groups"] = Value.ForList(Value.ForString(_target.Group)),
        },
    };

    private string Configure(int index)
    {
        var settings = new NpgsqlConnectionStringBuilder(Store.ConnectionString);
        var password = settings.Password is { Length: > 0 } given ? $", passwordFile: {_place.Write($"{index}.password", given)}" : "";
        return _place.Write($"{index}.yaml", string.Create(CultureInfo.InvariantCulture, $$"""
            installation: {id: {{Installation.Id}}, publicUrl: "http://127.0.0.1:{{_ports[0]}}", wrappingKeyFile: wrapping.key}
            listen: {http: "127.0.0.1:{{_ports[index * 2]}}", grpc: "127.0.0.1:{{_ports[(index * 2) + 1]}}"}
            storage:
              witnessFile: {{Path.Combine(_place.Folder, $"{index}.witness")}}
              postgresql: {host: 127.0.0.1, port: {{Store.Port}}, database: {{Store.Name}}, username: {{settings.Username}}{{password}}}
            operator:
              identitySources:
                - name: operator
                  oidc: {issuer: "{{_identity.Issuer}}", audiences: [{{Installation.OperatorAudience}}]}
              root: {identitySource: operator, subject: root}
            egress: {allow: [127.0.0.1, "::1", localhost]}
            logging: {level: warning}
            limits: {{_limits}}
            {{DatabaseStory.SecretSources(_place, _target)}}
            """));
    }

    private BrokerClient Connect(int node, Func<string> token) => new(new BrokerClientOptions
    {
        Address = new Uri($"http://127.0.0.1:{_ports[(node * 2) + 1]}"),
        Token = TokenSource.From(_ => ValueTask.FromResult(token())),
    });
}
