using CredBroker.Abstractions;

namespace CredBroker.Core.Leases;

/// <summary>
/// The claims on groups: one node at a time may write a group's document, for a time that outlasts whatever it sent. Every member is one transaction.
/// Leases with a group are claimed here and nowhere else.
/// </summary>
public interface ILeaseGroups
{
    /// <summary>What is due, each with when its group may be claimed, soonest first.</summary>
    Task<GroupAgenda> AgendaAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Takes a group with what is due of one provider and one role kind in it, and reads what else must stay dead in the same transaction. Null when somebody
    /// else holds it, or nothing is due.
    /// </summary>
    Task<ClaimedGroup?> ClaimAsync(GroupClaim claim, CancellationToken cancellationToken);

    /// <summary>Takes a group for one issuing call. What is due to be killed goes before.</summary>
    Task<GroupHold> HoldAsync(Uid group, TimeSpan holdFor, CancellationToken cancellationToken);

    /// <summary>Gives a claim back, at once or after a time. False when it had been lost.</summary>
    Task<bool> ReleaseAsync(Uid group, long fence, TimeSpan after, CancellationToken cancellationToken);

    /// <summary>
    /// The document had no room and kills everything that was issued before an instant of the target's clock. If that is later than what was told before, everything
    /// that was reserved until now is to end. Answers whether it was.
    /// </summary>
    Task<bool> OverflowAsync(Uid group, DateTimeOffset killedBefore, CancellationToken cancellationToken);

    /// <summary>Ends what an overflow killed, one batch. Answers whether there may be more.</summary>
    Task<bool> FanOutAsync(int batch, CancellationToken cancellationToken);

    /// <summary>What was proven dead in a group, and lives again if the document forgets it.</summary>
    Task<IReadOnlyList<ProvenInGroup>> ProvenAsync(Uid group, CancellationToken cancellationToken);
}

/// <summary>What is to be done about groups.</summary>
/// <param name="Due">What is due now.</param>
/// <param name="Next">When more becomes due; null when nothing will.</param>
public sealed record GroupAgenda(IReadOnlyList<GroupDue> Due, DateTimeOffset? Next);

/// <summary>Leases of one provider that are due in one group.</summary>
/// <param name="Group">The group.</param>
/// <param name="Provider">The provider.</param>
/// <param name="At">When the group may be claimed for them.</param>
public sealed record GroupDue(Uid Group, Uid Provider, DateTimeOffset At);

/// <summary>What a node takes.</summary>
/// <param name="Group">The group.</param>
/// <param name="Provider">Whose leases in it.</param>
/// <param name="Max">How many at most: the rest of what must be dead stays dead by the same call.</param>
/// <param name="For">How long it holds them, beside the longest late effect among them.</param>
public sealed record GroupClaim(Uid Group, Uid Provider, int Max, TimeSpan For)
{
    /// <summary>Only what is being revoked already: nothing new dies on the word of time.</summary>
    public bool OnlyRevoking { get; init; }
}

/// <summary>A group that this node holds, with what has to be done.</summary>
public sealed record ClaimedGroup
{
    /// <summary>The group.</summary>
    public required Uid Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Only who holds the latest may settle.</summary>
    public required long Fence { get; init; }

    /// <summary>How long the claim lasts.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>The longest that a call which failed may still take effect.</summary>
    public required TimeSpan LateEffect { get; init; }

    /// <summary>The claimed leases, each with its own fence.</summary>
    public required IReadOnlyList<Lease> Due { get; init; }

    /// <summary>What else must stay in the document.</summary>
    public required IReadOnlyList<DeniedCredential> StillDenied { get; init; }
}

/// <summary>An attempt to take a group for an issuing call.</summary>
/// <param name="Fence">The fence, if it was taken.</param>
/// <param name="FreeAt">Otherwise, when to try again at the latest.</param>
public sealed record GroupHold(long? Fence, DateTimeOffset FreeAt);

/// <summary>A lease that was proven dead, and is so only as long as its group's document names it.</summary>
public sealed record ProvenInGroup(Uid Lease, string ExternalName);
