namespace CredBroker.Core.Leases;

/// <summary>Where a lease stands, as its row says. What it can still do follows from <see cref="EffectiveState"/>.</summary>
public enum LeaseState
{
    /// <summary>Reserved: the provider is about to be called, or being called.</summary>
    Pending = 1,

    /// <summary>Issued and, as far as its row knows, alive.</summary>
    Active = 2,

    /// <summary>To be killed at the target, without end, until that is proven.</summary>
    Revoking = 3,

    /// <summary>Dead, by the provider's evidence.</summary>
    Revoked = 4,

    /// <summary>Dead by its own time at the provider, which could not revoke it.</summary>
    Expired = 5,

    /// <summary>Never made.</summary>
    Void = 6,
}

/// <summary>Why a lease had to die.</summary>
public enum EndReason
{
    /// <summary>Its task ended.</summary>
    TaskEnded = 1,

    /// <summary>Its owner, or who may, revoked it.</summary>
    Revoked = 2,

    /// <summary>Its time was up.</summary>
    Expired = 3,

    /// <summary>Its workload, identity source, provider or role was suspended.</summary>
    Suspended = 4,

    /// <summary>Policy no longer permits it.</summary>
    NoLongerPermitted = 5,

    /// <summary>A repeated request took its place.</summary>
    Superseded = 6,

    /// <summary>The caller was gone before the answer.</summary>
    Undelivered = 7,

    /// <summary>The outcome of the issuing call is unknown.</summary>
    OutcomeUnknown = 8,

    /// <summary>It was seen alive after it had been taken for dead.</summary>
    Reappeared = 9,

    /// <summary>Its target is gone for good: closed on a person's word.</summary>
    WrittenOff = 10,

    /// <summary>The document that its group shares had no room for one more, and now denies everything that was issued before.</summary>
    GroupOverflowed = 11,

    /// <summary>A complete listing of its target, and a look at the credential itself, found nothing of it.</summary>
    MissingAtTarget = 12,
}

/// <summary>In which order due revocations are taken: the lower, the sooner.</summary>
public enum Lane
{
    /// <summary>A person stopped it.</summary>
    Suspension = 0,

    /// <summary>Its task ended, or it was revoked.</summary>
    End = 1,

    /// <summary>Its time is up.</summary>
    Expiry = 2,

    /// <summary>Many attempts have failed.</summary>
    Slow = 3,
}
