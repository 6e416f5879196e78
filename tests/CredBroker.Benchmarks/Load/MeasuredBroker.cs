using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Server;
using DevIdentity;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace CredBroker.Benchmarks.Load;

/// <summary>What is measured.</summary>
/// <param name="Database">A superuser's connection to an empty PostgreSQL database, where the store is one; otherwise SQLite is the store.</param>
/// <param name="Target">A superuser's connection to the PostgreSQL server whose logins are issued; otherwise tokens are.</param>
/// <param name="IssueSlots">How many issuing calls the provider serves at once.</param>
/// <param name="FewIterations">A login's verifier has one iteration, not the 4,096 that it has where nothing is said.</param>
internal sealed record SetUp(string? Database = null, string? Target = null, int IssueSlots = 1024, bool FewIterations = false);

/// <summary>The real server as a process, with one role, and limits that do not get in the way.</summary>
internal sealed class MeasuredBroker : IAsyncDisposable
{
    public const string Role = "providers/measured/roles/reader";
    private const string Password = "measured-broker-password-of-a-loopback-server";
    private readonly SetUp _setUp;
    private readonly DevIdentitySource _identity;
    private readonly Uri _http;
    private readonly Uri _grpc;
    private ServerProcess? _server;
    private int _tokens;

    private MeasuredBroker(SetUp setUp, string folder, DevIdentitySource identity, int[] ports) =>
        (_setUp, Folder, _identity, _http, _grpc) = (setUp, folder, identity, new Uri($"http://127.0.0.1:{ports[0]}"), new Uri($"http://127.0.0.1:{ports[1]}"));

    /// <summary>Where its files are; the database of SQLite is <c>credbroker.db</c> there.</summary>
    public string Folder { get; }

    /// <summary>What the process costs.</summary>
    public ProcessCost Cost => ProcessCost.Of(_server!.Id);

    public static async Task<MeasuredBroker> StartAsync(SetUp setUp)
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-benchmark-").FullName;
        var broker = new MeasuredBroker(setUp, folder, await DevIdentitySource.StartAsync(), ServerProcess.FreePorts(2));
        if (setUp.Target is { } target) await PrepareTargetAsync(target);
        broker.Write("password", Password);
        broker.Write("store", setUp.Database is { } store ? new NpgsqlConnectionStringBuilder(store).Password! : "");
        broker.Write("wrapping", Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)));
        broker.Write("credbroker.yaml", broker.Configuration());
        await broker.StartServerAsync();
        await broker.RegisterAsync();
        return broker;
    }

    /// <summary>Starts the server's process, and waits until it is ready.</summary>
    public async Task StartServerAsync() => _server = await ServerProcess.StartReadyAsync(Path.Combine(Folder, "credbroker.yaml"), _http);

    /// <summary>Stops it.</summary>
    public async Task StopServerAsync()
    {
        if (_server is not { } server) return;
        _server = null;
        await server.StopAsync();
        await server.DisposeAsync();
    }

    /// <summary>A caller of its own, with a token that outlives the measurement.</summary>
    public BrokerClient Caller(int number)
    {
        var token = Token($"agent-{number}");
        return Connect(() => token);
    }

    /// <summary>A caller whose token is another for each call.</summary>
    public BrokerClient CallerWithNewTokens(int number) => Connect(() => Token($"agent-{number}"));

    /// <summary>The root.</summary>
    public BrokerClient Administrator() => Connect(() => _identity.Mint("root", "operator"));

    public async ValueTask DisposeAsync()
    {
        await StopServerAsync();
        await _identity.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    // The server reads no secret that others may read.
    private void Write(string name, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(Path.Combine(Folder, name), options);
        writer.Write(text);
    }

    private string Token(string subject) => _identity.Mint(subject, "agents", new() { ["run"] = "1", ["jti"] = Interlocked.Increment(ref _tokens).ToString(System.Globalization.CultureInfo.InvariantCulture) }, TimeSpan.FromMinutes(50));

    private BrokerClient Connect(Func<string> token) =>
        new(new BrokerClientOptions { Address = _grpc, Token = TokenSource.From(_ => ValueTask.FromResult(token())), MaxAttempts = 1 });

    private string Configuration() => $$"""
        installation: {id: bench1, publicUrl: "{{_http.OriginalString}}", environment: development, wrappingKeyFile: "{{Folder}}/wrapping"}
        listen: {http: "{{_http.Authority}}", grpc: "{{_grpc.Authority}}"}
        storage: {{StoreOf(_setUp.Database)}}
        operator:
          identitySources:
            - name: operator
              oidc: {issuer: "{{_identity.Issuer}}", audiences: [operator]}
          root: {identitySource: operator, subject: root}
        egress: {allow: [127.0.0.1]}
        secretSources: [{name: target, file: "{{Folder}}/password", consumers: [{provider: measured, host: "127.0.0.1"}]}]
        logging: {level: warning}
        limits:
          issueSlots: {{_setUp.IssueSlots}}
          leasesPerTask: 10000000
          leasesPerWorkload: 10000000
          leasesPerRole: 10000000
          leasesPerProvider: 10000000
          leasesPerWorkloadAndProvider: 10000000
          tasksPerWorkload: 10000000
          issuesPerMinutePerWorkload: 10000000
          issuesPerMinutePerTask: 10000000
          issuesPerMinutePerRole: 10000000
          issuesPerMinutePerProvider: 10000000
        """;

    private string StoreOf(string? database)
    {
        if (database is null) return "{sqlite: {path: credbroker.db, keptBackMiB: 16}}";
        var server = new NpgsqlConnectionStringBuilder(database);
        return $"{{postgresql: {{host: \"{server.Host}\", port: {server.Port}, database: \"{server.Database}\", username: \"{server.Username}\", passwordFile: \"{Folder}/store\"}}}}";
    }

    private static async Task PrepareTargetAsync(string superuser)
    {
        await using var source = NpgsqlDataSource.Create(superuser);
        string[] statements =
        [
            "CREATE ROLE measured_readers NOLOGIN", $"CREATE ROLE measured_broker LOGIN CREATEROLE PASSWORD '{Password}'",
            "GRANT measured_readers TO measured_broker WITH ADMIN OPTION", "GRANT pg_signal_backend TO measured_broker",
        ];
        foreach (var statement in statements)
        {
            await using var command = source.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task RegisterAsync()
    {
        using var administrator = Administrator();
        var source = new IdentitySource { Type = "oidc", Oidc = new OidcSource { Issuer = _identity.Issuer, Audiences = { "agents" }, InstanceClaims = { "run" } } };
        await administrator.IdentitySources.CreateIdentitySourceAsync(new() { IdentitySourceId = "agents", IdentitySource = source });
        var (provider, kind, template) = (new Provider { Type = "token" }, "jwt", new Struct { Fields = { ["audience"] = Value.ForString("https://service.example") } });
        if (_setUp.Target is { } target)
        {
            var server = new NpgsqlConnectionStringBuilder(target);
            provider = new Provider
            {
                Type = "postgresql",
                Config = Struct.Parser.ParseJson($$"""{"host": "{{server.Host}}", "port": {{server.Port}}, "database": "{{server.Database}}", "username": "measured_broker", "password": {"source": "target"}, "sslMode": "disable", "groups": ["measured_readers"]}"""),
            };
            (kind, template) = ("login", Struct.Parser.ParseJson($$"""{"groups": ["measured_readers"]{{(_setUp.FewIterations ? ", \"scramIterations\": 1" : "")}}}"""));
        }

        await administrator.Providers.CreateProviderAsync(new() { ProviderId = "measured", Provider = provider });
        await administrator.Roles.CreateRoleAsync(new() { Parent = "providers/measured", RoleId = "reader", Role = new Role { Kind = kind, Template = template, MaxTtl = Duration.FromTimeSpan(TimeSpan.FromHours(2)) } });
        const string Policy = "permit (principal in IdentitySource::\"agents\", action in [Action::\"createTask\", Action::\"issue\", Action::\"renew\"], resource);";
        await administrator.PolicySets.CreatePolicySetAsync(new() { PolicySetId = "all", PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = Policy } });
    }
}
