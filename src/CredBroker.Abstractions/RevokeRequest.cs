namespace CredBroker.Abstractions;

/// <summary>Everything that a provider needs to end one credential, or to show that it is not there.</summary>
public sealed record RevokeRequest
{
    /// <summary>The lease.</summary>
    public required Uid LeaseId { get; init; }

    /// <summary>The name that what was made carries at the target.</summary>
    public required string ExternalName { get; init; }

    /// <summary>The handle; null when the answer of the issuing call never arrived.</summary>
    public Handle? Handle { get; init; }

    /// <summary>The role kind's name.</summary>
    public required string RoleKind { get; init; }

    /// <summary>Our mark: what the target's object must carry to be ours.</summary>
    public required string Mark { get; init; }

    /// <summary>The name of the lease's <see cref="ExclusiveGroup"/>, as it was when the lease was reserved; null where it has none.</summary>
    public string? Group { get; init; }

    /// <summary>When it had been issued at the latest: see <see cref="DeniedCredential.IssuedBy"/>.</summary>
    public DateTimeOffset? IssuedBy { get; init; }

    /// <summary>The latest instant at which the credential dies by itself.</summary>
    public required DateTimeOffset PossibleDeathAt { get; init; }

    /// <summary>
    /// Set while the outcome of the issuing call is unknown: until this instant it may still take effect, and "not there" proves nothing.
    /// </summary>
    public DateTimeOffset? MayStillArriveUntil { get; init; }

    /// <summary>
    /// When this attempt is given up and another may begin. What it takes away may still take effect then, but nothing that it makes, such as a role that
    /// keeps a name from being used: the next attempt may have proven by then that nothing is there, and nobody would look again.
    /// </summary>
    public DateTimeOffset Deadline { get; init; } = DateTimeOffset.MaxValue;
}

/// <summary>What came of an attempt to revoke.</summary>
/// <param name="TargetIdentity">What the target said it is, at this very attempt: evidence counts only from the target that issued.</param>
public abstract record RevokeOutcome(string TargetIdentity)
{
    /// <summary>The credential is dead, by the target's own word.</summary>
    /// <param name="TargetIdentity">What the target said it is.</param>
    /// <param name="Evidence">What was seen.</param>
    public sealed record Gone(string TargetIdentity, Evidence Evidence) : RevokeOutcome(TargetIdentity);

    /// <summary>What could be done is done; ask again at or after an instant.</summary>
    /// <param name="TargetIdentity">What the target said it is.</param>
    /// <param name="Until">When to look again.</param>
    /// <param name="Reason">What is waited for, in one sentence.</param>
    /// <param name="Handle">A handle learned on the way, to be stored; null when there is nothing new.</param>
    public sealed record Settling(string TargetIdentity, DateTimeOffset Until, string Reason, Handle? Handle = null) : RevokeOutcome(TargetIdentity);

    /// <summary>It cannot be revoked and has not expired by the target's clock; only time ends it.</summary>
    /// <param name="TargetIdentity">What the target said it is.</param>
    /// <param name="At">When it dies by itself.</param>
    public sealed record ExpiresAt(string TargetIdentity, DateTimeOffset At) : RevokeOutcome(TargetIdentity);

    /// <summary>It could not be revoked, and its time has passed by the target's clock.</summary>
    /// <param name="TargetIdentity">What the target said it is.</param>
    /// <param name="Evidence">What was seen.</param>
    public sealed record Expired(string TargetIdentity, Evidence Evidence) : RevokeOutcome(TargetIdentity);
}

/// <summary>Asks for a longer life of a live credential.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="ExternalName">Its name at the target.</param>
/// <param name="Handle">Its handle.</param>
/// <param name="RoleKind">The role kind's name.</param>
/// <param name="ExpiresAt">The new end; already stored as possible.</param>
/// <param name="Deadline">The call must not take effect after this instant.</param>
public sealed record RenewRequest(Uid LeaseId, string ExternalName, Handle? Handle, string RoleKind, DateTimeOffset ExpiresAt, DateTimeOffset Deadline);

/// <summary>One thing at the target that carries our name or mark.</summary>
/// <param name="ExternalName">Its name.</param>
/// <param name="Mark">The mark found on it; null when there is none.</param>
/// <param name="ExpiresAt">When it ends by itself, where the target says so.</param>
public sealed record OutstandingCredential(string ExternalName, string? Mark, DateTimeOffset? ExpiresAt);
