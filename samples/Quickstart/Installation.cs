using System.Security.Cryptography;
using CredBroker.Client;
using CredBroker.Client.Tokens;
using DevIdentity;

namespace Quickstart;

/// <summary>A broker of one's own: the server, the development identity source that vouches for everybody here, and who is who.</summary>
internal sealed class Installation : IAsyncDisposable
{
    public const string Agents = "agents";
    public const string OperatorAudience = "credbroker-operator";

    private readonly BrokerProcess _broker;

    private Installation(Workplace place, DevIdentitySource identity, BrokerProcess broker) => (Place, Identity, _broker) = (place, identity, broker);

    /// <summary>This run's own: what it makes in a database bears this name and no other run's.</summary>
    public static string Id { get; } = $"q{RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", 5)}";

    public Workplace Place { get; }

    public DevIdentitySource Identity { get; }

    /// <summary>The server's process.</summary>
    public int BrokerProcessId => _broker.Id;

    /// <summary>The audience of tokens that are for this broker.</summary>
    public static string AgentAudience => $"credbroker:{Id}";

    public static async Task<Installation> StartAsync(Workplace place, string secretSources, Narrator narrator, CancellationToken cancellationToken)
    {
        narrator.Step("Start the broker: its own process, a SQLite file in a temporary folder, on loopback");
        var identity = await DevIdentitySource.StartAsync(cancellationToken: cancellationToken);
        try
        {
            var broker = await BrokerProcess.StartAsync(place.Write("credbroker.yaml", Configuration(place, identity.Issuer, secretSources)), place.Http, cancellationToken);
            narrator.Say($"REST at {place.Http}, gRPC at {place.Grpc}, files in {place.Folder}");
            narrator.Say($"The development identity source at {identity.Issuer} vouches for whom we say. Never use it for anything that matters.");
            return new Installation(place, identity, broker);
        }
        catch
        {
            await identity.DisposeAsync();
            throw;
        }
    }

    /// <summary>The operator's root: the first administrator, named in the configuration.</summary>
    public BrokerClient Administrator() => Connect(() => Identity.Mint("root", OperatorAudience));

    /// <summary>A workload. The run is what the issuer attests as its instance: a task belongs to one run.</summary>
    public BrokerClient Agent(string name) => Connect(() => AgentToken(name));

    public string AgentToken(string name, TimeSpan? lifetime = null) => Identity.Mint(name, AgentAudience, new() { ["run"] = $"{name}-run-1", ["team"] = "research" }, lifetime);

    /// <summary>Completes when the server has ended.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => _broker.WaitForExitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await Identity.DisposeAsync();
    }

    private BrokerClient Connect(Func<string> token) => new(new BrokerClientOptions { Address = Place.Grpc, Token = TokenSource.From(_ => ValueTask.FromResult(token())) });

    private static string Configuration(Workplace place, string issuer, string secretSources) => $$"""
        installation:
          id: {{Id}}
          publicUrl: http://127.0.0.1:{{place.HttpPort}}
          environment: development
        listen:
          http: 127.0.0.1:{{place.HttpPort}}
          grpc: 127.0.0.1:{{place.GrpcPort}}
        storage:
          sqlite: {path: credbroker.db}
        operator:
          identitySources:
            - name: operator
              oidc:
                issuer: {{issuer}}
                audiences: [{{OperatorAudience}}]
          root: {identitySource: operator, subject: root}
        egress:
          allow: [127.0.0.1, "::1", localhost]
        logging: {level: warning}
        {{secretSources}}
        """;
}
