using CredBroker.Core.Clocks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CredBroker.Server.Hosting;

/// <summary>Not ready while the clock is too far off to issue by it; a smaller doubt is told, and takes nobody out of service.</summary>
internal sealed class ClockAgrees(StoreTime time) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = time.State;
        if (state.WhyNoIssue is { } why) return Task.FromResult(HealthCheckResult.Unhealthy(why));
        return Task.FromResult(state.WhyTimeHolds is { } holds ? HealthCheckResult.Degraded(holds) : HealthCheckResult.Healthy());
    }
}
