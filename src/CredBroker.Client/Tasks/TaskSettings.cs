using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Client.Tasks;

/// <summary>What a task is opened with besides its intent.</summary>
public sealed record TaskSettings
{
    /// <summary>How long it may run, a second to seven days. An hour without it.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>How often a heartbeat is sent. None without it; then the task ends at its deadline at the latest.</summary>
    public TimeSpan? HeartbeatInterval { get; init; }

    /// <summary>The task above it, <c>tasks/{task}</c>.</summary>
    public string? Parent { get; init; }

    /// <summary>Who performs it, if not the caller.</summary>
    public Party? Performer { get; init; }

    internal AgentTask ToTask(Intent intent)
    {
        var task = new AgentTask { Intent = intent, Performer = Performer, Parent = Parent ?? "" };
        if (Ttl is { } ttl) task.Ttl = Duration.FromTimeSpan(ttl);
        if (HeartbeatInterval is { } interval) task.HeartbeatInterval = Duration.FromTimeSpan(interval);
        return task;
    }
}
