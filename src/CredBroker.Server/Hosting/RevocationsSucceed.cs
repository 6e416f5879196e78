using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Core.Revocation;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CredBroker.Server.Hosting;

/// <summary>
/// Says that there are revocations which do not succeed, without taking the node out of service: it goes on trying them, and ends and suspensions need it.
/// Anybody may ask for health: how many and by which faults, but no names.
/// </summary>
internal sealed class RevocationsSucceed(RevocationWatch watch, TimeProvider time) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var failing = watch.Current.Where(provider => provider.Failing.Count > 0).ToList();
        if (failing.Count == 0) return Task.FromResult(HealthCheckResult.Healthy());
        var faults = new SortedDictionary<ProviderFault, long>();
        foreach (var (fault, count) in failing.SelectMany(provider => provider.Failing)) faults[fault] = faults.GetValueOrDefault(fault) + count;
        var oldest = time.GetUtcNow() - (failing.Min(provider => provider.DyingSince) ?? time.GetUtcNow());
        return Task.FromResult(HealthCheckResult.Degraded(string.Create(
            CultureInfo.InvariantCulture,
            $"{faults.Values.Sum()} leases could not be revoked ({string.Join(", ", faults.Select(fault => $"{fault.Key}: {fault.Value}"))}), the oldest since {Math.Max(0, oldest.TotalSeconds):0} s. Each is tried again until it is proven dead.")));
    }
}
