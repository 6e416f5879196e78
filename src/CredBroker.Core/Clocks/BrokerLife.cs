using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Clocks;

/// <summary>
/// The broker's own sign of life. A heartbeat is lost only over time in which the broker could have received it: being down, or cut off from its store, ends
/// nobody's task. Deadlines and lifetimes are not extended by that.
/// </summary>
public sealed partial class BrokerLife
{
    /// <summary>How often it is given.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between two that counts as having been there.</summary>
    public static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(3);

    private const int Batch = 500;
    private readonly IBrokerLife _store;
    private readonly BrokerLimits _limits;
    private readonly ILogger _logger;
    private readonly StoreTime _time;
    private TimeSpan? _doubt;
    private readonly Counter<double> _absent;

    /// <summary>Makes the instruments.</summary>
    public BrokerLife(IBrokerLife store, StoreTime time, BrokerLimits limits, IMeterFactory meters, ILogger<BrokerLife> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(meters);
        (_store, _limits, _logger, _time) = (store, limits, logger, time);
        var meter = meters.Create(BrokerMetrics.MeterName);
        _absent = meter.CreateCounter<double>("credbroker.absent", "s", "Time in which no node gave a sign of life, as this node found it: no heartbeat is lost over it.");
        meter.CreateObservableGauge("credbroker.clock.offset", () => time.State.Offset.TotalSeconds, "s", "This machine's clock less the store's time.");
        meter.CreateObservableGauge("credbroker.clock.uncertainty", () => time.State.Uncertainty.TotalSeconds, "s", "How far off the store's time may be, as this node knows it.");
        meter.CreateObservableGauge("credbroker.clock.doubt", () => (time.State.Doubt ?? TimeSpan.Zero).TotalSeconds, "s", "By how much the clock jumped and is not believed; 0 without doubt.");
    }

    /// <summary>Gives one. Answers when to give the next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        for (var revived = 0; ;)
        {
            var sign = await _store.BeatAsync(_limits.GraceOf, Batch, cancellationToken);
            revived += sign.Revived;
            if (sign.Gap is { } gap)
            {
                _absent.Add(gap.TotalSeconds);
                LogAbsent(_logger, gap.TotalSeconds);
            }

            Tell(_time.State.Doubt);
            if (sign.More) continue;
            if (revived > 0) LogRevived(_logger, revived);
            return _time.Now() + Every;
        }
    }

    // Told from here: whatever logs has the time from the clock itself.
    private void Tell(TimeSpan? doubt)
    {
        if (doubt is { } jump && _doubt is null) LogJumped(_logger, jump.TotalSeconds, _limits.ClockDoubt);
        if (doubt is null && _doubt is { } was) LogOver(_logger, was.TotalSeconds);
        _doubt = doubt;
    }

    [LoggerMessage(EventId = 1601, Level = LogLevel.Error, Message = "The clock jumped by {Seconds:F1} s against the monotonic clock. Nothing is ended by time until it is back, or has stood for {DoubtFor}: set the clock right")]
    private static partial void LogJumped(ILogger logger, double seconds, TimeSpan doubtFor);

    [LoggerMessage(EventId = 1602, Level = LogLevel.Warning, Message = "The clock that had jumped by {Seconds:F1} s is back, or has stood by it: it counts again")]
    private static partial void LogOver(ILogger logger, double seconds);

    [LoggerMessage(EventId = 1604, Level = LogLevel.Warning, Message = "For {Seconds:F1} s nobody was there to receive signs of life: no heartbeat counts as lost over that time")]
    private static partial void LogAbsent(ILogger logger, double seconds);

    [LoggerMessage(EventId = 1605, Level = LogLevel.Information, Message = "{Count} tasks that were alive when the broker went got a new grace")]
    private static partial void LogRevived(ILogger logger, int count);
}
