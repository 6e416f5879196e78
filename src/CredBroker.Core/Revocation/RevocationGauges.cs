using System.Diagnostics.Metrics;

namespace CredBroker.Core.Revocation;

/// <summary>What is not proven dead, as gauges. They tell what was last measured: a scrape asks the database nothing.</summary>
internal static class RevocationGauges
{
    public static void Add(Meter meter, RevocationWatch watch, TimeProvider time)
    {
        meter.CreateObservableGauge("credbroker.leases.unproven", () => watch.Current.SelectMany(Unproven), "{lease}", "Leases that are not proven dead, by provider and state.");
        meter.CreateObservableGauge(
            "credbroker.revocations.failing",
            () => watch.Current.SelectMany(backlog => backlog.Failing.Select(fault => Of(fault.Value, backlog, "fault", fault.Key.ToString()))),
            "{lease}", "Leases whose last attempt to revoke failed, by provider and fault.");
        meter.CreateObservableGauge(
            "credbroker.revocations.oldest_due", () => watch.Current.Select(backlog => Age(backlog, backlog.DueSince, time)), "s", "How long the longest-due lease has been due, by provider.");
        meter.CreateObservableGauge(
            "credbroker.revocations.oldest", () => watch.Current.Select(backlog => Age(backlog, backlog.DyingSince, time)), "s", "How long the longest-dying lease has had to die, by provider.");
    }

    private static IEnumerable<Measurement<long>> Unproven(ProviderBacklog backlog)
    {
        yield return Of(backlog.Pending, backlog, "state", "pending");
        yield return Of(Math.Max(0, backlog.Unproven - backlog.Pending - backlog.Revoking), backlog, "state", "active");
        yield return Of(backlog.Revoking, backlog, "state", "revoking");
    }

    private static Measurement<long> Of(long value, ProviderBacklog backlog, string tag, string name) =>
        new(value, new KeyValuePair<string, object?>("provider", backlog.Provider), new KeyValuePair<string, object?>(tag, name));

    private static Measurement<double> Age(ProviderBacklog backlog, DateTimeOffset? since, TimeProvider time) =>
        new(since is { } at ? Math.Max(0, (time.GetUtcNow() - at).TotalSeconds) : 0, new KeyValuePair<string, object?>("provider", backlog.Provider));
}
