using CredBroker.Core.Pressure;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CredBroker.Server.Hosting;

/// <summary>Says that nothing new is taken, without taking the node out of service: ends and revocations need it, and of a full disk no other node has more.</summary>
internal sealed class StoreTakes(StorePressure pressure) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(pressure.Refusal is { } refusal ? HealthCheckResult.Degraded(refusal.Message) : HealthCheckResult.Healthy());
}
