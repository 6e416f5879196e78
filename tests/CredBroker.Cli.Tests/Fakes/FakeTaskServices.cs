using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Fakes;

internal sealed class FakeTasks(FakeState state) : Tasks.TasksBase
{
    private static readonly Timestamp Noon = new() { Seconds = 1_900_000_000 };

    public override Task<AgentTask> CreateTask(CreateTaskRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => state.Tasks.GetOrAdd(r.RequestId, _ => new(r.Task)
    {
        Name = $"tasks/{state.NewId()}",
        State = AgentTask.Types.State.Running,
        CreateTime = Noon,
        Deadline = Noon,
    }));

    public override Task<AgentTask> GetTask(GetTaskRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => Find(r.Name));

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var all = state.Tasks.Values.OrderBy(task => task.Name, StringComparer.Ordinal).ToList();
        var from = r.PageToken.Length == 0 ? 0 : int.Parse(r.PageToken, System.Globalization.CultureInfo.InvariantCulture);
        var page = new ListTasksResponse { Tasks = { all.Skip(from).Take(Math.Min(2, r.PageSize)) } };
        page.NextPageToken = from + page.Tasks.Count < all.Count ? $"{from + page.Tasks.Count}" : "";
        return page;
    });

    public override Task<HeartbeatResponse> Heartbeat(HeartbeatRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
        Find(r.Name).State == AgentTask.Types.State.Ended ? throw FakeState.Fault(StatusCode.FailedPrecondition, "TASK_ENDED", "The task has ended.") : new HeartbeatResponse { AliveUntil = Noon });

    public override Task<EndTaskResponse> EndTask(EndTaskRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var task = Find(r.Name);
        (task.State, task.Outcome, task.EndReason) = (AgentTask.Types.State.Ended, r.Outcome, AgentTask.Types.EndReason.EndedByCall);
        var live = state.Leases.Values.Count(lease => lease.Task == r.Name && lease.State == Lease.Types.State.Active);
        return new EndTaskResponse { Task = task, Unproven = live };
    });

    public override Task<EraseTaskTextsResponse> EraseTaskTexts(EraseTaskTextsRequest r, ServerCallContext c) =>
        state.AnswerAsync(r, c, () => new EraseTaskTextsResponse { Task = Find(r.Name), Tasks = 1, Texts = 2 });

    public override async Task KeepTaskAlive(KeepTaskAliveRequest r, IServerStreamWriter<KeepTaskAliveResponse> stream, ServerCallContext c)
    {
        var calls = state.Requests<KeepTaskAliveRequest>().Count();
        await state.AnswerAsync(r, c, () => true);
        await stream.WriteAsync(new() { Signal = KeepTaskAliveResponse.Types.Signal.Alive, AliveUntil = Noon });
        await stream.WriteAsync(new() { Signal = calls == 0 ? KeepTaskAliveResponse.Types.Signal.Reconnect : KeepTaskAliveResponse.Types.Signal.TaskEnded });
    }

    private AgentTask Find(string name) => state.Tasks.Values.FirstOrDefault(task => task.Name == name) ?? throw FakeState.NotFound(name);
}

internal sealed class FakeLeases(FakeState state) : Leases.LeasesBase
{
    public override Task<IssueLeaseResponse> IssueLease(IssueLeaseRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var before = state.Leases.Values.FirstOrDefault(lease => lease.ExternalName == r.RequestId && lease.State == Lease.Types.State.Active);
        if (before is not null) before.State = Lease.Types.State.Revoking;
        var lease = new Lease
        {
            Name = $"{r.Parent}/leases/{state.NewId()}",
            Task = r.Parent,
            Role = r.Role,
            State = Lease.Types.State.Active,
            EffectiveState = Lease.Types.EffectiveState.Live,
            ExternalName = r.RequestId,
            SupersededLease = before?.Name ?? "",
            ExpireTime = new() { Seconds = 1_900_000_600 },
        };
        state.Leases[lease.Name] = lease;
        var credential = Credential.Of(state.Credential.Select(field => KeyValuePair.Create(field.Key, new CredentialField { Value = field.Value, MediaType = "text/plain" })));
        return new IssueLeaseResponse { Lease = lease, Credential = credential, ExpireTime = lease.ExpireTime };
    });

    public override Task<Lease> GetLease(GetLeaseRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () => Find(r.Name));

    public override Task<ListLeasesResponse> ListLeases(ListLeasesRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
        new ListLeasesResponse { Leases = { state.Leases.Values.Where(lease => r.Parent is "tasks/-" || lease.Task == r.Parent).OrderBy(lease => lease.Name, StringComparer.Ordinal) } });

    public override Task<RenewLeaseResponse> RenewLease(RenewLeaseRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
        new RenewLeaseResponse { Lease = Find(r.Name), ExpireTime = new() { Seconds = 1_900_001_200 } });

    public override Task<Lease> RevokeLease(RevokeLeaseRequest r, ServerCallContext c) => state.AnswerAsync(r, c, () =>
    {
        var lease = Find(r.Name);
        lease.State = Lease.Types.State.Revoking;
        return lease;
    });

    private Lease Find(string name) => state.Leases.Values.FirstOrDefault(lease => lease.Name.Split('/')[^1] == name.Split('/')[^1]) ?? throw FakeState.NotFound(name);
}
