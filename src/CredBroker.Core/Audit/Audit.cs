using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;

namespace CredBroker.Core.Audit;

/// <summary>Who caused an event.</summary>
/// <param name="Kind">What it is: <c>workload</c>, <c>hook</c>, <c>broker</c>, <c>operator</c>, <c>manifest</c>.</param>
/// <param name="Name">Its name: <c>source/subject</c> for a workload.</param>
public sealed record Actor(string Kind, string Name)
{
    /// <summary>The broker itself.</summary>
    public static Actor Broker { get; } = new("broker", "broker");
}

/// <summary>An event as its cause describes it. The store gives it its place, its time and its hash.</summary>
/// <param name="Type">What happened: a constant of <see cref="AuditTypes"/>.</param>
/// <param name="By">Who caused it.</param>
public sealed record AuditDraft(string Type, Actor By)
{
    /// <summary>The task that it belongs to.</summary>
    public Uid? TaskId { get; init; }

    /// <summary>The lease that it belongs to.</summary>
    public Uid? LeaseId { get; init; }

    /// <summary>The decision that it records.</summary>
    public Uid? DecisionId { get; init; }

    /// <summary>The resource name that it is about.</summary>
    public string Resource { get; init; } = "";

    /// <summary>What else there is to say. No secret and no free text: see <see cref="Texts"/>.</summary>
    public JsonObject Detail { get; init; } = [];

    /// <summary>
    /// What people, agents and providers said in their own words. The store keeps it apart, and puts its salted hash into <see cref="Detail"/> as <c>name_sha256</c>: so it
    /// can be erased, and the chain still holds. Of an event that was read: what has not been erased.
    /// </summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>An event in its place: sequence and previous hash run per writer, so that a cut or a change shows.</summary>
/// <param name="Writer">The writer's incarnation.</param>
/// <param name="Sequence">Its place there, from 1.</param>
/// <param name="At">When it was committed, by the store's clock.</param>
/// <param name="Draft">What happened.</param>
/// <param name="PreviousHash">The hash of the writer's event before.</param>
/// <param name="Hash">SHA-256 over this event and the previous hash.</param>
public sealed record AuditEvent(Uid Writer, long Sequence, DateTimeOffset At, AuditDraft Draft, byte[] PreviousHash, byte[] Hash);

/// <summary>Which events are listed. All given conditions must hold.</summary>
public sealed record AuditQuery
{
    /// <summary>Only those of this task and its descendants.</summary>
    public Uid? Task { get; init; }

    /// <summary>Only those of this lease.</summary>
    public Uid? Lease { get; init; }

    /// <summary>Only this decision.</summary>
    public Uid? Decision { get; init; }

    /// <summary>Only of these types.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>Only by this actor's name.</summary>
    public string? By { get; init; }

    /// <summary>Only at or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only before.</summary>
    public DateTimeOffset? To { get; init; }
}

/// <summary>The audit trail: appended in the same transaction as the change it tells of; read in one order.</summary>
public interface IAuditLog
{
    /// <summary>Appends what changes nothing else, such as a refusal.</summary>
    Task AppendAsync(AuditDraft draft, CancellationToken cancellationToken);

    /// <summary>A page in the order of time.</summary>
    Task<Page<AuditEvent>> ListAsync(AuditQuery query, PageRequest page, CancellationToken cancellationToken);

    /// <summary>One event; null if there is none.</summary>
    Task<AuditEvent?> FindAsync(Uid writer, long sequence, CancellationToken cancellationToken);
}
