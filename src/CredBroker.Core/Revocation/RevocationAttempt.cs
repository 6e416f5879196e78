using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>
/// One attempt to kill one claimed lease: ask the provider, hold its evidence against the target that issued, settle. Whatever fails is tried again, without
/// end; who holds the claim no longer settles nothing.
/// </summary>
public sealed partial class RevocationAttempt(
    ProviderPool pool, AttemptVerdicts verdicts, BrokerLimits limits, ILogger<RevocationAttempt> logger, TimeProvider time)
{
    /// <summary>Attempts a claimed lease. The returned task ends when the attempt is settled; <paramref name="returned"/> runs when the provider's call truly returns.</summary>
    public async Task RunAsync(Lease lease, Action returned)
    {
        ArgumentNullException.ThrowIfNull(lease);
        using var patience = new Patience(limits.AttemptTimeout, time);
        var asking = AskAsync(lease, returned);
        LeaseEvent @event;
        try
        {
            @event = await patience.WaitAsync(asking);
        }
        catch (TimeoutException)
        {
            // The call goes on and keeps its slot; the lease is free for the next attempt.
            @event = verdicts.Failed(lease, new ProviderException(ProviderFault.Unreachable, "The provider did not answer in time."));
        }

        await verdicts.SettleAsync(lease, @event, limits.ClaimFor);
    }

    /// <summary>
    /// Revokes what could not be recorded, by what is in memory: the store may be gone, the credential must not stay. One of a group is revoked alone, without
    /// the claim that only the store could give: what it undoes by that, or what undoes it, the group's next claim mends.
    /// </summary>
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
            var request = verdicts.RequestFor(lease) with { Deadline = asked + limits.AttemptTimeout };
            return verdicts.Of(lease, await use.Provider.RevokeAsync(request, bound.Token), asked);
        }
        catch (Exception e)
        {
            return verdicts.Failed(lease, ProviderWords.Unexpected(e));
        }
        finally
        {
            returned();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Lease {Lease} was revoked without a record: {Outcome}")]
    private static partial void LogWithoutStore(ILogger logger, Uid lease, string outcome);
}
