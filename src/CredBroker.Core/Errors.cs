namespace CredBroker.Core;

/// <summary>Errors that more than one place gives, in one wording.</summary>
internal static class Errors
{
    /// <summary>Absent and forbidden look alike to a stranger.</summary>
    public static BrokerError NotFound(string resource) => new(Reasons.ResourceNotFound, $"There is no {resource} that you may see.");

    public static BrokerError Denied(string what) => new(Reasons.PermissionDenied, $"You may not {what}. Ask whoever keeps the policies for the right.");

    public static BrokerError TaskOver => new(Reasons.TaskEnded, "The task has ended. Create a new one.");

    public static BrokerError NoHeartbeats => new(Reasons.NoHeartbeatExpected, "This task promised no heartbeats. Create it with heartbeat_interval.");

    public static BrokerError Stale => new(Reasons.ConcurrentChange, "Policies or registrations changed while this was decided. Try again.")
    {
        RetryAfter = TimeSpan.FromMilliseconds(100),
    };

    public static BrokerError Quota(Leases.QuotaCharge charge) => new(Reasons.QuotaExceeded, $"There are already {charge.Limit} {charge.What}, the most that is allowed.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
        Metadata = new Dictionary<string, string> { ["quota"] = charge.What, ["limit"] = charge.Limit.ToString(System.Globalization.CultureInfo.InvariantCulture) },
    };

    public static BrokerError GroupFull(Leases.LeaseGroup group, TimeSpan wait) => new(
        Reasons.QuotaExceeded,
        $"What the target keeps to deny credentials of this role has room for {group.Capacity}, and all of it is taken. A place is free again when a credential has died by its own time, even if it was revoked before.")
    {
        RetryAfter = wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1),
        Metadata = new Dictionary<string, string> { ["quota"] = "group", ["limit"] = group.Capacity.ToString(System.Globalization.CultureInfo.InvariantCulture) },
    };

    public static BrokerError Suspended(string what) => new(Reasons.Suspended, $"{what} is suspended: it gets nothing until that is lifted.");

    public static BrokerError Clock(string why) => Unavailable($"{why} Nothing is issued or renewed here until that is mended.", TimeSpan.FromSeconds(5));

    public static BrokerError Unavailable(string message, TimeSpan retryAfter) => new(Reasons.BrokerUnavailable, message) { RetryAfter = retryAfter };
}
