using CredBroker.Core.Signing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CredBroker.Server.Hosting;

/// <summary>Says that signing keys are older than they should be. They sign on: a broker without them would be worse.</summary>
internal sealed class KeysRotate(KeyRotation rotation) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        rotation.Overdue is [_, ..] overdue ? HealthCheckResult.Degraded($"The signing keys are older than they should be ({string.Join(", ", overdue)}).") : HealthCheckResult.Healthy());
}
