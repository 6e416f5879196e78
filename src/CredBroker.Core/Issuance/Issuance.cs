using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Pressure;
using CredBroker.Core.Providers;
using CredBroker.Core.Quotas;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Issuance;

/// <summary>
/// Issues a credential for a task: decide, reserve, call, activate, answer once. The lease is durable before the provider is called, so that
/// nothing which a provider makes is ever unknown.
/// </summary>
public sealed partial class Issuance(
    IssuePlanner planner, ProviderCall call, ILeaseStore leases, DenialLog denials, Catalog catalog, TargetIdentities targets, RateLimits rates,
    Admission admission, IssueSlots slots, InstallationOptions installation, LeaseMarks marks, RevocationAttempt revocation, BrokerLimits limits, StorePressure pressure, Signals signals, BrokerMetrics metrics, ILogger<Issuance> logger, StoreTime time)
{
    private const int DecideAtMost = 4;
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromSeconds(5);

    /// <summary>Issues one credential. Nothing of it is stored but what revoking it needs.</summary>
    public async Task<Result<IssuedLease>> IssueAsync(IssueCommand command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (time.State.WhyNoIssue is { } clock) return Refuse(Errors.Clock(clock));
        if (pressure.Refusal is { } busy) return Refuse(busy);
        using var turn = await admission.EnterAsync(command.Caller.Workload.Uid, cancellationToken);
        if (turn is null) return Refuse(Errors.Unavailable("The broker has more requests for credentials than it can decide. Try again.", TimeSpan.FromSeconds(1)));
        for (var round = 0; round < DecideAtMost; round++)
        {
            if (round > 0) await catalog.RefreshAsync(cancellationToken);
            var planned = await planner.PlanAsync(command, cancellationToken);
            if (planned is Planned.Refused { Error: var error }) return Refuse(error);
            if (planned is Planned.Denied denied) return await DenyAsync(command, denied, cancellationToken);
            var plan = ((Planned.Ready)planned).Plan;
            if (RateRefusal(plan) is { } tooFast) return Refuse(tooFast);
            // A target that was never seen is asked first, and may hang: that holds up nobody else.
            if (plan.Provider.Entry.TargetIdentity.Length == 0) turn.Dispose();
            var target = await targets.EnsureAsync(plan.Provider, cancellationToken);
            if (target is not Result<string>.Ok { Value: var identity }) return Refuse(((Result<string>.Refused)target).Error);

            if (!slots.TryTake(plan))
                return Refuse(new BrokerError(Reasons.ProviderUnavailable, $"The provider {plan.Provider.Name} is as busy as it may be.") { RetryAfter = TimeSpan.FromSeconds(1) });
            var started = time.GetTimestamp();
            ReserveOutcome reserved;
            try
            {
                reserved = await leases.ReserveAsync(ReservationOf(plan, identity), cancellationToken);
            }
            catch
            {
                // What may have been reserved without our knowing is Pending: the sweep voids or revokes it after its deadline.
                slots.Release(plan);
                throw;
            }

            if (reserved is ReserveOutcome.Reserved { Lease: var lease })
            {
                turn.Dispose();
                return await CallAsync(plan, lease, started, cancellationToken);
            }

            slots.Release(plan);
            if (reserved is not ReserveOutcome.Stale) return Refuse(ToError(reserved));
        }

        return Refuse(Errors.Stale);
    }

    private async Task<Result<IssuedLease>> CallAsync(IssuePlan plan, Lease lease, long started, CancellationToken caller)
    {
        if (lease.Supersedes is not null) signals.Set();
        using var patience = new Patience(limits.IssueDeadline - time.GetElapsedTime(started) + AnswerGrace, time);
        var making = MakeAndReleaseAsync(plan, lease, started);
        try
        {
            await patience.WaitAsync(making, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            var given = new ProviderException(ProviderFault.Unreachable, "The provider did not answer in time.");
            var refused = await SettleAsync(lease, given, OutcomeUnknown);
            _ = TakeLateAnswerAsync(lease, making);
            return refused;
        }

        return await making switch
        {
            ProviderAnswer.Made { Credential: var credential } => await ActivateAsync(plan, lease, credential, caller),
            ProviderAnswer.Nothing { Error: var error } => await SettleAsync(lease, error, NothingMade),
            ProviderAnswer.Unknown { Error: var error } => await SettleAsync(lease, error, OutcomeUnknown),
            _ => throw new InvalidOperationException("The provider's answer is none of the three."),
        };
    }

    /// <summary>The call keeps its slot until it truly returns, whether or not anybody still waits.</summary>
    private async Task<ProviderAnswer> MakeAndReleaseAsync(IssuePlan plan, Lease lease, long started)
    {
        try
        {
            return await call.MakeAsync(plan, lease, started);
        }
        finally
        {
            slots.Release(plan);
        }
    }

    private async Task<Result<IssuedLease>> ActivateAsync(IssuePlan plan, Lease lease, IssuedCredential credential, CancellationToken caller)
    {
        var after = await CommitIssuedAsync(lease, credential);
        if (after is null) return Refuse(Errors.Unavailable("The credential was made, but could not be recorded, and is being revoked.", TimeSpan.FromSeconds(5)));
        if (after is not { Effective.Live: true, Lease.State: LeaseState.Active })
        {
            signals.Set();
            return Refuse(new BrokerError(Reasons.TaskEnded, "The task ended, or something that it needs was suspended, while the credential was made. It is being revoked."));
        }

        if (caller.IsCancellationRequested)
        {
            await leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.Ended(EndReason.Undelivered), Actor.Broker), CancellationToken.None);
            signals.Set();
            caller.ThrowIfCancellationRequested();
        }

        metrics.Issued(plan.Provider.Name);
        return new IssuedLease(after, credential.Fields);
    }

    /// <summary>The lease as it is once the answer is stored; null if that could not be done, and then the credential is revoked by what is in memory.</summary>
    private async Task<LeaseView?> CommitIssuedAsync(Lease lease, IssuedCredential credential)
    {
        // A local lease is active since its reservation, and was made within this process: what ended since is as if it had ended after the answer.
        if (lease.State == LeaseState.Active) return new LeaseView(lease, new EffectiveState(true, null, null));
        try
        {
            var outcome = await leases.ApplyAsync(
                new LeaseChange(lease.Id, new LeaseEvent.Issued(credential.Handle, Instants.Truncate(credential.ExpiresAt)), Actor.Broker), CancellationToken.None);
            return outcome is ApplyOutcome.Applied { After: var after } ? after : null;
        }
        catch (Exception e)
        {
            LogNotRecorded(logger, lease.Id, e.GetType().Name);
            return await RereadAsync(lease, credential);
        }
    }

    private async Task<LeaseView?> RereadAsync(Lease lease, IssuedCredential credential)
    {
        try
        {
            var found = await leases.FindAsync(lease.Id, CancellationToken.None);
            if (found?.Lease.State == LeaseState.Active) return found;
        }
        catch (Exception e)
        {
            LogNotRecorded(logger, lease.Id, e.GetType().Name);
        }

        _ = revocation.WithoutStoreAsync(lease with { Handle = credential.Handle, IssueAnswered = true });
        return null;
    }

    /// <summary>Stores what a failed call means for a pending lease. A local one is active already: it never left this process, and ends like any other.</summary>
    private async Task<Result<IssuedLease>> SettleAsync(Lease lease, ProviderException error, Func<AttemptError, LeaseEvent> whilePending)
    {
        var @event = lease.State == LeaseState.Active ? new LeaseEvent.Ended(EndReason.Undelivered) : whilePending(ProviderWords.ToError(error, time.Now()));
        await leases.ApplyAsync(new LeaseChange(lease.Id, @event, Actor.Broker), CancellationToken.None);
        signals.Set();
        return Refuse(ToError(error));
    }

    private static LeaseEvent NothingMade(AttemptError error) => new LeaseEvent.NothingMade(error);

    private static LeaseEvent OutcomeUnknown(AttemptError error) => new LeaseEvent.IssueOutcomeUnknown(error);

    private async Task TakeLateAnswerAsync(Lease lease, Task<ProviderAnswer> making)
    {
        LeaseEvent? @event = await making switch
        {
            ProviderAnswer.Made { Credential: var credential } => new LeaseEvent.Issued(credential.Handle, Instants.Truncate(credential.ExpiresAt)),
            ProviderAnswer.Nothing { Error: var error } => new LeaseEvent.NothingMade(ProviderWords.ToError(error, time.Now())),
            _ => null,
        };
        if (@event is null) return;
        try
        {
            await leases.ApplyAsync(new LeaseChange(lease.Id, @event, Actor.Broker), CancellationToken.None);
            signals.Set();
        }
        catch (Exception e)
        {
            LogNotRecorded(logger, lease.Id, e.GetType().Name);
        }
    }

    private async Task<Result<IssuedLease>> DenyAsync(IssueCommand command, Planned.Denied denied, CancellationToken cancellationToken)
    {
        var recorded = await denials.RecordAsync(command.Caller, denied.Decision, denied.Task, null, $"providers/{command.Provider}/roles/{command.Role}", cancellationToken);
        return Refuse(recorded.ToError());
    }

    private Reservation ReservationOf(IssuePlan plan, string targetIdentity)
    {
        var lease = LeaseOf(plan, targetIdentity);
        var command = plan.Command;
        return new Reservation
        {
            Lease = lease,
            Generations = plan.Generations,
            Charges = QuotaPlan.Of(lease, plan.Role.Spec, plan.Provider.Spec, limits),
            Request = RequestKeys.Of(command.Caller, "IssueLease", command.Task.ToString(), command.RequestId, command.Attempt, BodyOf(plan, lease)),
            SupersedeWindow = limits.SupersedeWindow,
            By = command.Caller.Actor,
            Audit = [plan.Decision.ToAudit(command.Caller.Actor, plan.Task.Id, lease.Id, lease.RoleName)],
        };
    }

    private static IEnumerable<string> BodyOf(IssuePlan plan, Lease lease)
    {
        yield return plan.Provider.Uid.ToString();
        yield return plan.Role.Name;
        yield return lease.ParametersJson;
        yield return plan.Command.Ttl?.Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "";
        if (plan.Command.DeclaredDestination.Length > 0) yield return plan.Command.DeclaredDestination;
    }

    private Lease LeaseOf(IssuePlan plan, string targetIdentity)
    {
        var now = time.Now();
        var id = Uid.New(time);
        var separator = plan.Type.NameSeparator;
        var workload = plan.Command.Caller.Workload;
        var expiresAt = Instants.Min(Instants.Truncate(now + plan.Ttl), plan.Task.Deadline);
        var lease = new Lease
        {
            Id = id,
            TaskId = plan.Task.Id,
            TaskPath = plan.Task.Path,
            Gates = plan.Gates,
            ProviderVersion = plan.Provider.Entry.Version,
            RoleVersion = plan.Role.Entry.Version,
            RoleName = RoleNameOf(plan),
            RoleKind = plan.Role.Spec.Kind,
            WorkloadName = workload.Name,
            ExternalName = $"cb{separator}{installation.Id}{separator}{id}",
            TargetIdentity = targetIdentity,
            Local = plan.Type.Local,
            Revocability = plan.Revocability,
            CanMint = plan.CanMint,
            Group = plan.Group is { } group ? LeaseGroup.Of(targetIdentity, group) : null,
            MarkKeyId = plan.Type.Local ? "" : marks.PresentKeyId,
            ParametersJson = Parameters.ToJson(plan.Parameters),
            DecisionId = plan.Decision.Id,
            Asked = plan.Asked,
            IssueDeadline = now + limits.IssueDeadline,
            LateEffect = plan.Type.LateEffect,
            ReservedAt = now,
            ExpiresAt = expiresAt,
            PossibleDeathAt = expiresAt,
            MaxExpiresAt = Instants.Min(Instants.Truncate(now + plan.LongestTtl), plan.Task.Deadline),
            DueAt = now + limits.IssueDeadline,
        };
        return plan.Type.Local ? lease with { State = LeaseState.Active, ActivatedAt = now, IssueAnswered = true, DueAt = expiresAt } : lease;
    }

    private static string RoleNameOf(IssuePlan plan) => $"providers/{plan.Provider.Name}/roles/{plan.Role.Name}";

    private BrokerError? RateRefusal(IssuePlan plan)
    {
        if (rates.TryTake(
            new RateCharge("task:" + plan.Task.Id, limits.IssuesPerMinutePerTask, "issues of this task"),
            new RateCharge("workload:" + plan.Command.Caller.Workload.Uid, limits.IssuesPerMinutePerWorkload, "issues of this workload"),
            new RateCharge("role:" + plan.Role.Uid, limits.IssuesPerMinutePerRole, "issues of this role"),
            new RateCharge("provider:" + plan.Provider.Uid, plan.Provider.Spec.IssueRatePerMinute ?? limits.IssuesPerMinutePerProvider, "issues of this provider")) is not { } empty)
        {
            return null;
        }

        return new BrokerError(Reasons.RateLimited, $"Too many {empty.What} in a minute.") { RetryAfter = empty.Wait, Metadata = new Dictionary<string, string> { ["rate"] = empty.What } };
    }

    private Result<IssuedLease> Refuse(BrokerError error)
    {
        metrics.Refused(error.Reason);
        return error;
    }

    private static BrokerError ToError(ProviderException error) => error.Fault switch
    {
        // The words are the provider's own: administrators read them on the lease, callers get the kind.
        ProviderFault.Unreachable => new BrokerError(Reasons.ProviderUnavailable, "The provider cannot be reached.") { RetryAfter = TimeSpan.FromSeconds(5) },
        ProviderFault.Throttled => new BrokerError(Reasons.ProviderUnavailable, "The provider asks for fewer calls.") { RetryAfter = error.RetryAfter ?? TimeSpan.FromSeconds(5) },
        var fault => new BrokerError(Reasons.ProviderFailed, $"The provider refused or failed ({fault}). Its administrators see its words on the lease."),
    };

    private BrokerError ToError(ReserveOutcome outcome) => outcome switch
    {
        ReserveOutcome.TaskOver => Errors.TaskOver,
        ReserveOutcome.Quarantined => new BrokerError(Reasons.ProviderQuarantined, "The provider is in quarantine after a restore, or because its target has credentials that no lease knows: it issues nothing until that is cleared."),
        ReserveOutcome.Suspended => Errors.Suspended("The workload, its identity source, the provider or the role"),
        ReserveOutcome.QuotaExceeded exceeded => Errors.Quota(exceeded.Charge),
        ReserveOutcome.GroupFull full => Errors.GroupFull(full.Group, full.FreeAt - time.Now()),
        ReserveOutcome.RequestMismatch => new BrokerError(Reasons.RequestIdReused, "This request id was used with another request. Use a new one."),
        ReserveOutcome.AttemptOvertaken overtaken => new BrokerError(Reasons.RequestSuperseded, $"Attempt {overtaken.StoredAttempt} of this request came first. Use a higher attempt to take its place.")
        {
            Metadata = new Dictionary<string, string> { ["lease"] = overtaken.Lease.ToString() },
        },
        ReserveOutcome.AlreadyExists existing => new BrokerError(Reasons.RequestIdReused, "This request was made too long ago to be repeated. Use a new request id.")
        {
            Metadata = new Dictionary<string, string> { ["lease"] = existing.Lease.ToString() },
        },
        _ => Errors.Stale,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "The answer for lease {Lease} could not be recorded ({Fault}): it is being revoked by what is in memory")]
    private static partial void LogNotRecorded(ILogger logger, Uid lease, string fault);
}

/// <summary>The bulkheads of issuing. What has no target can't hang, and needs none.</summary>
public sealed class IssueSlots(BrokerLimits limits)
{
    private readonly Slots _slots = new(limits.IssueSlots);

    /// <summary>Takes one; false when none is free.</summary>
    internal bool TryTake(IssuePlan plan) => plan.Type.Local || _slots.TryTake(plan.Provider.Uid);

    /// <summary>Gives one back.</summary>
    internal void Release(IssuePlan plan)
    {
        if (!plan.Type.Local) _slots.Release(plan.Provider.Uid);
    }
}
