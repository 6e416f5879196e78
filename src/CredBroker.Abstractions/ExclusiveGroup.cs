namespace CredBroker.Abstractions;

/// <summary>
/// A document at the target that many credentials share, such as the deny policy of an AWS role or the passwords of one Azure application. It can
/// only be written as a whole: the broker lets one node at a time change it, and hands over everything that must stand in it.
/// </summary>
/// <param name="Name">What is shared, as the target names it, such as a role's ARN: 1 to 512 printable characters.</param>
/// <param name="Capacity">How many credentials the document has room for, 1 to 10,000. A slot is taken when a lease is reserved, and given back once the credential is dead by the target's own clock.</param>
/// <param name="GuardsIssue">Issuing changes the document too, and waits for the same claim.</param>
public sealed record ExclusiveGroup(string Name, int Capacity, bool GuardsIssue = false)
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxNameLength = 512;

    /// <summary>The most credentials that a document may have room for.</summary>
    public const int MostCapacity = 10_000;

    /// <summary>Why this can be no group; null where it can.</summary>
    public string? WhyNot() => this switch
    {
        { Name: null or "" or { Length: > MaxNameLength } } => $"a group's name has 1 to {MaxNameLength} characters",
        _ when Name.Any(character => char.IsControl(character) || char.IsSurrogate(character)) => "a group's name is printable",
        { Capacity: < 1 or > MostCapacity } => $"a group has room for 1 to {MostCapacity} credentials",
        _ => null,
    };
}

/// <summary>A provider with role kinds that declare an <see cref="ExclusiveGroup"/>: theirs are revoked together, under one claim that no other node holds.</summary>
public interface IGroupRevokingProvider
{
    /// <summary>
    /// Makes the shared document say that everything due is dead, and that everything still denied stays so. Idempotent. What must stand in the
    /// document is what the request says, whatever stands there now: a write that was lost or overtaken is mended by the next call.
    /// </summary>
    /// <exception cref="ProviderException">Nothing could be done for any of them; all will be tried again.</exception>
    Task<GroupRevokeOutcome> RevokeGroupAsync(GroupRevokeRequest request, CancellationToken cancellationToken);
}

/// <summary>Everything that a provider needs to revoke credentials which share a document.</summary>
public sealed record GroupRevokeRequest
{
    /// <summary>The group's name, as <see cref="ExclusiveGroup.Name"/> had it when they were issued.</summary>
    public required string Group { get; init; }

    /// <summary>What is to be killed, or shown to be dead, now. Never empty; all of one role kind.</summary>
    public required IReadOnlyList<RevokeRequest> Due { get; init; }

    /// <summary>Everything else of this group that must be dead and has not died by itself yet: it stays in the document.</summary>
    public required IReadOnlyList<DeniedCredential> StillDenied { get; init; }
}

/// <summary>A credential that a shared document keeps dead.</summary>
/// <param name="ExternalName">Its name at the target.</param>
/// <param name="PossibleDeathAt">From then on it is dead by itself, and need not stand in the document.</param>
public sealed record DeniedCredential(string ExternalName, DateTimeOffset PossibleDeathAt)
{
    /// <summary>
    /// When it had been issued at the latest, by the broker's clock, which may be 30 s off the target's: a document that denies everything issued before
    /// an instant later than that need not name it. Null where that is not known.
    /// </summary>
    public DateTimeOffset? IssuedBy { get; init; }
}

/// <summary>What came of revoking a group.</summary>
/// <param name="Outcomes">The outcome for each due lease that got one. A lease without outcome and without failure is tried again.</param>
public sealed record GroupRevokeOutcome(IReadOnlyDictionary<Uid, RevokeOutcome> Outcomes)
{
    /// <summary>What failed for one lease alone.</summary>
    public IReadOnlyDictionary<Uid, ProviderException> Failures { get; init; } = new Dictionary<Uid, ProviderException>();

    /// <summary>
    /// Set when the document had no room and denies everything issued before this instant instead: whatever else of the group was issued before is dead
    /// too, and its leases are ended. By the target's clock, and told by every call while it stands: only a later instant is news. Only where the
    /// administrator allowed it.
    /// </summary>
    public DateTimeOffset? KilledAllIssuedBefore { get; init; }
}
