using CredBroker.Core.Leases;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Quotas;

/// <summary>What a lease is charged to. Everything that is not proven dead counts, up the whole chain of tasks.</summary>
internal static class QuotaPlan
{
    public static IReadOnlyList<QuotaCharge> Of(Lease lease, RoleSpec role, ProviderSpec provider, BrokerLimits limits) =>
    [
        // Counters are locked in the order of their keys: two reservations never wait for each other crosswise.
        .. lease.QuotaKeys.Select(key => ChargeOf(key, role, provider, limits)).OrderBy(charge => charge.Key, StringComparer.Ordinal),
    ];

    private static QuotaCharge ChargeOf(string key, RoleSpec role, ProviderSpec provider, BrokerLimits limits) => key switch
    {
        _ when key.StartsWith("task:", StringComparison.Ordinal) => new QuotaCharge(key, limits.LeasesPerTask, "leases of this task that are not proven dead"),
        _ when key.StartsWith("role:", StringComparison.Ordinal) => new QuotaCharge(key, role.MaxActiveLeases ?? limits.LeasesPerRole, "leases of this role that are not proven dead"),
        _ when key.StartsWith("provider:", StringComparison.Ordinal) => new QuotaCharge(key, provider.MaxActiveLeases ?? limits.LeasesPerProvider, "leases of this provider that are not proven dead"),
        _ when key.Contains("/provider:", StringComparison.Ordinal) => new QuotaCharge(key, limits.LeasesPerWorkloadAndProvider, "leases of this workload at this provider that are not proven dead"),
        _ => new QuotaCharge(key, limits.LeasesPerWorkload, "leases of this workload that are not proven dead"),
    };
}
