using CredBroker.Core.Reconciliation;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CredBroker.Server.Hosting;

/// <summary>
/// Says that targets and database differ, without taking the node out of service. Anybody may ask for health: how many, but no names.
/// </summary>
internal sealed class TargetsAgree(Reconciler reconciler) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (reconciler.InQuarantine.Count > 0)
            return Task.FromResult(HealthCheckResult.Degraded($"{reconciler.InQuarantine.Count} providers are in quarantine: they issue nothing, and what is over by stored time is not revoked there. See credbroker quarantine show."));
        var last = reconciler.Current.Select(one => one.Status.Last).Where(report => report is { Complete: true } && report.NeedsAPerson()).ToList();
        if (last.Count == 0) return Task.FromResult(HealthCheckResult.Healthy());
        return Task.FromResult(HealthCheckResult.Degraded(
            $"At {last.Count} providers target and database differ: {last.Sum(report => report!.Reappeared)} credentials live that were taken for dead, {last.Sum(report => report!.Missing)} are gone that were taken for alive, {last.Sum(report => report!.Unknown)} carry our mark and no lease knows them. See credbroker reconcile."));
    }
}
