using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Registry;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Reevaluation;

/// <summary>
/// Decides live leases again after a change: page by page, at a bounded rate, one node at a time for each cause. What is no longer permitted ends with the
/// decision as its reason; what a policy fails for lives on, and somebody is told.
/// </summary>
public sealed partial class Reevaluator(
    IReevaluationStore store, LeaseJudge judge, Catalog catalog, BrokerLimits limits, BrokerMetrics metrics, Signals signals, ILogger<Reevaluator> logger, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    // What was reserved after the change was decided under it: without an end, a look would follow new leases as fast as they come. Nodes that issue agree on the time
    // to half of this.
    private static readonly TimeSpan LargestSkew = 2 * Clocks.StoreTime.LargestOffset;
    private ReevaluationWork? _held;

    /// <summary>Decides one page again, if there is any. Answers when to look next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        var held = _held ?? await store.ClaimAsync(limits.ClaimFor, cancellationToken);
        // Whatever fails below, the claim is given up with it: it runs out, and somebody goes on from the last page that was settled.
        _held = null;
        if (held is null) return time.Now() + LongestPause;
        var snapshot = await catalog.RefreshAsync(cancellationToken);
        var page = await store.PageAsync(held.Scope, held.Cursor, limits.ReevaluationPage, cancellationToken);
        var judged = await judge.JudgeAsync(snapshot, snapshot.Policies, page, cancellationToken);
        var ending = judged.Where(lease => lease.Holding == Holding.NoLongerPermitted).ToList();
        var unclear = judged.Where(lease => lease.Holding == Holding.Unclear).ToList();
        var outcome = await store.SettleAsync(
            new ReevaluationStep
            {
                Work = held,
                PolicyVersion = snapshot.PolicyVersion,
                PolicyHash = snapshot.Policies.Hash,
                Ending = [.. ending.Select(lease => new NoLongerPermitted(lease.Lease.Id, lease.Decision.Id, AuditOf(lease, AuditTypes.Decision, held)))],
                Examined = judged.Count,
                Unclear = unclear.Count,
                Cursor = page.Count == limits.ReevaluationPage && page[^1].Lease.ReservedAt <= held.RequestedAt + LargestSkew ? page[^1].Lease.Id : null,
                // The first of a run tells what fails; the others are counted.
                Audit = unclear.Count > 0 && held.Unclear == 0 ? [AuditOf(unclear[0], AuditTypes.PolicyUnclear, held)] : [],
                HoldFor = limits.ClaimFor,
            },
            cancellationToken);
        var pause = TimeSpan.FromSeconds((double)judged.Count / limits.ReevaluationsPerSecond);
        switch (outcome)
        {
            case ReevaluationOutcome.Moved(var work):
                Tell(judged.Count, ending.Count, unclear, held);
                _held = work;
                return time.Now() + pause;
            case ReevaluationOutcome.Finished(var work):
                Tell(judged.Count, ending.Count, unclear, held);
                LogFinished(logger, work.Scope.Cause, work.Examined, work.Revoked, work.Unclear);
                return time.Now() + pause;
            case ReevaluationOutcome.Stale:
                // Decided under policies that somebody changed meanwhile: the same page again, with what the next refresh brings.
                _held = held;
                return time.Now();
            default:
                return time.Now();
        }
    }

    private void Tell(int examined, int revoked, IReadOnlyList<JudgedLease> unclear, ReevaluationWork held)
    {
        metrics.Reevaluated("permitted", examined - revoked - unclear.Count);
        metrics.Reevaluated("revoked", revoked);
        metrics.Reevaluated("unclear", unclear.Count);
        if (revoked > 0) signals.Set();
        if (unclear.Count > 0 && held.Unclear == 0) LogUnclear(logger, unclear[0].Lease.Id, unclear[0].Decision.Errors[0]);
    }

    private static AuditDraft AuditOf(JudgedLease judged, string type, ReevaluationWork work)
    {
        var draft = judged.Decision.ToAudit(Actor.Broker, judged.Lease.TaskId, judged.Lease.Id, judged.Lease.RoleName) with { Type = type };
        draft.Detail["reevaluation"] = work.Scope.Cause;
        return draft;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Live leases were decided again after a change of {Cause}: {Examined} examined, {Revoked} no longer permitted, {Unclear} unclear")]
    private static partial void LogFinished(ILogger logger, string cause, long examined, long revoked, long unclear);

    [LoggerMessage(Level = LogLevel.Error, Message = "A policy fails for live leases, which live on until it is mended; the first is {Lease}: {Error}")]
    private static partial void LogUnclear(ILogger logger, Uid lease, string error);
}
