using System.Collections.Concurrent;
using CredBroker.Contracts.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Fakes;

/// <summary>What the fake broker holds and was asked. Faults are queued per method, before or after its effect.</summary>
internal sealed class FakeState
{
    private int _ids;

    public ConcurrentQueue<(string Method, IMessage Request)> Calls { get; } = new();

    /// <summary>Thrown before the method does anything.</summary>
    public ConcurrentDictionary<string, RpcException> Refuse { get; } = new();

    /// <summary>How many answers of a method are lost after it did what it does.</summary>
    public ConcurrentDictionary<string, int> LoseAnswers { get; } = new();

    public SortedDictionary<string, IMessage> Registry { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, AgentTask> Tasks { get; } = new();

    public ConcurrentDictionary<string, Lease> Leases { get; } = new();

    public List<Suspension> Suspensions { get; } = [];

    public PolicySetPreview Preview { get; set; } = new() { Examined = 9, Complete = true };

    public Diagnosis Diagnosis { get; set; } = new();

    public List<QuarantinedProvider> Quarantined { get; } = [];

    public Reconciliation Reconciliation { get; set; } = new();

    public CheckProviderResponse Check { get; set; } = new() { Healthy = true, TargetIdentity = "system 7" };

    public Dictionary<string, string> Credential { get; } = new() { ["token"] = "s3cret-mark" };

    public IEnumerable<T> Requests<T>()
        where T : IMessage => Calls.Select(call => call.Request).OfType<T>();

    public string NewId() => (++_ids).ToString("d26", System.Globalization.CultureInfo.InvariantCulture);

    public async Task<T> AnswerAsync<T>(IMessage request, ServerCallContext context, Func<T> effect)
    {
        var method = context.Method.Split('/')[^1];
        if (context.RequestHeaders.GetValue("authorization") != $"Bearer {FakeBroker.Token}") throw Fault(StatusCode.Unauthenticated, "TOKEN_REJECTED", "The token isn't accepted.");
        Calls.Enqueue((method, request));
        if (Refuse.TryGetValue(method, out var refusal)) throw refusal;
        T answer;
        lock (Registry) answer = effect();
        if (LoseAnswers.TryGetValue(method, out var count) && count > 0)
        {
            LoseAnswers[method] = count - 1;
            throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "the line broke"));
        }

        return await Task.FromResult(answer);
    }

    public static RpcException Fault(StatusCode code, string reason, string message, TimeSpan? retry = null, params (string Field, string Text)[] violations)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.Add(Any.Pack(new ErrorInfo { Domain = "credbroker", Reason = reason, Metadata = { ["decision"] = "decisions/1" } }));
        if (retry is { } delay) status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) }));
        var bad = new BadRequest();
        bad.FieldViolations.AddRange(violations.Select(v => new BadRequest.Types.FieldViolation { Field = v.Field, Description = v.Text }));
        if (violations.Length > 0) status.Details.Add(Any.Pack(bad));
        return status.ToRpcException();
    }

    public static RpcException NotFound(string name) => Fault(StatusCode.NotFound, "RESOURCE_NOT_FOUND", $"There is no {name}.");
}
