using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Issuance;

/// <summary>Gives a live lease a longer life, by a new decision and never past the end that was fixed when it was issued. Written ahead, like issuing.</summary>
public sealed class Renewal(
    IssuePlanner planner, TaskAccess access, ILeaseStore leases, IAuditLog audit, DenialLog denials, ProviderPool pool, Catalog catalog, BrokerLimits limits, StoreTime time)
{
    private const int DecideAtMost = 4;

    /// <summary>Renews a lease; <paramref name="ttl"/> null for the longest that is allowed, <paramref name="declaredDestination"/> where the caller says that it uses it.</summary>
    public async Task<Result<LeaseView>> RenewAsync(Caller caller, Uid? task, Uid leaseId, TimeSpan? ttl, string declaredDestination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if (time.State.WhyNoIssue is { } clock) return Errors.Clock(clock);
        var found = await leases.FindAsync(leaseId, cancellationToken);
        if (found is null || (task is { } expected && expected != found.Lease.TaskId)) return Errors.NotFound("lease");
        var acted = await access.ToActAsync(caller, found.Lease.TaskId, cancellationToken);
        if (acted is not Result<AgentTask>.Ok { Value: var owner })
            return ((Result<AgentTask>.Refused)acted).Error is { Reason: not Reasons.ResourceNotFound } error ? error : Errors.NotFound("lease");
        if (!found.Effective.Live || found.Lease.State != LeaseState.Active) return new BrokerError(Reasons.LeaseDead, "The lease is dead. Ask for a new one.");

        for (var round = 0; round < DecideAtMost; round++)
        {
            if (round > 0) await catalog.RefreshAsync(cancellationToken);
            if (await TryRenewAsync(caller, owner, found, ttl, declaredDestination, cancellationToken) is { } renewed) return renewed;
        }

        return Errors.Stale;
    }

    /// <summary>Decides and renews; null if what the decision depends on changed before the renewal was written.</summary>
    private async Task<Result<LeaseView>?> TryRenewAsync(Caller caller, AgentTask owner, LeaseView found, TimeSpan? ttl, string declaredDestination, CancellationToken cancellationToken)
    {
        var lease = found.Lease;
        var longest = lease.MaxExpiresAt - time.Now();
        var wished = ttl < longest ? ttl.Value : longest;
        if (wished <= TimeSpan.Zero) return new BrokerError(Reasons.NotRenewable, "The lease has reached the end that was fixed when it was issued. Ask for a new one.");
        var decided = await planner.RenewalAsync(caller, owner, lease, wished, ttl, declaredDestination, cancellationToken);
        if (decided is not Result<RenewalDecision>.Ok { Value: var (decision, generations) }) return ((Result<RenewalDecision>.Refused)decided).Error;
        if (!decision.Allowed) return (await denials.RecordAsync(caller, decision, owner.Id, lease.Id, lease.RoleName, cancellationToken)).ToError();
        await audit.AppendAsync(decision.ToAudit(caller.Actor, owner.Id, lease.Id, lease.RoleName), cancellationToken);
        var until = Instants.Truncate(time.Now() + (decision.MaxTtl < wished ? decision.MaxTtl.Value : wished));
        return until <= lease.ExpiresAt ? found : await ExtendAsync(lease, Instants.Min(until, lease.MaxExpiresAt), generations, cancellationToken);
    }

    private async Task<Result<LeaseView>?> ExtendAsync(Lease lease, DateTimeOffset until, GenerationCheck generations, CancellationToken cancellationToken)
    {
        await using var use = pool.Acquire(lease.Gates.Provider.Uid);
        if (use.Provider is not IRenewingProvider renewing) return new BrokerError(Reasons.NotRenewable, "This provider's credentials cannot be renewed. Ask for a new one.");
        // A renewal that was decided under policies which are no longer in force is not written, like an issue: whoever changed them decides over what lives now.
        var intended = await leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.RenewalIntended(until), Actor.Broker) { Generations = generations }, cancellationToken);
        if (intended is ApplyOutcome.Stale) return null;
        if (intended is ApplyOutcome.Refused { Why: var why }) return new BrokerError(Reasons.LeaseDead, why);
        if (intended is not ApplyOutcome.Applied { After.Lease: var raised }) return Errors.NotFound("lease");
        var started = time.Now();
        DateTimeOffset given;
        try
        {
            using var bound = new CancellationTokenSource(limits.AttemptTimeout, time);
            given = await renewing.RenewAsync(
                new RenewRequest(raised.Id, raised.ExternalName, raised.Handle, raised.RoleKind, until, started + limits.IssueDeadline), bound.Token);
        }
        catch (Exception e)
        {
            // It may live longer at the target than the broker says: possible_death_at covers that, and the old end still holds.
            var error = ProviderWords.Unexpected(e);
            return new BrokerError(
                error.Fault is ProviderFault.Unreachable or ProviderFault.Throttled ? Reasons.ProviderUnavailable : Reasons.ProviderFailed,
                $"The provider did not renew it ({error.Fault}). The lease keeps its end.")
            {
                RetryAfter = error.RetryAfter,
            };
        }

        var renewed = await leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.Renewed(Instants.Truncate(given)), Actor.Broker), CancellationToken.None);
        return renewed is ApplyOutcome.Applied { After: { Effective.Live: true } after } ? after : new BrokerError(Reasons.LeaseDead, "The lease died while it was renewed.");
    }
}
