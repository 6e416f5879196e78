namespace CredBroker.Core.Leases;

/// <summary>What a lease can still do, whatever its row says: dead in effect is dead for introspection, renewal, activation and lists.</summary>
/// <param name="Live">Whether it is alive, or about to be.</param>
/// <param name="Reason">Why it is not.</param>
public readonly record struct EffectiveState(bool Live, EndReason? Reason)
{
    /// <summary>Derives it from the lease, its task, the suspension generations of its gates (in the order of <see cref="LeaseGates.All"/>) and now.</summary>
    public static EffectiveState Of(Lease lease, bool taskEnded, IReadOnlyList<long> suspensions, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(suspensions);
        if (lease.State is not (LeaseState.Pending or LeaseState.Active)) return new(false, lease.EndReason);
        if (lease.Gates.All.Zip(suspensions).Any(pair => pair.Second > pair.First.Suspension)) return new(false, EndReason.Suspended);
        if (taskEnded) return new(false, EndReason.TaskEnded);
        return lease.ExpiresAt <= now ? new(false, EndReason.Expired) : new(true, null);
    }
}
