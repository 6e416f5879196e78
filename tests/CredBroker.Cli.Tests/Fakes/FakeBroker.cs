using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.TestSupport.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.Cli.Tests.Fakes;

/// <summary>A broker that keeps what it's told in memory: a real server on loopback, for the transport and the commands.</summary>
internal sealed class FakeBroker : IAsyncDisposable
{
    public const string Token = "header.payload.signature";
    private readonly WebApplication _app;

    private FakeBroker(WebApplication app)
    {
        _app = app;
        State = app.Services.GetRequiredService<FakeState>();
        Address = LoopbackServer.AddressesOf(app).Single();
    }

    public FakeState State { get; }

    public Uri Address { get; }

    public static async Task<FakeBroker> StartAsync()
    {
        var builder = LoopbackServer.CreateBuilder(HttpProtocols.Http2);
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<FakeState>();
        var app = builder.Build();
        app.MapGrpcService<FakeTasks>();
        app.MapGrpcService<FakeLeases>();
        app.MapGrpcService<FakeReceipts>();
        app.MapGrpcService<FakeProviders>();
        app.MapGrpcService<FakeRoles>();
        app.MapGrpcService<FakeIdentitySources>();
        app.MapGrpcService<FakeHooks>();
        app.MapGrpcService<FakePolicySets>();
        app.MapGrpcService<FakeSuspensions>();
        app.MapGrpcService<FakeAuditEvents>();
        app.MapGrpcService<FakeOperations>();
        await app.StartAsync();
        return new(app);
    }

    public BrokerClient Client(TimeProvider? time = null, TokenSource? token = null, int maxAttempts = 4) => new(new()
    {
        Address = Address,
        Token = token ?? TokenSource.From(_ => ValueTask.FromResult(Token)),
        Time = time ?? TimeProvider.System,
        MaxAttempts = maxAttempts,
    });

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
