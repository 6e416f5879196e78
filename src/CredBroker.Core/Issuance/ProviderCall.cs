using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;

namespace CredBroker.Core.Issuance;

/// <summary>What the provider answered.</summary>
internal abstract record ProviderAnswer
{
    /// <summary>A credential.</summary>
    public sealed record Made(IssuedCredential Credential) : ProviderAnswer;

    /// <summary>Definitely nothing was made.</summary>
    public sealed record Nothing(ProviderException Error) : ProviderAnswer;

    /// <summary>Nobody knows.</summary>
    public sealed record Unknown(ProviderException Error) : ProviderAnswer;
}

/// <summary>The one call that makes a credential. It is never repeated, and runs to its end even when nobody waits for it any more.</summary>
public sealed class ProviderCall(ProviderPool pool, ILeaseStore leases, GroupTurns turns, GroupMending mending, LeaseMarks marks, BrokerLimits limits, TimeProvider time)
{
    /// <summary>Where issuing writes a document that others share, it waits for its turn, and gives it back when nothing of the call can act any more.</summary>
    internal async Task<ProviderAnswer> MakeAsync(IssuePlan plan, Lease lease, long started)
    {
        if (plan.Group is not { GuardsIssue: true } || lease.Group is not { } group) return await CallAsync(plan, lease, started);
        if (await TakeTurnAsync(lease, group, started) is not { } fence) return Late("The deadline passed while others wrote the document that the credential shares.");
        var answer = await CallAsync(plan, lease, started);
        var held = await turns.GiveBackAsync(group.Id, fence, answer is ProviderAnswer.Unknown ? lease.LateEffect : TimeSpan.Zero);
        if (!held) await mending.ReopenAsync(group.Id, new HashSet<string>());
        return answer;
    }

    private async Task<long?> TakeTurnAsync(Lease lease, LeaseGroup group, long started)
    {
        try
        {
            // As long as the call itself may take, and as long as it may act afterwards.
            return await turns.TakeAsync(group.Id, limits.IssueDeadline + limits.ReturnGrace + lease.LateEffect, limits.IssueDeadline - time.GetElapsedTime(started));
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    private static ProviderAnswer.Nothing Late(string words) => new(new ProviderException(ProviderFault.Unreachable, words, ProviderEffect.None));

    private async Task<ProviderAnswer> CallAsync(IssuePlan plan, Lease lease, long started)
    {
        try
        {
            await using var use = pool.Acquire(plan.Provider.Uid);
            using var bound = new CancellationTokenSource(limits.IssueDeadline, time);
            // By the monotonic clock, just before sending: whatever took long, nothing is made after the deadline.
            if (time.GetElapsedTime(started) >= limits.IssueDeadline)
                return Late("The deadline passed before the provider was called.");
            return new ProviderAnswer.Made(await use.Provider.IssueAsync(RequestFor(plan, lease), new Journal(lease.Id, leases), bound.Token));
        }
        catch (ProviderException e) when (e.Effect == ProviderEffect.None)
        {
            return new ProviderAnswer.Nothing(e);
        }
        catch (Exception e)
        {
            return new ProviderAnswer.Unknown(ProviderWords.Unexpected(e));
        }
    }

    private IssueRequest RequestFor(IssuePlan plan, Lease lease) => new()
    {
        LeaseId = lease.Id,
        TaskId = lease.TaskId,
        ExternalName = lease.ExternalName,
        Mark = marks.Make(lease.Id, lease.MarkKeyId).ToString(),
        RoleKind = lease.RoleKind,
        Template = plan.Template,
        Workload = lease.WorkloadName,
        TargetIdentity = lease.TargetIdentity,
        Deadline = lease.IssueDeadline,
        ExpiresAt = lease.ExpiresAt,
    };

    /// <summary>Stores a handle half-way. Whoever reads false stops: the lease is not wanted any more.</summary>
    private sealed class Journal(Uid lease, ILeaseStore leases) : IIssueJournal
    {
        public async Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken) =>
            await leases.ApplyAsync(new LeaseChange(lease, new LeaseEvent.HandleRecorded(handle), Actor.Broker), cancellationToken)
                is ApplyOutcome.Applied { After.Lease.State: LeaseState.Pending };
    }
}
