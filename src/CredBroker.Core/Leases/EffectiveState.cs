namespace CredBroker.Core.Leases;

/// <summary>What a lease can still do, whatever its row says: dead in effect is dead for introspection, renewal, activation and lists.</summary>
/// <param name="Live">Whether it is alive, or about to be.</param>
/// <param name="Reason">Why it is not.</param>
/// <param name="Since">Since when it is not, as far as is known.</param>
public readonly record struct EffectiveState(bool Live, EndReason? Reason, DateTimeOffset? Since)
{
    /// <summary>Derives it from the lease, its task's end, the suspension generations of its gates (in the order of <see cref="LeaseGates.All"/>) and now.</summary>
    public static EffectiveState Of(Lease lease, DateTimeOffset? taskEndedAt, IReadOnlyList<long> suspensions, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(suspensions);
        if (lease.State is not (LeaseState.Pending or LeaseState.Active)) return new(false, lease.EndReason, SinceOf(lease, taskEndedAt));
        if (lease.Gates.All.Zip(suspensions).Any(pair => pair.Second > pair.First.Suspension)) return new(false, EndReason.Suspended, null);
        if (taskEndedAt is not null) return new(false, EndReason.TaskEnded, taskEndedAt);
        return lease.ExpiresAt <= now ? new(false, EndReason.Expired, lease.ExpiresAt) : new(true, null, null);
    }

    // The row moves a little after the commit that killed the lease: what killed it says since when.
    private static DateTimeOffset? SinceOf(Lease lease, DateTimeOffset? taskEndedAt) => lease.EndReason switch
    {
        EndReason.TaskEnded => taskEndedAt ?? lease.RevokingAt,
        EndReason.Expired => Instants.Min(lease.ExpiresAt, lease.RevokingAt ?? lease.ExpiresAt),
        _ => lease.RevokingAt,
    };
}
