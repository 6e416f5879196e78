using CredBroker.Abstractions;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Workloads;

/// <summary>Who was seen: an identity source's subject, with the stable ids first seen for it.</summary>
public sealed record Workload
{
    /// <summary>The workload's id.</summary>
    public required Uid Uid { get; init; }

    /// <summary>Its identity source.</summary>
    public required Uid SourceUid { get; init; }

    /// <summary>The source's name, for people.</summary>
    public required string SourceName { get; init; }

    /// <summary>Its subject there.</summary>
    public required string Subject { get; init; }

    /// <summary>The ids that the issuer cannot reuse, pinned when it was first seen.</summary>
    public required IReadOnlyDictionary<string, string> StableIds { get; init; }

    /// <summary>When it was first seen.</summary>
    public required DateTimeOffset FirstSeenAt { get; init; }

    /// <summary>When it was last seen, to within an hour.</summary>
    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>The attributes that its last token proved: what policy is asked with when a child task needs this workload's permit too.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The teams that its last token proved, as <c>source/team</c>.</summary>
    public IReadOnlyList<string> Teams { get; init; } = [];

    /// <summary>The instance that its last token proved.</summary>
    public string? Instance { get; init; }

    /// <summary>Other stable ids seen for the same subject, which wait for an administrator; null when there are none.</summary>
    public IReadOnlyDictionary<string, string>? RefusedStableIds { get; init; }

    /// <summary>The workload as <c>source/subject</c>.</summary>
    public string Name => $"{SourceName}/{Subject}";
}

/// <summary>The workloads that were seen.</summary>
public interface IWorkloadStore
{
    /// <summary>
    /// Finds or adds the workload of (source, subject). Stable ids other than the pinned ones are noted as refused; the answer then carries them and
    /// the caller must be refused. Attributes, teams and instance are updated when they differ.
    /// </summary>
    Task<Workload> SeeAsync(Workload seen, CancellationToken cancellationToken);

    /// <summary>Accepts the refused stable ids as a new workload with an id of its own: it inherits nothing. Null if there is nothing to accept.</summary>
    Task<Workload?> AcceptAsync(Uid workload, Actor by, CancellationToken cancellationToken);

    /// <summary>One; null if there is none.</summary>
    Task<Workload?> FindAsync(Uid workload, CancellationToken cancellationToken);

    /// <summary>Those of these that there are, by one read.</summary>
    Task<IReadOnlyDictionary<Uid, Workload>> FindAllAsync(IReadOnlyCollection<Uid> workloads, CancellationToken cancellationToken);

    /// <summary>A page, newest last.</summary>
    Task<Page<Workload>> ListAsync(Uid? source, PageRequest page, CancellationToken cancellationToken);
}
