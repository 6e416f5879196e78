using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Signing;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>
/// One attempt to kill one claimed lease: ask the provider, hold its evidence against the target that issued, settle. Whatever fails is tried again, without
/// end; who holds the claim no longer settles nothing.
/// </summary>
public sealed partial class RevocationAttempt(
    ProviderPool pool, ILeaseStore leases, LeaseMarks marks, Breaker breaker, BrokerLimits limits, BrokerMetrics metrics, Random random,
    ILogger<RevocationAttempt> logger, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>Attempts a claimed lease. The returned task ends when the attempt is settled; <paramref name="returned"/> runs when the provider's call truly returns.</summary>
    public async Task RunAsync(Lease lease, Action returned)
    {
        ArgumentNullException.ThrowIfNull(lease);
        var asking = AskAsync(lease, returned);
        LeaseEvent @event;
        try
        {
            @event = await asking.WaitAsync(limits.AttemptTimeout, time);
        }
        catch (TimeoutException)
        {
            // The call goes on and keeps its slot; the lease is free for the next attempt.
            @event = Failed(lease, new ProviderException(ProviderFault.Unreachable, "The provider did not answer in time."));
        }

        await SettleAsync(lease, @event);
    }

    /// <summary>Revokes what could not be recorded, by what is in memory: the store may be gone, the credential must not stay.</summary>
    public async Task WithoutStoreAsync(Lease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        var @event = await AskAsync(lease, static () => { });
        LogWithoutStore(logger, lease.Id, @event.GetType().Name);
    }

    private async Task<LeaseEvent> AskAsync(Lease lease, Action returned)
    {
        try
        {
            using var bound = new CancellationTokenSource(limits.AttemptTimeout, time);
            await using var use = pool.Acquire(lease.Gates.Provider.Uid);
            var asked = time.Now();
            var outcome = await use.Provider.RevokeAsync(RequestFor(lease), bound.Token);
            return outcome.TargetIdentity == lease.TargetIdentity ? Judge(lease, outcome, asked) : Failed(lease, OtherTarget(lease, outcome));
        }
        catch (Exception e)
        {
            return Failed(lease, ProviderWords.Unexpected(e));
        }
        finally
        {
            returned();
        }
    }

    private RevokeRequest RequestFor(Lease lease) => new()
    {
        LeaseId = lease.Id,
        ExternalName = lease.ExternalName,
        Handle = lease.Handle,
        RoleKind = lease.RoleKind,
        Mark = marks.Make(lease.Id).ToString(),
        PossibleDeathAt = lease.PossibleDeathAt,
        MayStillArriveUntil = lease.MayStillArriveUntil,
    };

    private LeaseEvent Judge(Lease lease, RevokeOutcome outcome, DateTimeOffset asked)
    {
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

    private LeaseEvent.AttemptFailed Failed(Lease lease, ProviderException error)
    {
        var attempts = lease.Attempts + 1;
        var pause = time.Now() + Backoff.Of(attempts, FirstPause, LongestPause, random);
        // What is the provider's fault backs the provider off; only a lease's own errors back off the lease.
        // Another target than the lease's has answered: that says nothing against the provider.
        var retryAt = error.Fault is ProviderFault.Credential or ProviderFault.TargetMismatch ? pause : breaker.Failed(lease.Gates.Provider.Uid, error.RetryAfter);
        return new LeaseEvent.AttemptFailed(ProviderWords.ToError(error, time.Now()), Instants.Truncate(retryAt), attempts >= limits.AttemptsBeforeSlow);
    }

    private async Task SettleAsync(Lease lease, LeaseEvent @event)
    {
        try
        {
            var outcome = await leases.ApplyAsync(new LeaseChange(lease.Id, @event, Actor.Broker) { Fence = lease.Fence }, CancellationToken.None);
            Tell(lease, @event, outcome);
        }
        catch (Exception e)
        {
            // The claim runs out and the lease is tried again: an attempt may be repeated, never lost.
            LogNotSettled(logger, lease.Id, e.GetType().Name);
        }
    }

    private void Tell(Lease lease, LeaseEvent @event, ApplyOutcome outcome)
    {
        if (outcome is ApplyOutcome.Fenced)
        {
            LogFenced(logger, lease.Id);
            return;
        }

        if (outcome is ApplyOutcome.Applied { After: var settled } && lease.FirstAttemptAt is { } first && IsFirst(lease))
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
    private bool IsFirst(Lease lease) => lease.FirstAttemptAt + limits.ClaimFor == lease.DueAt;

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

    [LoggerMessage(Level = LogLevel.Error, Message = "Lease {Lease} was revoked without a record: {Outcome}")]
    private static partial void LogWithoutStore(ILogger logger, Uid lease, string outcome);
}
