using System.Diagnostics.Metrics;
using CredBroker.Abstractions;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>
/// Keeps in sight what is not proven dead: measured now and then, not whenever somebody asks. What cannot be revoked is told when it begins, when its fault
/// changes and when it is over.
/// </summary>
public sealed partial class RevocationWatch
{
    /// <summary>How old what is known may be while the database answers.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    private readonly IBacklogStore _store;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private HashSet<(string Provider, ProviderFault Fault)> _told = [];
    private IReadOnlyList<ProviderBacklog> _current = [];

    /// <summary>Begins with nothing measured, and makes the gauges.</summary>
    public RevocationWatch(IBacklogStore store, IMeterFactory meters, ILogger<RevocationWatch> logger, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(meters);
        (_store, _logger, _time) = (store, logger, time);
        RevocationGauges.Add(meters.Create(BrokerMetrics.MeterName), this, time);
    }

    /// <summary>What was last measured.</summary>
    public IReadOnlyList<ProviderBacklog> Current => Volatile.Read(ref _current);

    /// <summary>Measures. Answers when to measure next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        var measured = await _store.ReadAsync(cancellationToken);
        Volatile.Write(ref _current, measured);
        Tell(measured);
        return _time.Now() + Every;
    }

    private void Tell(IReadOnlyList<ProviderBacklog> measured)
    {
        var failing = new HashSet<(string, ProviderFault)>();
        foreach (var provider in measured)
        {
            foreach (var (fault, count) in provider.Failing)
            {
                failing.Add((provider.Provider, fault));
                if (!_told.Contains((provider.Provider, fault))) LogFailing(_logger, count, provider.Provider, fault, provider.DyingSince);
            }
        }

        foreach (var (provider, fault) in _told.Where(told => !failing.Contains(told))) LogOver(_logger, provider, fault);
        _told = failing;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} leases of provider {Provider} could not be revoked ({Fault}), the oldest had to die at {Since}; each is tried again until it is proven dead")]
    private static partial void LogFailing(ILogger logger, long count, string provider, ProviderFault fault, DateTimeOffset? since);

    [LoggerMessage(Level = LogLevel.Information, Message = "No lease of provider {Provider} fails to be revoked by {Fault} any more")]
    private static partial void LogOver(ILogger logger, string provider, ProviderFault fault);
}
