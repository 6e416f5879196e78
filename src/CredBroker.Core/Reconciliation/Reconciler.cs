using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Reconciliation;

/// <summary>
/// Looks which providers are due to be reconciled, and starts what this node can claim. It waits for no provider: one whose listing hangs holds up only itself, and
/// is not listed a second time by this node while it does.
/// </summary>
public sealed partial class Reconciler
{
    /// <summary>How often it looks at least.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    // Before its end nobody else may begin: the run's own bound, and what settling may take.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Uid, bool> _running = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ReconciliationRun _run;
    private readonly IReconciliationStore _store;
    private readonly IQuarantineStore _quarantines;
    private readonly ProviderPool _pool;
    private readonly Catalog _catalog;
    private readonly Breaker _breaker;
    private readonly BrokerLimits _limits;
    private readonly Random _random;
    private readonly Signals _signals;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private IReadOnlyList<(string Provider, ReconciliationStatus Status)> _current = [];
    private IReadOnlyList<Quarantined> _inQuarantine = [];

    /// <summary>Begins with nothing known, and makes the gauges.</summary>
    public Reconciler(
        ReconciliationRun run, IReconciliationStore store, IQuarantineStore quarantines, ProviderPool pool, Catalog catalog, Breaker breaker, BrokerLimits limits, Random random, Signals signals, IMeterFactory meters,
        ILogger<Reconciler> logger, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(meters);
        (_run, _store, _quarantines, _pool, _catalog, _breaker, _limits, _random, _signals, _logger, _time) = (run, store, quarantines, pool, catalog, breaker, limits, random, signals, logger, time);
        var meter = meters.Create(BrokerMetrics.MeterName);
        meter.CreateObservableGauge("credbroker.reconciliation.findings", Findings, "{credential}", "What the last complete listing found, by provider and kind.");
        meter.CreateObservableGauge("credbroker.quarantine", InQuarantineNow, "{provider}", "Providers in quarantine, by provider and reason.");
        meter.CreateObservableGauge("credbroker.reconciliation.age", Ages, "s", "How long ago the last complete listing began, by provider.");
    }

    /// <summary>What was last known of every registered provider that was ever reconciled, by its name.</summary>
    public IReadOnlyList<(string Provider, ReconciliationStatus Status)> Current => Volatile.Read(ref _current);

    /// <summary>What was last known to be in quarantine.</summary>
    public IReadOnlyList<Quarantined> InQuarantine => Volatile.Read(ref _inQuarantine);

    /// <summary>How many runs there are on this node.</summary>
    public int Running => _running.Count;

    /// <summary>Looks once, and starts what is due. Answers when to look next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        var snapshot = await _catalog.RefreshAsync(cancellationToken);
        var statuses = (await _store.ListAsync(cancellationToken)).ToDictionary(status => status.Provider);
        Volatile.Write(ref _current, [.. snapshot.Providers.Values.Where(provider => statuses.ContainsKey(provider.Uid)).Select(provider => (provider.Name, statuses[provider.Uid]))]);
        Volatile.Write(ref _inQuarantine, await _quarantines.ListAsync(cancellationToken));
        foreach (var provider in snapshot.Providers.Values)
        {
            if (statuses.GetValueOrDefault(provider.Uid) is { } known && (known.DueAt > _time.Now() || known.RunningUntil > _time.Now())) continue;
            // A target that is known not to answer is left alone: its revocations find out when it does again.
            if (provider.Entry.TargetIdentity.Length == 0 || _breaker.PausedUntil(provider.Uid) is not null || !await ListsAsync(provider)) continue;
            if (await StartAsync(provider, now: false, cancellationToken) is { } running) _ = running;
        }

        return _time.Now() + Every;
    }

    /// <summary>Reconciles a provider now, due or not. Null when it is being reconciled already.</summary>
    public async Task<ReconciliationReport?> RunNowAsync(Registered<ProviderSpec> provider, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return await StartAsync(provider, now: true, cancellationToken) is { } running ? await running.WaitAsync(cancellationToken) : null;
    }

    /// <summary>For shutting down: breaks off what runs on this node, and gives it back, so that another node begins anew at once. Waits for that until cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        while (!_running.IsEmpty && !cancellationToken.IsCancellationRequested)
            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<bool> ListsAsync(Registered<ProviderSpec> provider)
    {
        try
        {
            await using var use = _pool.Acquire(provider.Uid);
            return use.Provider is IListingProvider;
        }
        catch (ProviderException e)
        {
            LogNotMade(_logger, provider.Name, e.Fault);
            return false;
        }
    }

    private async Task<Task<ReconciliationReport>?> StartAsync(Registered<ProviderSpec> provider, bool now, CancellationToken cancellationToken)
    {
        if (!_running.TryAdd(provider.Uid, true)) return null;
        ReconciliationClaim? claim = null;
        try
        {
            claim = await _store.ClaimAsync(provider.Uid, _limits.ReconcileTimeout + Margin, FirstAfter, now, cancellationToken);
            return claim is null ? null : RunAsync(provider, claim with { ProviderName = provider.Name });
        }
        finally
        {
            if (claim is null) _running.TryRemove(provider.Uid, out _);
        }
    }

    private async Task<ReconciliationReport> RunAsync(Registered<ProviderSpec> provider, ReconciliationClaim claim)
    {
        try
        {
            using var bound = new CancellationTokenSource(_limits.ReconcileTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, _stopping.Token);
            var report = await _run.RunAsync(provider, claim, either.Token);
            var pause = report.Complete ? _limits.ReconcileEvery : _stopping.IsCancellationRequested ? TimeSpan.Zero : Instants.Min(_limits.ReconcileEvery, TimeSpan.FromMinutes(5));
            var kept = await _store.FinishAsync(claim, report, Instants.Truncate(_time.Now() + (pause * (0.9 + (_random.NextDouble() / 5)))), CancellationToken.None);
            Tell(provider.Name, report, kept);
            if (kept && report.Complete) await DecideQuarantineAsync(provider, claim, report);
            _signals.Set();
            return report;
        }
        catch (StoreUnavailableException e)
        {
            // The claim runs out, and whoever looks then begins anew: nothing was half done.
            LogNotKept(_logger, provider.Name, e);
            throw;
        }
        finally
        {
            _running.TryRemove(provider.Uid, out _);
        }
    }

    /// <summary>
    /// What no lease knows is credentials of a database that is not this one: until somebody has looked, nothing is revoked on its word. A complete listing that knows
    /// nothing of the kind, and speaks of everything in quarantine, ends it.
    /// </summary>
    private async Task DecideQuarantineAsync(Registered<ProviderSpec> provider, ReconciliationClaim claim, ReconciliationReport report)
    {
        if (report.NotAccepted > 0 && claim.QuarantinedAt is null)
        {
            if (await _quarantines.StartAsync(provider.Uid, QuarantineReason.UnknownCredentials, Actor.Broker, "", CancellationToken.None)) LogQuarantined(_logger, provider.Name, report.NotAccepted);
        }
        else if (report is { NotAccepted: 0, Uncovered: 0, TooManyMissing: false } && claim.QuarantinedAt is { } since)
        {
            if (await _quarantines.ReleaseAsync(provider.Uid, since, Actor.Broker, "A complete listing knows everything that was in it.", CancellationToken.None)) LogReleased(_logger, provider.Name);
        }
    }

    private void Tell(string provider, ReconciliationReport report, bool kept)
    {
        if (!kept) LogLost(_logger, provider);
        else if (!report.Complete) LogIncomplete(_logger, provider, report.Error);
        else if (report.TooManyMissing) LogDoubted(_logger, provider, report.Missing, report.Compared);
        else if (report.NeedsAPerson()) LogFound(_logger, provider, report.Reappeared, report.Missing, report.Unknown, report.Acted);
        else LogClean(_logger, provider, report.Listed);
    }

    private IEnumerable<Measurement<long>> Findings() =>
        from one in Current
        where one.Status.Last is { Complete: true }
        from kind in Enum.GetValues<FindingKind>()
        select new Measurement<long>(one.Status.Last!.CountOf(kind), new KeyValuePair<string, object?>("provider", one.Provider), new KeyValuePair<string, object?>("kind", kind.ToString()));

    private IEnumerable<Measurement<double>> Ages() =>
        from one in Current
        where one.Status.CompleteAt is not null
        select new Measurement<double>(Math.Max(0, (_time.GetUtcNow() - one.Status.CompleteAt!.Value).TotalSeconds), new KeyValuePair<string, object?>("provider", one.Provider));

    private IEnumerable<Measurement<long>> InQuarantineNow() =>
        InQuarantine.Select(one => new Measurement<long>(1, new KeyValuePair<string, object?>("provider", one.ProviderName), new KeyValuePair<string, object?>("reason", one.Reason.ToString())));

    [LoggerMessage(Level = LogLevel.Critical, Message = "Provider {Provider} is in quarantine: its target has {Count} credentials under our mark that no lease knows, as after a restored backup. See credbroker quarantine show")]
    private static partial void LogQuarantined(ILogger logger, string provider, long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} is released from quarantine: a complete listing knows everything that was in it")]
    private static partial void LogReleased(ILogger logger, string provider);

    [LoggerMessage(Level = LogLevel.Information, Message = "Provider {Provider} was reconciled: {Listed} things listed, as they should be")]
    private static partial void LogClean(ILogger logger, string provider, long listed);

    [LoggerMessage(Level = LogLevel.Error, Message = "Reconciling provider {Provider} found {Reappeared} credentials alive that were taken for dead, {Missing} gone that were taken for alive, {Unknown} with our mark that no lease knows; {Acted} leases were changed for it")]
    private static partial void LogFound(ILogger logger, string provider, long reappeared, long missing, long unknown, long acted);

    [LoggerMessage(Level = LogLevel.Error, Message = "The listing of provider {Provider} lacks {Missing} of {Compared} live leases: that is doubted, and none was ended for it. Somebody must look")]
    private static partial void LogDoubted(ILogger logger, string provider, long missing, long compared);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} could not be reconciled ({Error}); it is tried again")]
    private static partial void LogIncomplete(ILogger logger, string provider, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciling provider {Provider} took longer than its claim; what it found is not kept")]
    private static partial void LogLost(ILogger logger, string provider);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What reconciling provider {Provider} found could not be kept; it is reconciled again when the claim runs out")]
    private static partial void LogNotKept(ILogger logger, string provider, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} cannot be reconciled ({Fault})")]
    private static partial void LogNotMade(ILogger logger, string provider, ProviderFault fault);
}
