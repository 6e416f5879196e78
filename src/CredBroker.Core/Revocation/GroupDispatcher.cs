using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Revocation;

/// <summary>Claims the groups in which something is due, and starts their attempts: the part of <see cref="RevocationDispatcher"/> for what shares a document.</summary>
public sealed class GroupDispatcher(ILeaseGroups groups, GroupAttempt attempt, Attempts attempts, Breaker breaker, Catalog catalog, Anchors anchors, BrokerLimits limits, TimeProvider time)
{
    // Whatever does not fit into one call stays dead by it all the same, and is shown to be so by the next.
    private const int MostInOneCall = 500;

    /// <summary>Starts what can be started. Answers when there is more to start, as far as that is known.</summary>
    public async Task<DateTimeOffset?> DispatchAsync(bool timeHolds, LookFaults faults, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(faults);
        var agenda = await groups.AgendaAsync(cancellationToken);
        if (agenda.Due.Any(due => !catalog.Current.TryFindProvider(due.Provider, out _))) await catalog.ReloadAsync(cancellationToken);
        var now = time.Now();
        var next = agenda.Next;
        foreach (var due in agenda.Due)
        {
            var wait = due.At > now ? due.At : breaker.PausedUntil(due.Provider);
            if (wait is null || wait <= now) await faults.ClaimAsync(due.Group, () => StartAsync(due, timeHolds, cancellationToken), cancellationToken);
            else if (next is null || wait < next) next = wait;
        }

        return next;
    }

    private async Task StartAsync(GroupDue due, bool timeHolds, CancellationToken cancellationToken)
    {
        if (attempts.RoomFor(due.Provider) <= 0) return;
        var claimedAt = time.GetTimestamp();
        var claim = await groups.ClaimAsync(new GroupClaim(due.Group, due.Provider, MostInOneCall, limits.AttemptTimeout + limits.ReturnGrace) { OnlyRevoking = timeHolds || anchors.Holds(due.Provider) }, cancellationToken);
        if (claim is not null) attempts.Start(due.Provider, returned => attempt.RunAsync(claim, claimedAt, returned));
    }
}
