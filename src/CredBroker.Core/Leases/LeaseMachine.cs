using CredBroker.Abstractions;

namespace CredBroker.Core.Leases;

/// <summary>
/// The life of a lease: a pure function of the lease, what happened, and when. Nothing else changes a lease's state.
/// Two rules carry the product: nothing leaves <see cref="LeaseState.Revoking"/> without proof, and what was proven dead can come back.
/// </summary>
public static class LeaseMachine
{
    /// <summary>The next lease, or why there is none. <paramref name="live"/> is its effective state: what is dead in effect is never activated or renewed.</summary>
    public static LeaseStep Apply(Lease lease, LeaseEvent @event, bool live, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return @event switch
        {
            LeaseEvent.Issued issued => Issued(lease, issued, live, now),
            LeaseEvent.HandleRecorded recorded => HandleRecorded(lease, recorded.Handle, now),
            LeaseEvent.NothingMade nothing => NothingMade(lease, nothing.Error, now),
            LeaseEvent.IssueOutcomeUnknown unknown => OutcomeUnknown(lease, unknown.Error, now),
            LeaseEvent.IssueDeadlinePassed => lease.State == LeaseState.Pending ? Die(lease, EndReason.OutcomeUnknown, now) : Same("It is no longer pending."),
            LeaseEvent.Ended ended => Ended(lease, ended, now),
            LeaseEvent.Claimed claimed => Claimed(lease, claimed.Until, now),
            LeaseEvent.GivenBack back => lease.State == LeaseState.Revoking && lease.DueAt == back.Until ? Moved(lease with { DueAt = now }) : Same("It is not claimed any more."),
            LeaseEvent.AttemptFailed failed => AttemptFailed(lease, failed),
            LeaseEvent.Settling settling => Settling(lease, settling),
            LeaseEvent.ProvenGone gone => ProvenGone(lease, gone.Evidence, now),
            LeaseEvent.ProvenExpired expired => ProvenExpired(lease, expired.Evidence, now),
            LeaseEvent.Reappeared => Reappeared(lease, now),
            LeaseEvent.FoundAlive found => FoundAlive(lease, found.Until, now),
            LeaseEvent.RenewalIntended intended => RenewalIntended(lease, intended.PossibleDeathAt, live),
            LeaseEvent.Renewed renewed => Renewed(lease, renewed.ExpiresAt, live),
            LeaseEvent.WrittenOff written => WrittenOff(lease, written.Assertion, now),
            _ => throw new ArgumentOutOfRangeException(nameof(@event)),
        };
    }

    private static LeaseStep Issued(Lease lease, LeaseEvent.Issued issued, bool live, DateTimeOffset now)
    {
        var answered = lease with
        {
            IssueAnswered = true,
            Handle = issued.Handle ?? lease.Handle,
            PossibleDeathAt = Instants.Max(lease.PossibleDeathAt, issued.ExpiresAt),
        };
        return lease.State switch
        {
            LeaseState.Pending when live => Moved(answered with
            {
                State = LeaseState.Active,
                ActivatedAt = now,
                ExpiresAt = Instants.Min(lease.ExpiresAt, issued.ExpiresAt),
                DueAt = Instants.Min(lease.ExpiresAt, issued.ExpiresAt),
                Lane = Lane.Expiry,
            }),
            LeaseState.Pending => Die(answered, EndReason.TaskEnded, now),
            // An attempt that has begun may take the name after this one is dropped: absence is proven past the bound, as if there had been no answer.
            LeaseState.Revoking => Moved(StartAnew(answered with { IssueAnswered = lease.IssueAnswered || !MayHoldTheName(lease) }, now)),
            LeaseState.Revoked or LeaseState.Expired => Die(answered, EndReason.Reappeared, now),
            LeaseState.Active => Same("It is active already."),
            _ => Die(answered, EndReason.Reappeared, now),
        };
    }

    private static LeaseStep HandleRecorded(Lease lease, Handle handle, DateTimeOffset now)
    {
        var known = lease with { Handle = handle };
        return lease.State switch
        {
            LeaseState.Pending => Moved(known),
            LeaseState.Revoking => Moved(StartAnew(known, now)),
            LeaseState.Active => new LeaseStep.Refused("An active lease has its handle."),
            _ => Die(known, EndReason.Reappeared, now),
        };
    }

    // An attempt may take the name at the target, so that nothing else can: whoever looks there takes that away, and proves it. Nothing does that
    // where nothing can be done before the expiry, or where a document denies the name.
    private static bool MayHoldTheName(Lease lease) => lease.FirstAttemptAt is not null && lease.Group is null && lease.Revocability.Kind != RevocabilityKind.ExpiresOnly;

    private static LeaseStep NothingMade(Lease lease, AttemptError? error, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Revoking when MayHoldTheName(lease) && !lease.IssueAnswered => Same("An attempt to revoke it has begun: what there is is proven by looking."),
        LeaseState.Pending or LeaseState.Revoking when lease.Handle is null && !lease.IssueAnswered => Moved(lease with
        {
            State = LeaseState.Void,
            IssueAnswered = true,
            ClosedAt = now,
            DueAt = null,
            LastError = error ?? lease.LastError,
        }),
        // Something was recorded half-way: "nothing" is not the whole truth, so it is revoked like anything else.
        LeaseState.Pending => Die(lease with { IssueAnswered = true, LastError = error }, EndReason.OutcomeUnknown, now),
        LeaseState.Revoking => Moved(StartAnew(lease with { IssueAnswered = true }, now)),
        LeaseState.Active => new LeaseStep.Refused("It is active: something was made."),
        _ => Same("It is closed already."),
    };

    private static LeaseStep OutcomeUnknown(Lease lease, AttemptError error, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Pending => Die(lease with { LastError = error }, EndReason.OutcomeUnknown, now),
        _ => Same("It is no longer pending."),
    };

    private static LeaseStep Ended(Lease lease, LeaseEvent.Ended ended, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Pending or LeaseState.Active => Die(lease with { SupersededBy = ended.SupersededBy ?? lease.SupersededBy, EndDecisionId = ended.Decision }, ended.Reason, now),
        LeaseState.Revoking when LaneOf(ended.Reason) < lease.Lane && lease.Lane != Lane.Slow =>
            Moved(lease with { Lane = LaneOf(ended.Reason), SupersededBy = ended.SupersededBy ?? lease.SupersededBy }),
        LeaseState.Revoking when ended.SupersededBy is not null && lease.SupersededBy is null => Moved(lease with { SupersededBy = ended.SupersededBy }),
        _ => Same("It is being revoked, or closed."),
    };

    private static LeaseStep Claimed(Lease lease, DateTimeOffset until, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Revoking when lease.DueAt <= now =>
            Moved(lease with { Fence = lease.Fence + 1, DueAt = until, FirstAttemptAt = lease.FirstAttemptAt ?? now }),
        LeaseState.Revoking => Same("It is not due."),
        _ => new LeaseStep.Refused("Only what is to be revoked is claimed."),
    };

    private static LeaseStep AttemptFailed(Lease lease, LeaseEvent.AttemptFailed failed) => lease.State switch
    {
        LeaseState.Revoking => Moved(lease with
        {
            Attempts = lease.Attempts + 1,
            LastError = failed.Error,
            DueAt = failed.RetryAt,
            Lane = failed.Slow ? Lane.Slow : lease.Lane,
        }),
        _ => Same("It is closed already."),
    };

    private static LeaseStep Settling(Lease lease, LeaseEvent.Settling settling) => lease.State switch
    {
        LeaseState.Revoking => Moved(lease with { DueAt = settling.Until, Handle = settling.Handle ?? lease.Handle, LastError = null }),
        _ => Same("It is closed already."),
    };

    private static LeaseStep ProvenGone(Lease lease, Evidence evidence, DateTimeOffset now) => lease.State switch
    {
        // "Not there" before the issuing call has surely had its effect proves nothing: look again.
        LeaseState.Revoking when lease.MayStillArriveUntil is { } bound && now <= bound => Moved(lease with { DueAt = bound + OneMicrosecond, LastError = null }),
        LeaseState.Revoking => Moved(Close(lease, LeaseState.Revoked, evidence, now)),
        LeaseState.Revoked or LeaseState.Expired => Same("It is closed already."),
        _ => new LeaseStep.Refused("Only what is being revoked can be proven dead."),
    };

    private static LeaseStep ProvenExpired(Lease lease, Evidence evidence, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Revoking when evidence.ObservedAt < lease.PossibleDeathAt => Moved(lease with { DueAt = lease.PossibleDeathAt, LastError = null }),
        LeaseState.Revoking => Moved(Close(lease, LeaseState.Expired, evidence, now)),
        LeaseState.Revoked or LeaseState.Expired => Same("It is closed already."),
        _ => new LeaseStep.Refused("Only what is being revoked can be proven dead."),
    };

    private static LeaseStep Reappeared(Lease lease, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Revoked or LeaseState.Expired or LeaseState.Void => Die(lease, EndReason.Reappeared, now),
        _ => Same("It was never taken for dead."),
    };

    private static LeaseStep FoundAlive(Lease lease, DateTimeOffset? until, DateTimeOffset now)
    {
        // Only a renewal that the row does not know makes it live longer than its latest possible death.
        var renewed = until > lease.PossibleDeathAt + TargetsRounding
            ? lease with { PossibleDeathAt = until.Value, ExpiresAt = Instants.Min(until.Value, lease.MaxExpiresAt), DueAt = Instants.Min(until.Value, lease.MaxExpiresAt) }
            : lease;
        return lease.State switch
        {
            LeaseState.Active => renewed == lease ? Same("It is as its row says.") : Moved(renewed),
            LeaseState.Pending when lease.MayStillArriveUntil < now =>
                Moved(renewed with { State = LeaseState.Active, ActivatedAt = now, IssueAnswered = true, DueAt = renewed.ExpiresAt, Lane = Lane.Expiry }),
            LeaseState.Pending => Same("It is being issued."),
            _ => Same("It is to die, or dead."),
        };
    }

    private static LeaseStep RenewalIntended(Lease lease, DateTimeOffset possibleDeathAt, bool live) => lease.State switch
    {
        LeaseState.Active when live && possibleDeathAt <= lease.MaxExpiresAt =>
            Moved(lease with { PossibleDeathAt = Instants.Max(lease.PossibleDeathAt, possibleDeathAt) }),
        LeaseState.Active when live => new LeaseStep.Refused("It would pass the end that was fixed when it was issued."),
        _ => new LeaseStep.Refused("Only a live lease is renewed."),
    };

    private static LeaseStep Renewed(Lease lease, DateTimeOffset expiresAt, bool live)
    {
        var possible = lease with { PossibleDeathAt = Instants.Max(lease.PossibleDeathAt, expiresAt) };
        var end = Instants.Min(expiresAt, lease.MaxExpiresAt);
        return lease.State switch
        {
            LeaseState.Active when live => Moved(possible with { ExpiresAt = end, DueAt = end }),
            LeaseState.Active or LeaseState.Revoking => possible == lease ? Same("It is dead in effect.") : Moved(possible),
            _ => new LeaseStep.Refused("It is closed."),
        };
    }

    private static LeaseStep WrittenOff(Lease lease, Evidence assertion, DateTimeOffset now) => lease.State switch
    {
        LeaseState.Revoking => Moved(Close(lease, LeaseState.Revoked, assertion, now) with { Asserted = true, EndReason = EndReason.WrittenOff }),
        _ => new LeaseStep.Refused("Only what is being revoked can be written off."),
    };

    /// <summary>From here on it is killed at the target. A claim that is still out can no longer settle it.</summary>
    private static LeaseStep Die(Lease lease, EndReason reason, DateTimeOffset now) => Moved(lease with
    {
        State = LeaseState.Revoking,
        EndReason = reason,
        Lane = LaneOf(reason),
        RevokingAt = now,
        FirstAttemptAt = null,
        DueAt = now,
        Attempts = 0,
        Fence = lease.Fence + 1,
        ClosedAt = null,
        Evidence = null,
        Asserted = false,
    });

    private static Lease StartAnew(Lease lease, DateTimeOffset now) => lease with { DueAt = now, Attempts = 0, Fence = lease.Fence + 1, Lane = LaneOf(lease.EndReason ?? EndReason.OutcomeUnknown) };

    private static Lease Close(Lease lease, LeaseState state, Evidence evidence, DateTimeOffset now) =>
        lease with { State = state, Evidence = evidence, ClosedAt = now, DueAt = null, LastError = null };

    private static Lane LaneOf(EndReason reason) => reason switch
    {
        EndReason.Suspended => Lane.Suspension,
        EndReason.Expired => Lane.Expiry,
        _ => Lane.End,
    };

    private static readonly TimeSpan TargetsRounding = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan OneMicrosecond = TimeSpan.FromMicroseconds(1);

    private static LeaseStep.Moved Moved(Lease lease) => new(lease with { Version = lease.Version + 1 });

    private static LeaseStep.Unchanged Same(string why) => new(why);
}
