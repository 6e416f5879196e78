using CredBroker.Abstractions;

namespace CredBroker.Core.Tasks;

/// <summary>A bounded piece of work, which owns every lease that was issued for it. Named so that it is not confused with the framework's.</summary>
public sealed record AgentTask
{
    /// <summary>The task's id.</summary>
    public required Uid Id { get; init; }

    /// <summary>The ids from the root to this task, joined by <c>/</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The task that it is a part of.</summary>
    public Uid? ParentId { get; init; }

    /// <summary>Who opened it.</summary>
    public required TaskParty Opener { get; init; }

    /// <summary>Who performs it; the opener, unless another was named. Its instance is bound by its first call.</summary>
    public required TaskParty Performer { get; init; }

    /// <summary>
    /// What was attested of the performer when it was bound, as <c>source/attribute</c>: it speaks of the run that performs this task, whatever the
    /// workload's later tokens say. Empty while nobody is bound.
    /// </summary>
    public IReadOnlyDictionary<string, string> PerformerAttributes { get; init; } = new Dictionary<string, string>();

    /// <summary>What it is for, in the opener's own words. It never changes.</summary>
    public required Intent Intent { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends by itself.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>How often a sign of life is promised; null when none is.</summary>
    public TimeSpan? HeartbeatInterval { get; init; }

    /// <summary>Until when it counts as alive without another sign; null when none is promised.</summary>
    public DateTimeOffset? AliveUntil { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it ended.</summary>
    public TaskOutcome? Outcome { get; init; }

    /// <summary>Why it ended.</summary>
    public TaskEndReason? EndReason { get; init; }

    /// <summary>The root of the tree.</summary>
    public Uid RootId => Uid.Parse(Path[..Uid.Length]);

    /// <summary>How many tasks are above it.</summary>
    public int Depth => Path.Length / (Uid.Length + 1);

    /// <summary>Its ancestors' ids, from the root.</summary>
    public IEnumerable<Uid> Ancestors => Path.Split('/')[..^1].Select(Uid.Parse);

    /// <summary>Whether it has ended, or its deadline has passed.</summary>
    public bool OverAt(DateTimeOffset now) => EndedAt is not null || Deadline <= now;
}

/// <summary>An owner of a task.</summary>
/// <param name="Workload">The workload; null for a performer that has not been seen yet.</param>
/// <param name="SourceUid">Its identity source.</param>
/// <param name="SourceName">The source's name, for people.</param>
/// <param name="Subject">Its subject there.</param>
/// <param name="Instance">The one instance that it is bound to, where the issuer attests one.</param>
public sealed record TaskParty(Uid? Workload, Uid SourceUid, string SourceName, string Subject, string? Instance)
{
    /// <summary>The workload as <c>source/subject</c>.</summary>
    public string Name => $"{SourceName}/{Subject}";
}

/// <summary>What a task is for: declared, never proof.</summary>
/// <param name="What">What is to be done.</param>
/// <param name="ForWhom">For whom; may be empty.</param>
/// <param name="Data">On which data; may be empty.</param>
/// <param name="Labels">Labels of the opener's choice.</param>
public sealed record Intent(string What, string ForWhom, string Data, IReadOnlyDictionary<string, string> Labels);

/// <summary>How a task ended, in its owner's or orchestrator's words.</summary>
public enum TaskOutcome
{
    /// <summary>It did what it was for.</summary>
    Succeeded = 1,

    /// <summary>It did not.</summary>
    Failed = 2,

    /// <summary>It was called off, or nobody was there to say.</summary>
    Cancelled = 3,
}

/// <summary>Why a task ended.</summary>
public enum TaskEndReason
{
    /// <summary>Somebody ended it by the API.</summary>
    Ended = 1,

    /// <summary>A signed hook ended it.</summary>
    Hook = 2,

    /// <summary>Its deadline passed.</summary>
    Deadline = 3,

    /// <summary>Its heartbeat was lost.</summary>
    HeartbeatLost = 4,

    /// <summary>A task above it ended.</summary>
    ParentEnded = 5,
}
