using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Signing;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>What an attempt to revoke asks for, what its answer means for the lease, and how that is settled: the same alone and in a group.</summary>
public sealed partial class AttemptVerdicts(
    ILeaseStore leases, LeaseMarks marks, Breaker breaker, BrokerLimits limits, BrokerMetrics metrics, Random random, ILogger<AttemptVerdicts> logger, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>The request for a lease.</summary>
    /// <exception cref="ProviderException">Its mark cannot be made.</exception>
    public RevokeRequest RequestFor(Lease lease) => new()
    {
        LeaseId = lease.Id,
        ExternalName = lease.ExternalName,
        Handle = lease.Handle,
        RoleKind = lease.RoleKind,
        Mark = marks.Make(lease.Id, lease.MarkKeyId).ToString(),
        Group = lease.Group?.Name,
        IssuedBy = lease.IssuedBy,
        PossibleDeathAt = lease.PossibleDeathAt,
        MayStillArriveUntil = lease.MayStillArriveUntil,
    };

    /// <summary>What an outcome means; <paramref name="asked"/> is when it was asked for. It counts only from the target that issued.</summary>
    public LeaseEvent Of(Lease lease, RevokeOutcome outcome, DateTimeOffset asked)
    {
        if (outcome.TargetIdentity != lease.TargetIdentity) return Failed(lease, OtherTarget(lease, outcome));
        breaker.Succeeded(lease.Gates.Provider.Uid);
        return outcome switch
        {
            // Whoever looked before the bound saw nothing of what came after its look, however late it answers.
            RevokeOutcome.Gone when lease.MayStillArriveUntil is { } bound && asked <= bound =>
                new LeaseEvent.Settling(bound + TimeSpan.FromMicroseconds(1), "The issuing call could still take effect when this was looked for.", null),
            RevokeOutcome.Gone gone => new LeaseEvent.ProvenGone(Clean(gone.Evidence)),
            RevokeOutcome.Expired expired => new LeaseEvent.ProvenExpired(Clean(expired.Evidence)),
            RevokeOutcome.Settling settling => new LeaseEvent.Settling(NotBefore(settling.Until), ProviderWords.Clean(settling.Reason), settling.Handle),
            RevokeOutcome.ExpiresAt expires => new LeaseEvent.Settling(NotBefore(Instants.Max(expires.At, lease.PossibleDeathAt)), "It cannot be revoked there, and is waited for.", null),
            _ => throw new InvalidOperationException("The provider's outcome is none of the four."),
        };
    }

    /// <summary>What a failure means for its lease. What is the provider's fault backs the provider off; only a lease's own errors back off the lease.</summary>
    public LeaseEvent.AttemptFailed Failed(Lease lease, ProviderException error) =>
        IsLeasesOwn(error) ? FailedUntil(lease, error, null) : FailedUntil(lease, error, breaker.Failed(lease.Gates.Provider.Uid, error.RetryAfter));

    /// <summary>What one failed call means for all that it was about: the provider is at fault once.</summary>
    public IReadOnlyDictionary<Uid, LeaseEvent> Failed(IReadOnlyList<Lease> several, ProviderException error)
    {
        DateTimeOffset? retryAt = IsLeasesOwn(error) ? null : breaker.Failed(several[0].Gates.Provider.Uid, error.RetryAfter);
        return several.ToDictionary(lease => lease.Id, lease => (LeaseEvent)FailedUntil(lease, error, retryAt));
    }

    // Another target than the lease's has answered: that says nothing against the provider.
    private static bool IsLeasesOwn(ProviderException error) => error.Fault is ProviderFault.Credential or ProviderFault.TargetMismatch;

    private LeaseEvent.AttemptFailed FailedUntil(Lease lease, ProviderException error, DateTimeOffset? providersPause)
    {
        var attempts = lease.Attempts + 1;
        var retryAt = providersPause ?? (time.Now() + Backoff.Of(attempts, FirstPause, LongestPause, random));
        return new LeaseEvent.AttemptFailed(ProviderWords.ToError(error, time.Now()), Instants.Truncate(retryAt), attempts >= limits.AttemptsBeforeSlow);
    }

    /// <summary>Settles an attempt under its claim, which lasted for <paramref name="claimFor"/>, and tells of it.</summary>
    public async Task SettleAsync(Lease lease, LeaseEvent @event, TimeSpan claimFor, long? groupFence = null)
    {
        try
        {
            var outcome = await leases.ApplyAsync(new LeaseChange(lease.Id, @event, Actor.Broker) { Fence = lease.Fence, GroupFence = groupFence }, CancellationToken.None);
            Tell(lease, @event, outcome, claimFor);
        }
        catch (Exception e)
        {
            // The claim runs out and the lease is tried again: an attempt may be repeated, never lost.
            LogNotSettled(logger, lease.Id, e.GetType().Name);
        }
    }

    private void Tell(Lease lease, LeaseEvent @event, ApplyOutcome outcome, TimeSpan claimFor)
    {
        if (outcome is ApplyOutcome.Fenced)
        {
            LogFenced(logger, lease.Id);
            return;
        }

        if (outcome is ApplyOutcome.Applied { After: var settled } && lease.FirstAttemptAt is { } first && IsFirst(lease, claimFor))
            metrics.FirstAttempt(lease.EndReason, Lateness(first, settled));
        if (@event is LeaseEvent.AttemptFailed failed)
        {
            metrics.Failed(failed.Error.Fault);
            if (failed.Slow) LogSlow(logger, lease.Id, lease.Gates.Provider.Uid, lease.Attempts + 1, failed.Error.Fault);
            else LogFailed(logger, lease.Id, lease.Gates.Provider.Uid, failed.Error.Fault);
        }

        if (outcome is ApplyOutcome.Applied { Changed: true, After: var after } && after.Lease is { State: LeaseState.Revoked or LeaseState.Expired, ClosedAt: { } closed })
        {
            var took = Lateness(closed, after);
            metrics.Proven(took);
            LogProven(logger, lease.Id, after.Lease.Evidence!.Kind, took.TotalMilliseconds);
        }
    }

    // The claim that set the time of the first attempt is the one that still holds it.
    private static bool IsFirst(Lease lease, TimeSpan claimFor) => lease.FirstAttemptAt + claimFor == lease.DueAt;

    /// <summary>How long after it was dead in effect. Two nodes' clocks may differ a little: never less than nothing.</summary>
    private static TimeSpan Lateness(DateTimeOffset at, LeaseView view)
    {
        var late = at - (view.Effective.Since ?? view.Lease.RevokingAt ?? at);
        return late > TimeSpan.Zero ? late : TimeSpan.Zero;
    }

    private DateTimeOffset NotBefore(DateTimeOffset until) => Instants.Truncate(Instants.Max(until, time.Now()));

    private static Evidence Clean(Evidence evidence) =>
        new(ProviderWords.Clean(evidence.Kind), ProviderWords.Clean(evidence.Text), Instants.Truncate(evidence.ObservedAt));

    private static ProviderException OtherTarget(Lease lease, RevokeOutcome outcome) => new(
        ProviderFault.TargetMismatch,
        $"The lease was issued at {lease.TargetIdentity}, but {outcome.TargetIdentity} answers: what is not there proves nothing. Point the provider back, or write the lease off.");

    [LoggerMessage(Level = LogLevel.Information, Message = "Lease {Lease} is proven dead by {Evidence} after {Milliseconds:F0} ms")]
    private static partial void LogProven(ILogger logger, Uid lease, string evidence, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} at provider {Provider} could not be revoked ({Fault}) and is tried again")]
    private static partial void LogFailed(ILogger logger, Uid lease, Uid provider, ProviderFault fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "Lease {Lease} at provider {Provider} could not be revoked in {Attempts} attempts ({Fault}): somebody must look; it is tried again in the slow lane")]
    private static partial void LogSlow(ILogger logger, Uid lease, Uid provider, int attempts, ProviderFault fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The claim on lease {Lease} was lost before its attempt was settled")]
    private static partial void LogFenced(ILogger logger, Uid lease);

    [LoggerMessage(Level = LogLevel.Error, Message = "The attempt on lease {Lease} could not be recorded ({Fault}); it is tried again when the claim runs out")]
    private static partial void LogNotSettled(ILogger logger, Uid lease, string fault);
}
