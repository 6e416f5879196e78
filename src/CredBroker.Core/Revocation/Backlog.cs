using CredBroker.Abstractions;

namespace CredBroker.Core.Revocation;

/// <summary>What of one provider is not proven dead.</summary>
public sealed record ProviderBacklog
{
    /// <summary>The provider's name.</summary>
    public required string Provider { get; init; }

    /// <summary>Leases that are not proven dead.</summary>
    public required long Unproven { get; init; }

    /// <summary>Of these, the pending ones.</summary>
    public required long Pending { get; init; }

    /// <summary>Of these, those that are being revoked.</summary>
    public required long Revoking { get; init; }

    /// <summary>Of these, those whose last attempt failed, by fault.</summary>
    public required IReadOnlyDictionary<ProviderFault, long> Failing { get; init; }

    /// <summary>Since when the longest-due lease has been due; null when none is due.</summary>
    public DateTimeOffset? DueSince { get; init; }

    /// <summary>Since when the longest-dying lease has had to die; null when none has.</summary>
    public DateTimeOffset? DyingSince { get; init; }
}

/// <summary>Measures what is not proven dead, without counting what lives.</summary>
public interface IBacklogStore
{
    /// <summary>Every provider that has something unproven.</summary>
    Task<IReadOnlyList<ProviderBacklog>> ReadAsync(CancellationToken cancellationToken);
}
