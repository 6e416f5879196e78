using CredBroker.Abstractions;
using CredBroker.Core.Tasks;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>A task. Its signs of life, its intent and its counters live apart.</summary>
public sealed class TaskRow
{
    public Uid Id { get; set; }
    public Uid RootId { get; set; }
    public Uid? ParentId { get; set; }
    public string Path { get; set; } = "";
    public Uid? OpenerWorkload { get; set; }
    public Uid OpenerSource { get; set; }
    public string OpenerSourceName { get; set; } = "";
    public string OpenerSubject { get; set; } = "";
    public string? OpenerInstance { get; set; }
    public Uid? PerformerWorkload { get; set; }
    public Uid PerformerSource { get; set; }
    public string PerformerSourceName { get; set; } = "";
    public string PerformerSubject { get; set; } = "";
    public string? PerformerInstance { get; set; }

    /// <summary>What was attested of the performer when it was bound, as JSON; null while nothing was.</summary>
    public string? PerformerAttributes { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset Deadline { get; set; }
    public TimeSpan? HeartbeatInterval { get; set; }

    /// <summary>The counters that it is charged to while it runs, one a line.</summary>
    public string ChargedTo { get; set; } = "";

    public DateTimeOffset? EndedAt { get; set; }
    public TaskOutcome? Outcome { get; set; }
    public TaskEndReason? EndReason { get; set; }
}

/// <summary>Until when a task counts as alive: narrow, because it changes often.</summary>
public sealed class LivenessRow
{
    public Uid TaskId { get; set; }
    public DateTimeOffset AliveUntil { get; set; }

    /// <summary>Whether the task still runs, so that the index holds no others.</summary>
    public bool Watched { get; set; }
}

/// <summary>Free text of a caller, apart from what must be kept: it can be erased, the audit trail has its hash.</summary>
public sealed class TextRow
{
    public Uid OwnerUid { get; set; }
    public string Body { get; set; } = "";

    /// <summary>What the hash begins with, erased with the text: else a text that can be guessed could be found by its hash.</summary>
    public byte[] Salt { get; set; } = [];

    public byte[] Hash { get; set; } = [];
}

/// <summary>A label of a task's intent: apart for the same reason, and to be searched by.</summary>
public sealed class LabelRow
{
    public Uid TaskId { get; set; }
    public string Name { get; set; } = "";
    public string Value { get; set; } = "";
}

/// <summary>A hook's delivery that was acted upon.</summary>
public sealed class DeliveryRow
{
    public Uid Hook { get; set; }
    public string DeliveryId { get; set; } = "";
    public Uid TaskId { get; set; }
    public DateTimeOffset KeepUntil { get; set; }
}

/// <summary>Work left by an end or a suspension: what it covers is dead in effect, and is moved in batches from here.</summary>
public sealed class FanOutRow
{
    public Uid Id { get; set; }

    /// <summary>What was suspended; null for the end of a task.</summary>
    public Uid? Gate { get; set; }

    /// <summary>The suspension generation that it made.</summary>
    public long Generation { get; set; }

    /// <summary>The task that ended; null for a suspension.</summary>
    public Uid? TaskId { get; set; }

    /// <summary>Which of a lease's gates is looked through: 0 to 3, in the order of <see cref="Core.Leases.LeaseGates.All"/>.</summary>
    public int GateColumn { get; set; }

    /// <summary>The last lease that was moved.</summary>
    public Uid? Cursor { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>A receipt's revision, once it was closed or opened again; the first, open one needs no row.</summary>
public sealed class ReceiptRow
{
    public Uid TaskId { get; set; }
    public int Revision { get; set; }
    public DateTimeOffset At { get; set; }

    /// <summary>How many leases a closed one tells of.</summary>
    public int Leases { get; set; }

    /// <summary>
    /// The entries as they were when it was closed, as JSON: written when it is opened again. Until then nothing of its leases changes, and they say the same; what is
    /// open has none.
    /// </summary>
    public string? Body { get; set; }
}
