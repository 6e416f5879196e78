using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Server;
using DevIdentity;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Benchmarks.Load;

/// <summary>The real server with one role of the token provider, and limits that do not get in the way.</summary>
internal sealed class MeasuredBroker : IAsyncDisposable
{
    public const string Role = "providers/services/roles/reader";
    private readonly string _folder;
    private readonly DevIdentitySource _identity;
    private readonly ServerProcess _server;
    private readonly Uri _grpc;

    private MeasuredBroker(string folder, DevIdentitySource identity, ServerProcess server, Uri grpc) => (_folder, _identity, _server, _grpc) = (folder, identity, server, grpc);

    public static async Task<MeasuredBroker> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-benchmark-").FullName;
        var ports = ServerProcess.FreePorts(2);
        var identity = await DevIdentitySource.StartAsync();
        var file = Path.Combine(folder, "credbroker.yaml");
        await File.WriteAllTextAsync(file, $$"""
            installation: {id: bench1, publicUrl: "http://127.0.0.1:{{ports[0]}}", environment: development}
            listen: {http: "127.0.0.1:{{ports[0]}}", grpc: "127.0.0.1:{{ports[1]}}"}
            operator:
              identitySources:
                - name: operator
                  oidc: {issuer: "{{identity.Issuer}}", audiences: [operator]}
              root: {identitySource: operator, subject: root}
            egress: {allow: [127.0.0.1]}
            logging: {level: warning}
            limits:
              issueSlots: 1024
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
            """);
        var server = await ServerProcess.StartReadyAsync(file, new Uri($"http://127.0.0.1:{ports[0]}"));
        var broker = new MeasuredBroker(folder, identity, server, new Uri($"http://127.0.0.1:{ports[1]}"));
        await broker.RegisterAsync();
        return broker;
    }

    /// <summary>A caller of its own, with a token that outlives the measurement.</summary>
    public BrokerClient Caller(int number)
    {
        var token = _identity.Mint($"agent-{number}", "agents", new() { ["run"] = "1" }, TimeSpan.FromMinutes(30));
        return new BrokerClient(new BrokerClientOptions { Address = _grpc, Token = TokenSource.From(_ => ValueTask.FromResult(token)), MaxAttempts = 1 });
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync();
        await _server.DisposeAsync();
        await _identity.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task RegisterAsync()
    {
        using var administrator = new BrokerClient(new BrokerClientOptions { Address = _grpc, Token = TokenSource.From(_ => ValueTask.FromResult(_identity.Mint("root", "operator"))) });
        var source = new IdentitySource { Type = "oidc", Oidc = new OidcSource { Issuer = _identity.Issuer, Audiences = { "agents" }, InstanceClaims = { "run" } } };
        await administrator.IdentitySources.CreateIdentitySourceAsync(new() { IdentitySourceId = "agents", IdentitySource = source });
        await administrator.Providers.CreateProviderAsync(new() { ProviderId = "services", Provider = new Provider { Type = "token" } });
        var template = new Struct { Fields = { ["audience"] = Value.ForString("https://service.example") } };
        var role = new Role { Kind = "jwt", Template = template, MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)) };
        await administrator.Roles.CreateRoleAsync(new() { Parent = "providers/services", RoleId = "reader", Role = role });
        const string Policy = "permit (principal in IdentitySource::\"agents\", action in [Action::\"createTask\", Action::\"issue\"], resource);";
        await administrator.PolicySets.CreatePolicySetAsync(new() { PolicySetId = "all", PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = Policy } });
    }
}
