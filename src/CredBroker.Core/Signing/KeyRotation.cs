using System.Diagnostics.Metrics;
using CredBroker.Core.Clocks;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Signing;

/// <summary>
/// Replaces signing keys before they grow old: a successor is published a day before it signs, and what it replaces verifies for a day after. Every node looks, the
/// database lets one of them make the successor, and all of them learn it long before its first use.
/// </summary>
public sealed partial class KeyRotation
{
    /// <summary>How often a node learns what others made, and looks whether a successor is due.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    private readonly KeyRing _ring;
    private readonly StoreTime _time;
    private readonly BrokerLimits _limits;
    private readonly ILogger _logger;

    /// <summary>Makes the gauge.</summary>
    public KeyRotation(KeyRing ring, StoreTime time, BrokerLimits limits, IMeterFactory meters, ILogger<KeyRotation> logger)
    {
        ArgumentNullException.ThrowIfNull(meters);
        (_ring, _time, _limits, _logger) = (ring, time, limits, logger);
        meters.Create(BrokerMetrics.MeterName).CreateObservableGauge(
            "credbroker.signing_key.age",
            () => KeyFamilies.All.Select(family => new Measurement<double>(AgeOf(family).TotalSeconds, new KeyValuePair<string, object?>("family", KeyFamilies.PathOf(family)))),
            "s", "How long the key that signs has been in use, by family.");
    }

    /// <summary>The families whose keys should have been replaced long ago: the rotation does not succeed, or the clock is not believed.</summary>
    public IReadOnlyList<KeyFamily> Overdue => [.. KeyFamilies.All.Where(family => AgeOf(family) > _limits.SigningKeyLife + KeyRing.PublishedBeforeUse)];

    /// <summary>Looks once. Answers when to look next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        await _ring.ReloadAsync(cancellationToken);
        // By a time that is not believed a key could sign before anybody knows it.
        if (!_time.State.TimeHolds)
        {
            foreach (var family in KeyFamilies.All.Where(IsDue))
            {
                await _ring.PrepareNextAsync(family, cancellationToken);
                LogPrepared(_logger, family, KeyRing.PublishedBeforeUse);
            }
        }

        return _time.Now() + Every;
    }

    private bool IsDue(KeyFamily family) => _ring.SuccessorOf(family) is null && AgeOf(family) >= _limits.SigningKeyLife - KeyRing.PublishedBeforeUse;

    private TimeSpan AgeOf(KeyFamily family) => _ring.InUseSince(family) is { } since ? _time.GetUtcNow() - since : TimeSpan.Zero;

    [LoggerMessage(EventId = 1701, Level = LogLevel.Information, Message = "The next signing key of the family {Family} is published, and signs in {Wait}")]
    private static partial void LogPrepared(ILogger logger, KeyFamily family, TimeSpan wait);
}
