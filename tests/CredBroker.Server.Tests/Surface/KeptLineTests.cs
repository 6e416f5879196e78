using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Signal = CredBroker.Contracts.V1.KeepTaskAliveResponse.Types.Signal;

namespace CredBroker.Server.Tests.Surface;

/// <summary>The line that keeps a task alive, on both transports. The task here promises a heartbeat an hour: what is told sooner was not found by asking.</summary>
[TestFixture]
internal sealed class KeptLineTests
{
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(5);
    private SurfaceHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await SurfaceHost.StartAsync();
        await _host.SetUpAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    private Tasks.TasksClient Tasks => new(_host.Channel);

    [Test]
    public async Task Says_at_once_that_the_task_has_ended_by_grpc()
    {
        var headers = SurfaceHost.As(_host.Workload("agent-held"));
        var task = await OpenAsync(headers);
        using var line = Tasks.KeepTaskAlive(new KeepTaskAliveRequest { Name = task.Name }, headers);
        Assert.That(await line.ResponseStream.MoveNext());
        Assert.That(line.ResponseStream.Current.Signal, Is.EqualTo(Signal.Alive));
        Assert.That(line.ResponseStream.Current.AliveUntil, Is.GreaterThan(Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(2))));

        await Tasks.EndTaskAsync(new EndTaskRequest { Name = task.Name, Outcome = Outcome.Succeeded }, headers);
        Assert.That((await SignalsAsync(line)).Last(), Is.EqualTo(Signal.TaskEnded));
    }

    [Test]
    public async Task Says_at_once_that_the_task_has_ended_by_rest()
    {
        var agent = _host.Workload("agent-held-by-rest");
        var task = await OpenAsync(SurfaceHost.As(agent));
        await using var line = await HoldByRestAsync(agent, task.Name);
        Assert.That((await line.NextAsync()).GetProperty("signal").GetString(), Is.EqualTo("ALIVE"));

        await _host.MustAsync(agent, $"/v1/{task.Name}:end", """{"outcome":"SUCCEEDED"}""");
        string? signal;
        while ((signal = (await line.NextAsync()).GetProperty("signal").GetString()) == "ALIVE") { }
        Assert.That(signal, Is.EqualTo("TASK_ENDED"));
        Assert.That(await line.IsOverAsync());
    }

    [Test]
    public async Task Says_at_once_that_a_task_above_it_has_ended()
    {
        var headers = SurfaceHost.As(_host.Workload("agent-parent"));
        var parent = await OpenAsync(headers);
        var child = await OpenAsync(headers, parent.Name);
        using var line = Tasks.KeepTaskAlive(new KeepTaskAliveRequest { Name = child.Name }, headers);
        Assert.That(await line.ResponseStream.MoveNext());
        await Tasks.EndTaskAsync(new EndTaskRequest { Name = parent.Name, Outcome = Outcome.Failed }, headers);
        Assert.That((await SignalsAsync(line)).Last(), Is.EqualTo(Signal.TaskEnded));
    }

    [Test]
    public async Task Closes_when_its_token_expires_and_is_taken_up_again_with_another()
    {
        var brief = SurfaceHost.As(_host.Workload("agent-brief", lifetime: TimeSpan.FromSeconds(3)));
        var task = await OpenAsync(brief);
        using var line = Tasks.KeepTaskAlive(new KeepTaskAliveRequest { Name = task.Name }, brief);
        Assert.That((await SignalsAsync(line)).Last(), Is.EqualTo(Signal.Reconnect));

        using var again = Tasks.KeepTaskAlive(new KeepTaskAliveRequest { Name = task.Name }, SurfaceHost.As(_host.Workload("agent-brief")));
        Assert.That(await again.ResponseStream.MoveNext());
        Assert.That(again.ResponseStream.Current.Signal, Is.EqualTo(Signal.Alive));
    }

    [Test]
    public async Task Is_refused_for_a_task_that_has_ended_or_is_anothers_in_the_one_form()
    {
        var agent = _host.Workload("agent-late");
        var headers = SurfaceHost.As(agent);
        var task = await OpenAsync(headers);
        var stranger = _host.Workload("agent-strange");
        Assert.That(await RefusalAsync(stranger, task.Name), Is.EqualTo(("RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND")));
        await Tasks.EndTaskAsync(new EndTaskRequest { Name = task.Name, Outcome = Outcome.Failed }, headers);
        Assert.That(await RefusalAsync(agent, task.Name), Is.EqualTo(("TASK_ENDED", "TASK_ENDED")));
    }

    private async Task<AgentTask> OpenAsync(Metadata headers, string parent = "")
    {
        var wanted = new AgentTask { Intent = new Intent { What = "hold" }, Parent = parent, HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        return await Tasks.CreateTaskAsync(new CreateTaskRequest { Task = wanted }, headers);
    }

    private static async Task<List<Signal>> SignalsAsync(AsyncServerStreamingCall<KeepTaskAliveResponse> line)
    {
        using var bound = new CancellationTokenSource(Prompt);
        var signals = new List<Signal>();
        while (await line.ResponseStream.MoveNext(bound.Token)) signals.Add(line.ResponseStream.Current.Signal);
        return signals;
    }

    private async Task<(string? ByRest, string? ByGrpc)> RefusalAsync(string token, string task)
    {
        var (_, body) = await _host.RestAsync(token, HttpMethod.Post, $"/v1/{task}:keepAlive", "{}");
        using var line = Tasks.KeepTaskAlive(new KeepTaskAliveRequest { Name = task }, SurfaceHost.As(token));
        var refused = await Assert.ThrowsAsync<RpcException>(() => line.ResponseStream.MoveNext());
        return (body.GetProperty("details")[0].GetProperty("reason").GetString(), refused!.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason);
    }

    private async Task<RestLine> HoldByRestAsync(string token, string task)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/{task}:keepAlive")
        {
            Content = new StringContent("{}", Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
        var response = await _host.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        return new RestLine(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>One JSON object a line.</summary>
    private sealed class RestLine(HttpResponseMessage response, StreamReader reader) : IAsyncDisposable
    {
        public async Task<JsonElement> NextAsync()
        {
            using var bound = new CancellationTokenSource(Prompt);
            return JsonSerializer.Deserialize<JsonElement>((await reader.ReadLineAsync(bound.Token))!);
        }

        public async Task<bool> IsOverAsync()
        {
            using var bound = new CancellationTokenSource(Prompt);
            return await reader.ReadLineAsync(bound.Token) is null;
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
