using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocation;

/// <summary>
/// Looks for what is due and starts it: ends what is overdue, fans out what ended, claims what each provider has free slots for. It never waits for a
/// provider, so that one which hangs holds up only itself.
/// </summary>
public sealed partial class RevocationDispatcher(
    ITaskStore tasks, ILeaseStore leases, ILeaseGroups groups, ISuspensionStore suspensions, Catalog catalog, RevocationAttempt attempt, GroupDispatcher grouped, Attempts attempts, Breaker breaker,
    BrokerLimits limits, BrokerMetrics metrics, Signals signals, HeldLines lines, Quarantine.Anchors anchors, ILogger<RevocationDispatcher> logger, StoreTime time)
{
    // One transaction: nobody waits long for the writer.
    private const int Batch = 200;

    // The end of a tree is many statements: fewer of them.
    private const int EndBatch = 50;
    private static readonly Task<bool> Nothing = Task.FromResult(false);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<Uid, Lease> _claimed = new();

    /// <summary>How many attempts run on this node.</summary>
    public int Running => attempts.Running;

    /// <summary>
    /// Looks once. Answers when to look next, unless <see cref="Signals"/> say sooner. Claims come between the batches, so that a storm of ends does not hold
    /// up what was suspended; and what fails does not keep the rest from being done.
    /// </summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        signals.Take();
        // What the clock says is not believed now: nothing is ended or lifted by it. What somebody ended, revoked or suspended goes on.
        var timeHolds = time.State.TimeHolds;
        var steps = new List<(string Name, Func<CancellationToken, Task<bool>> RunAsync)>
        {
            ("lifting suspensions", token => timeHolds ? Nothing : suspensions.LiftDueAsync(Batch, token)),
            ("reading the registry", RefreshAsync),
            ("ending tasks", token => timeHolds ? Nothing : EndOverdueAsync(token)),
            ("moving what ended", token => leases.FanOutAsync(Batch, token)),
            ("ending what a full document killed", token => groups.FanOutAsync(Batch, token)),
        };
        var faults = new LookFaults(logger);
        IReadOnlyList<ProviderDue> due;
        DateTimeOffset? groupDue;
        bool more;
        do
        {
            more = false;
            foreach (var step in steps.ToList())
            {
                try
                {
                    more |= await step.RunAsync(cancellationToken);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    faults.Add(step.Name, e);
                    steps.Remove(step);
                }
            }

            due = await DispatchAsync(timeHolds, faults, cancellationToken);
            groupDue = await grouped.DispatchAsync(timeHolds, faults, cancellationToken);
        }
        while (more);

        if (faults.First is { } fault) ExceptionDispatchInfo.Throw(fault);
        return Earliest(time.Now(), due, timeHolds ? null : await tasks.NextDueAsync(cancellationToken), groupDue);
    }

    /// <summary>
    /// For shutting down, when nobody looks any more: waits, until cancelled, for the attempts of this node to return, and gives back what it has
    /// claimed for those that have not. Claims on groups are not given back: nobody else may write a document while a call that writes it is out.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (Running > 0 && !cancellationToken.IsCancellationRequested)
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var lease in _claimed.Values)
        {
            try
            {
                await leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.GivenBack(lease.DueAt!.Value), Actor.Broker) { Fence = lease.Fence }, CancellationToken.None);
            }
            catch (StoreUnavailableException)
            {
                // Then it is taken when the claim has run out.
                LogNotGivenBack(logger, lease.Id);
            }
        }
    }

    private async Task<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        await catalog.RefreshAsync(cancellationToken);
        return false;
    }

    private async Task<bool> EndOverdueAsync(CancellationToken cancellationToken)
    {
        var ended = await tasks.EndOverdueAsync(EndBatch, cancellationToken);
        foreach (var task in ended)
        {
            metrics.EndedByItself(task);
            lines.Ended(task.Id);
        }

        return ended.Count == EndBatch;
    }

    private async Task<IReadOnlyList<ProviderDue>> DispatchAsync(bool timeHolds, LookFaults faults, CancellationToken cancellationToken)
    {
        var due = await leases.NextDueAsync(cancellationToken);
        var now = time.Now();
        // A provider that was deleted when all was proven dead is missing here once a late answer brings something of it back.
        if (due.Any(provider => !catalog.Current.TryFindProvider(provider.Provider, out _))) await catalog.ReloadAsync(cancellationToken);
        foreach (var provider in due.TakeWhile(provider => provider.At <= now))
            await faults.ClaimAsync(provider.Provider, () => StartAsync(provider.Provider, timeHolds, cancellationToken), cancellationToken);
        return due;
    }

    private async Task StartAsync(Uid provider, bool timeHolds, CancellationToken cancellationToken)
    {
        var max = attempts.RoomFor(provider);
        if (max <= 0) return;
        foreach (var lease in await leases.ClaimDueAsync(new Claim(provider, max, limits.ClaimFor) { OnlyRevoking = timeHolds || anchors.Holds(provider) }, cancellationToken))
            attempts.Start(provider, returned => AttemptAsync(lease, returned));
    }

    private async Task AttemptAsync(Lease lease, Action returned)
    {
        _claimed[lease.Id] = lease;
        try
        {
            await attempt.RunAsync(lease, returned);
        }
        finally
        {
            _claimed.TryRemove(new KeyValuePair<Uid, Lease>(lease.Id, lease));
        }
    }

    private DateTimeOffset Earliest(DateTimeOffset now, IReadOnlyList<ProviderDue> due, DateTimeOffset? taskDue, DateTimeOffset? groupDue)
    {
        var next = now + LongestPause;
        if (taskDue is { } at && at < next) next = at;
        if (groupDue is { } group && group < next) next = group;
        foreach (var provider in due)
        {
            // What is due and was not taken waits for a free slot (which signals) or for the end of a pause.
            var when = provider.At > now ? provider.At : breaker.PausedUntil(provider.Provider);
            if (when < next) next = when.Value;
        }

        return next;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} could not be given back, and is taken by another node when its claim has run out")]
    private static partial void LogNotGivenBack(ILogger logger, Uid lease);
}
