using CredBroker.AspNetCore.Services;
using CredBroker.Contracts.V1;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using AgentTask = CredBroker.Contracts.V1.AgentTask;
using DomainTask = CredBroker.Core.Tasks.AgentTask;
using Intent = CredBroker.Core.Tasks.Intent;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Tasks between the contract and the domain.</summary>
internal static class TaskMapping
{
    public static CreateTaskCommand ToCommand(this CreateTaskRequest request, Caller caller) => new()
    {
        Caller = caller,
        Intent = new Intent(request.Task.Intent.What, request.Task.Intent.ForWhom, request.Task.Intent.Data, new Dictionary<string, string>(request.Task.Intent.Labels)),
        Performer = request.Task.Performer is { } performer ? (performer.IdentitySource.Split('/')[1], performer.Subject) : null,
        Parent = request.Task.Parent.Length > 0 ? Calls.UidIn(request.Task.Parent, 1) : null,
        Ttl = request.Task.Ttl.ToDomain(),
        Deadline = request.Task.Deadline.ToDomain(),
        HeartbeatInterval = request.Task.HeartbeatInterval.ToDomain(),
        RequestId = request.RequestId,
    };

    public static AgentTask ToProto(this DomainTask task) => new()
    {
        Name = $"tasks/{task.Id}",
        Uid = task.Id.ToString(),
        Opener = task.Opener.ToProto(),
        Performer = task.Performer.ToProto(),
        Intent = new Contracts.V1.Intent { What = task.Intent.What, ForWhom = task.Intent.ForWhom, Data = task.Intent.Data, Labels = { task.Intent.Labels.ToDictionary() } },
        Parent = task.ParentId is { } parent ? $"tasks/{parent}" : "",
        Deadline = task.Deadline.ToProto(),
        HeartbeatInterval = task.HeartbeatInterval.ToProto(),
        State = task.EndedAt is null ? AgentTask.Types.State.Running : AgentTask.Types.State.Ended,
        Outcome = task.Outcome.ToProto(),
        EndReason = task.EndReason.ToProto(),
        CreateTime = task.CreatedAt.ToProto(),
        EndTime = task.EndedAt.ToProto(),
        Depth = task.Depth,
        AliveUntil = task.AliveUntil.ToProto(),
    };

    public static TaskOutcome ToDomain(this Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => TaskOutcome.Succeeded,
        Outcome.Failed => TaskOutcome.Failed,
        _ => TaskOutcome.Cancelled,
    };

    public static Outcome ToProto(this TaskOutcome? outcome) => outcome switch
    {
        TaskOutcome.Succeeded => Outcome.Succeeded,
        TaskOutcome.Failed => Outcome.Failed,
        TaskOutcome.Cancelled => Outcome.Cancelled,
        _ => Outcome.Unspecified,
    };

    public static AgentTask.Types.EndReason ToProto(this TaskEndReason? reason) => reason switch
    {
        TaskEndReason.Ended => AgentTask.Types.EndReason.EndedByCall,
        TaskEndReason.Hook => AgentTask.Types.EndReason.Hook,
        TaskEndReason.Deadline => AgentTask.Types.EndReason.Deadline,
        TaskEndReason.HeartbeatLost => AgentTask.Types.EndReason.HeartbeatLost,
        TaskEndReason.ParentEnded => AgentTask.Types.EndReason.ParentEnded,
        _ => AgentTask.Types.EndReason.Unspecified,
    };

    private static Party ToProto(this TaskParty party) => new()
    {
        IdentitySource = $"identitySources/{party.SourceName}",
        Subject = party.Subject,
        Workload = party.Workload is { } workload ? $"workloads/{workload}" : "",
        Instance = party.Instance ?? "",
    };
}
