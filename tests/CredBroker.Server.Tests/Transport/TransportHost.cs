using CredBroker.AspNetCore;
using CredBroker.AspNetCore.Json;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.Server.Tests.Transport;

/// <summary>The transport on real sockets, over services that only note what reached them.</summary>
internal sealed class TransportHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TransportHost(WebApplication app, Received received, HttpClient rest, GrpcChannel channel)
    {
        _app = app;
        Received = received;
        Rest = rest;
        Channel = channel;
    }

    public Received Received { get; }

    public HttpClient Rest { get; }

    public GrpcChannel Channel { get; }

    public static async Task<TransportHost> StartAsync()
    {
        var builder = LoopbackServer.CreateBuilder(HttpProtocols.Http1, HttpProtocols.Http2);
        var received = new Received();
        builder.Services.AddSingleton(received);
        builder.Services.AddTransport();
        builder.Services.Configure<Grpc.AspNetCore.Server.GrpcServiceOptions<NotingPolicySets>>(options => options.MaxReceiveMessageSize = StrictJson.MostPolicyBytes);
        var app = builder.Build();
        app.UseTransport(_ => { });
        app.MapGrpcService<NotingTasks>();
        app.MapGrpcService<NotingLeases>();
        app.MapGrpcService<NotingProviders>();
        app.MapGrpcService<NotingPolicySets>();
        await app.StartAsync();
        var addresses = LoopbackServer.AddressesOf(app);
        return new TransportHost(app, received, new HttpClient { BaseAddress = addresses[0] }, GrpcChannel.ForAddress(addresses[1]));
    }

    public async ValueTask DisposeAsync()
    {
        Rest.Dispose();
        Channel.Dispose();
        await _app.DisposeAsync();
    }
}

/// <summary>What reached a service.</summary>
internal sealed class Received
{
    public List<object> Requests { get; } = [];

    public Exception? Throw { get; set; }

    public T Note<T>(object request, T answer)
    {
        Requests.Add(request);
        return Throw is null ? answer : throw Throw;
    }
}

internal sealed class NotingTasks(Received received) : Tasks.TasksBase
{
    public override Task<AgentTask> CreateTask(CreateTaskRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, request.Task));

    public override Task<AgentTask> GetTask(GetTaskRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, new AgentTask { Name = request.Name }));

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, new ListTasksResponse()));

    public override Task<EndTaskResponse> EndTask(EndTaskRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, new EndTaskResponse()));

    public override Task<HeartbeatResponse> Heartbeat(HeartbeatRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, new HeartbeatResponse()));
}

internal sealed class NotingLeases(Received received) : Leases.LeasesBase
{
    public override Task<IssueLeaseResponse> IssueLease(IssueLeaseRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, new IssueLeaseResponse()));
}

internal sealed class NotingProviders(Received received) : Contracts.V1.Providers.ProvidersBase
{
    public override Task<Provider> CreateProvider(CreateProviderRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, request.Provider));

    public override Task<Provider> UpdateProvider(UpdateProviderRequest request, ServerCallContext context) => Task.FromResult(received.Note(request, request.Provider));
}

internal sealed class NotingPolicySets(Received received) : PolicySets.PolicySetsBase
{
    public override Task<PolicySet> CreatePolicySet(CreatePolicySetRequest request, ServerCallContext context) =>
        Task.FromResult(received.Note(request, new PolicySet { Hash = "0" }));
}
