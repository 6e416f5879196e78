using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace CredBroker.Server.Tests.Transport;

/// <summary>What gRPC refuses, and that it always answers in the one form.</summary>
[TestFixture]
internal sealed class GrpcErrorTests
{
    private const string Uid = "01abcdefghjkmnpqrstvwxyz23";
    private TransportHost _host = null!;

    [OneTimeSetUp]
    public async System.Threading.Tasks.Task Start() => _host = await TransportHost.StartAsync();

    [OneTimeTearDown]
    public async System.Threading.Tasks.Task Stop() => await _host.DisposeAsync();

    [SetUp]
    public void Clear() => _host.Received.Requests.Clear();

    private static IEnumerable<TestCaseData> WrongTasks()
    {
        yield return new TestCaseData(new AgentTask(), "task.intent");
        yield return new TestCaseData(TaskFor(""), "task.intent.what");
        yield return new TestCaseData(TaskFor("a\0b"), "task.intent.what");
        yield return new TestCaseData(TaskFor("a\u001b[2J"), "task.intent.what");
        yield return new TestCaseData(TaskFor("a\u2066b"), "task.intent.what");
        yield return new TestCaseData(TaskFor(new string('a', 2001)), "task.intent.what");
        yield return new TestCaseData(With(task => task.Intent.ForWhom = "a\nb"), "task.intent.for_whom");
        yield return new TestCaseData(With(task => task.Ttl = new Duration { Seconds = long.MaxValue }), "task.ttl");
        yield return new TestCaseData(With(task => task.Deadline = new Timestamp { Seconds = long.MinValue }), "task.deadline");
        yield return new TestCaseData(With(task => task.Parent = "tasks/" + Uid + "\n"), "task.parent");
        yield return new TestCaseData(With(task => task.Performer = new Party { Subject = "a" }), "task.performer.identity_source");
    }

    [TestCaseSource(nameof(WrongTasks))]
    public async System.Threading.Tasks.Task Names_the_field_that_is_wrong(AgentTask task, string field)
    {
        var error = (await Assert.ThrowsAsync<RpcException>(async () => await Client.CreateTaskAsync(new CreateTaskRequest { Task = task })))!;

        Assert.That(error.StatusCode, Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(Reason(error), Is.EqualTo("FIELDS_INVALID"));
        Assert.That(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(v => v.Field), Is.EqualTo(new[] { field }));
        Assert.That(_host.Received.Requests, Is.Empty);
    }

    [Test]
    public async System.Threading.Tasks.Task Ignores_what_only_answers_carry()
    {
        var task = TaskFor("a");
        task.Name = new string('x', 500);
        await Client.CreateTaskAsync(new CreateTaskRequest { Task = task });

        Assert.That(_host.Received.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async System.Threading.Tasks.Task Refuses_a_message_that_is_too_large()
    {
        var error = (await Assert.ThrowsAsync<RpcException>(async () => await Client.CreateTaskAsync(new CreateTaskRequest { Task = TaskFor(new string('a', 10_000_000)) })))!;

        Assert.That((error.StatusCode, Reason(error)), Is.EqualTo((StatusCode.ResourceExhausted, "BODY_TOO_LARGE")));
    }

    [TestCase(new byte[] { 0x0A, 0xFF, 0xFF })]
    [TestCase(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF })]
    [TestCase(new byte[] { 0x0A, 0x02, 0xC3, 0x28 })]
    public async System.Threading.Tasks.Task Refuses_bytes_that_are_no_message(byte[] bytes)
    {
        var error = (await Assert.ThrowsAsync<RpcException>(async () => await CallRaw("GetTask", bytes)))!;

        Assert.That(Reason(error), Is.EqualTo("BODY_UNREADABLE").Or.EqualTo("FIELDS_INVALID"));
        Assert.That(_host.Received.Requests, Is.Empty);
    }

    [Test]
    public async System.Threading.Tasks.Task Refuses_deep_nesting()
    {
        var deep = new Struct();
        for (var i = 0; i < 40; i++) deep = new Struct { Fields = { ["a"] = Value.ForStruct(deep) } };
        var providers = new Contracts.V1.Providers.ProvidersClient(_host.Channel);
        var request = new CreateProviderRequest { ProviderId = "a", Provider = new Provider { Type = "token", Config = deep } };
        var error = (await Assert.ThrowsAsync<RpcException>(async () => await providers.CreateProviderAsync(request)))!;

        Assert.That(Reason(error), Is.EqualTo("FIELDS_INVALID").Or.EqualTo("BODY_UNREADABLE"));
    }

    [Test]
    public async System.Threading.Tasks.Task Names_a_method_that_does_not_exist()
    {
        var error = (await Assert.ThrowsAsync<RpcException>(async () => await CallRaw("Nothing", [])))!;

        Assert.That((error.StatusCode, Reason(error)), Is.EqualTo((StatusCode.Unimplemented, "METHOD_NOT_FOUND")));
    }

    private Contracts.V1.Tasks.TasksClient Client => new(_host.Channel);

    private AsyncUnaryCall<byte[]> CallRaw(string method, byte[] body)
    {
        var bytes = Marshallers.Create(value => value, value => value);
        return _host.Channel.CreateCallInvoker().AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, "credbroker.v1.Tasks", method, bytes, bytes), null, default, body);
    }

    private static AgentTask TaskFor(string what) => new() { Intent = new Intent { What = what } };

    private static AgentTask With(Action<AgentTask> change)
    {
        var task = TaskFor("a");
        change(task);
        return task;
    }

    private static string? Reason(RpcException error) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;
}
