namespace CredBroker.Core.Diagnosis;

/// <summary>What only the database can say of work that does not get done.</summary>
public interface IDiagnosisStore
{
    /// <summary>Reads it. <paramref name="before"/>: what was due before that, and still is as it was, nobody has looked at.</summary>
    Task<UndoneWork> ReadAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>Work that does not get done.</summary>
public sealed record UndoneWork
{
    /// <summary>Leases in the slow lane, by the provider's name.</summary>
    public required IReadOnlyDictionary<string, long> Slow { get; init; }

    /// <summary>Leases that were due long ago and were not taken by anybody, by the provider's name. Those that a quarantine holds back are not among them.</summary>
    public required IReadOnlyDictionary<string, long> Untaken { get; init; }

    /// <summary>Since when the oldest end or suspension has not been carried out to its leases; null when all were.</summary>
    public DateTimeOffset? FanOutSince { get; init; }

    /// <summary>Tasks that are over since long and were not ended. Those that a quarantine holds back are not among them.</summary>
    public required long OverdueTasks { get; init; }

    /// <summary>Claims on documents that leases share which are held for unusually long, by the document's name.</summary>
    public required IReadOnlyList<string> StuckGroups { get; init; }

    /// <summary>Leases that are not proven dead, by the wrapping key that their mark was made with.</summary>
    public required IReadOnlyDictionary<string, long> MarkKeys { get; init; }
}
