using System.Diagnostics.Metrics;
using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Pressure;
using CredBroker.Core.Tasks;

namespace CredBroker.Core;

/// <summary>What the broker counts, under the meter <c>CredBroker</c>. Names of providers, identity sources and reasons only: never of workloads or tasks.</summary>
public sealed class BrokerMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "CredBroker";

    private readonly Counter<long> _issued;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _tokensRefused;
    private readonly Counter<long> _proven;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _reevaluated;
    private readonly Histogram<double> _timeToRefused;
    private readonly Histogram<double> _timeToFirstAttempt;
    private readonly Histogram<double> _timeToDead;

    /// <summary>Makes the instruments.</summary>
    public BrokerMetrics(IMeterFactory meters, StorePressure pressure, Admission admission)
    {
        ArgumentNullException.ThrowIfNull(admission);
        ArgumentNullException.ThrowIfNull(pressure);
        ArgumentNullException.ThrowIfNull(meters);
        var meter = meters.Create(MeterName);
        _issued = meter.CreateCounter<long>("credbroker.leases.issued", "{lease}", "Credentials that were issued.");
        _refused = meter.CreateCounter<long>("credbroker.issues.refused", "{request}", "Requests for a credential that were refused, by reason.");
        _tokensRefused = meter.CreateCounter<long>("credbroker.tokens.refused", "{token}", "Bearer tokens that were refused, by rule and identity source.");
        _proven = meter.CreateCounter<long>("credbroker.leases.proven_dead", "{lease}", "Leases that were proven dead.");
        _failed = meter.CreateCounter<long>("credbroker.revocations.failed", "{attempt}", "Attempts to revoke that failed, by fault.");
        _reevaluated = meter.CreateCounter<long>(
            "credbroker.reevaluation.leases", "{lease}", "Live leases that were decided again, by outcome: permitted, revoked, or unclear because a policy failed.");
        _timeToRefused = meter.CreateHistogram<double>(
            "credbroker.tasks.time_to_refused", "s", "Of tasks that ended by themselves: from when they had to, until the broker refused whatever they held.");
        _timeToFirstAttempt = meter.CreateHistogram<double>("credbroker.leases.time_to_first_attempt", "s", "From dead in effect to the start of the first attempt to revoke.");
        meter.CreateObservableGauge("credbroker.issues.waiting", () => admission.Waiting, "{request}", "Requests for a credential that wait for this node to decide them.");
        meter.CreateObservableGauge("credbroker.store.waiting", () => pressure.QueueLength(), "{change}", "Changes that wait to be written by this node.");
        meter.CreateObservableGauge("credbroker.store.oldest_waiting", () => pressure.QueueAge().TotalSeconds, "s", "How long the oldest new task or credential has waited to be written.");
        meter.CreateObservableGauge(
            "credbroker.store.free", () => pressure.FreeBytes is { } free ? new Measurement<long>[] { new(free) } : [], "By", "Bytes that are free where the database is, where this node can see it.");
        meter.CreateObservableGauge("credbroker.store.low_space", () => pressure.LowSpace ? 1 : 0, "1", "1 while nothing new is taken because the database has no room.");
        _timeToDead = meter.CreateHistogram<double>("credbroker.leases.time_to_dead", "s", "From dead in effect to proven dead.");
    }

    /// <summary>A bearer token was refused by a rule, one of <see cref="Identity.RefusalReasons"/>; the source is empty where none has its issuer.</summary>
    public void TokenRefused(string rule, string source) =>
        _tokensRefused.Add(1, new KeyValuePair<string, object?>("rule", rule), new KeyValuePair<string, object?>("source", source));

    internal void Issued(string provider) => _issued.Add(1, new KeyValuePair<string, object?>("provider", provider));

    internal void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void Reevaluated(string outcome, int count)
    {
        if (count > 0) _reevaluated.Add(count, new KeyValuePair<string, object?>("outcome", outcome));
    }

    internal void Failed(ProviderFault fault) => _failed.Add(1, new KeyValuePair<string, object?>("fault", fault.ToString()));

    /// <summary>By its deadline a task is over at that instant, whoever has written it; a lost heartbeat counts from when it is written.</summary>
    internal void EndedByItself(AgentTask task)
    {
        var late = task is { EndReason: TaskEndReason.HeartbeatLost, AliveUntil: { } due, EndedAt: { } ended } ? ended - due : TimeSpan.Zero;
        _timeToRefused.Record(late.TotalSeconds, new KeyValuePair<string, object?>("reason", task.EndReason.ToString()));
    }

    internal void FirstAttempt(EndReason? reason, TimeSpan late) =>
        _timeToFirstAttempt.Record(late.TotalSeconds, new KeyValuePair<string, object?>("reason", reason.ToString()));

    internal void Proven(TimeSpan timeToDead)
    {
        _proven.Add(1);
        _timeToDead.Record(timeToDead.TotalSeconds);
    }
}
