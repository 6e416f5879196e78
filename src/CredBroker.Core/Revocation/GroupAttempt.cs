using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>
/// One attempt to kill what is due in one claimed group, in one call. No other node writes the group's document from the claim until the call has truly
/// returned and can act no more; who lost the claim settles nothing.
/// </summary>
public sealed partial class GroupAttempt(
    ProviderPool pool, ILeaseGroups groups, AttemptVerdicts verdicts, GroupTurns turns, GroupMending mending, Breaker breaker, BrokerLimits limits, ILogger<GroupAttempt> logger, TimeProvider time)
{
    /// <summary>
    /// Attempts a claimed group. <paramref name="claimedAt"/>: the timestamp just before it was claimed. The returned task ends when the attempt is settled;
    /// <paramref name="returned"/> runs when the provider's call truly returns.
    /// </summary>
    public async Task RunAsync(ClaimedGroup claim, long claimedAt, Action returned)
    {
        ArgumentNullException.ThrowIfNull(claim);
        using var patience = new Patience(limits.AttemptTimeout, time);
        var asking = AskAsync(claim, claimedAt, returned);
        try
        {
            await patience.WaitAsync(asking);
        }
        catch (TimeoutException)
        {
            // The call goes on, keeps its slot, and keeps the claim while that lasts: the leases are free for the attempt after it.
            await SettleAsync(claim, verdicts.Failed(claim.Due, new ProviderException(ProviderFault.Unreachable, "The provider did not answer in time.")));
            _ = GiveBackLateAsync(claim, asking);
            return;
        }

        var answer = await asking;
        await RecordOverflowAsync(claim, answer);
        await SettleAsync(claim, answer.Events);
        await GiveBackAsync(claim, answer);
    }

    private async Task<Answer> AskAsync(ClaimedGroup claim, long claimedAt, Action returned)
    {
        var provider = claim.Due[0].Gates.Provider.Uid;
        try
        {
            // By the monotonic clock: whoever was held up after the claim has that much less time for the call.
            var left = limits.AttemptTimeout - time.GetElapsedTime(claimedAt);
            if (left <= TimeSpan.Zero) throw new ProviderException(ProviderFault.Unreachable, "The claim was too old when the provider was to be called.", ProviderEffect.None);
            using var bound = new CancellationTokenSource(left, time);
            await using var use = pool.Acquire(provider);
            if (use.Provider is not IGroupRevokingProvider revoking)
                throw new ProviderException(ProviderFault.NotSupported, "The provider cannot revoke in groups.", ProviderEffect.None);
            var (request, events) = RequestOf(claim);
            if (request.Due.Count == 0) return new Answer(events, Definite: true, KilledBefore: null, InTime: true);

            var asked = time.Now();
            var outcome = await revoking.RevokeGroupAsync(request, bound.Token);
            breaker.Succeeded(provider);
            foreach (var lease in claim.Due.Where(lease => !events.ContainsKey(lease.Id))) events[lease.Id] = EventOf(lease, outcome, asked);
            return new Answer(events, Definite: true, outcome.KilledAllIssuedBefore, InTime(claim, claimedAt));
        }
        catch (Exception e)
        {
            var error = ProviderWords.Unexpected(e);
            return new Answer(verdicts.Failed(claim.Due, error), error.Effect == ProviderEffect.None, KilledBefore: null, InTime(claim, claimedAt));
        }
        finally
        {
            returned();
        }
    }

    // One whose mark cannot be made is not asked about, but must stay dead like the others.
    private (GroupRevokeRequest Request, Dictionary<Uid, LeaseEvent> Failed) RequestOf(ClaimedGroup claim)
    {
        var failed = new Dictionary<Uid, LeaseEvent>();
        var due = new List<RevokeRequest>();
        var denied = claim.StillDenied.ToList();
        foreach (var lease in claim.Due)
        {
            try
            {
                due.Add(verdicts.RequestFor(lease));
            }
            catch (ProviderException e)
            {
                failed[lease.Id] = verdicts.Failed(lease, e);
                denied.Add(new DeniedCredential(lease.ExternalName, lease.PossibleDeathAt) { IssuedBy = lease.IssuedBy });
            }
        }

        return (new GroupRevokeRequest { Group = claim.Name, Due = due, StillDenied = denied }, failed);
    }

    private LeaseEvent EventOf(Lease lease, GroupRevokeOutcome outcome, DateTimeOffset asked)
    {
        if (outcome.Failures.TryGetValue(lease.Id, out var failure)) return verdicts.Failed(lease, failure);
        return outcome.Outcomes.TryGetValue(lease.Id, out var told)
            ? verdicts.Of(lease, told, asked)
            : verdicts.Failed(lease, new ProviderException(ProviderFault.Credential, "The provider did not say what became of it."));
    }

    private bool InTime(ClaimedGroup claim, long claimedAt) => time.GetElapsedTime(claimedAt) < claim.Length;

    private async Task RecordOverflowAsync(ClaimedGroup claim, Answer answer)
    {
        if (answer.KilledBefore is not { } killedBefore) return;
        try
        {
            if (await groups.OverflowAsync(claim.Id, Instants.Truncate(killedBefore), CancellationToken.None)) LogOverflow(logger, claim.Name, killedBefore);
        }
        catch (Exception e)
        {
            // The next attempt is told again: the document has no more room than it had.
            LogOverflowNotRecorded(logger, claim.Name, e);
        }
    }

    private Task SettleAsync(ClaimedGroup claim, IReadOnlyDictionary<Uid, LeaseEvent> events) =>
        Task.WhenAll(claim.Due.Select(lease => verdicts.SettleAsync(lease, events[lease.Id], claim.Length, claim.Fence)));

    private async Task GiveBackLateAsync(ClaimedGroup claim, Task<Answer> asking)
    {
        var answer = await asking;
        await RecordOverflowAsync(claim, answer);
        await GiveBackAsync(claim, answer);
    }

    // A call that failed may still act for a while: nobody writes before that has passed.
    private async Task GiveBackAsync(ClaimedGroup claim, Answer answer)
    {
        await turns.GiveBackAsync(claim.Id, claim.Fence, answer.Definite ? TimeSpan.Zero : claim.LateEffect);
        if (answer.InTime) return;
        await mending.ReopenAsync(claim.Id, claim.Due.Select(lease => lease.ExternalName).Concat(claim.StillDenied.Select(denied => denied.ExternalName)).ToHashSet(StringComparer.Ordinal));
    }

    /// <param name="Events">What each lease's attempt came to.</param>
    /// <param name="Definite">Nothing of the call can act any more.</param>
    /// <param name="KilledBefore">The document denies everything issued before.</param>
    /// <param name="InTime">The call returned while its claim lasted.</param>
    private sealed record Answer(IReadOnlyDictionary<Uid, LeaseEvent> Events, bool Definite, DateTimeOffset? KilledBefore, bool InTime);

    [LoggerMessage(Level = LogLevel.Error, Message = "The document of group {Group} has no room: it denies everything that was issued before {KilledBefore:O}, and all of that is ended")]
    private static partial void LogOverflow(ILogger logger, string group, DateTimeOffset killedBefore);

    [LoggerMessage(Level = LogLevel.Error, Message = "That the document of group {Group} denies everything issued before could not be recorded yet")]
    private static partial void LogOverflowNotRecorded(ILogger logger, string group, Exception error);
}
