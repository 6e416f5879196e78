using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Retention;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;
using CredBroker.Core.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quartz;

namespace CredBroker.Quartz;

/// <summary>Registers what decides when to look.</summary>
public static class QuartzServices
{
    /// <summary>How long shutting down waits for the attempts that this node holds.</summary>
    public static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(20);

    /// <summary>How long it waits after that for the anchors' last look.</summary>
    public static readonly TimeSpan AnchorsBound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan PruneAtLeastEvery = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestPauseOfDenials = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan LongestPauseOfReevaluation = TimeSpan.FromSeconds(1);

    // A line that was just taken up is looked at by whoever takes it up: the shortest interval is a second.
    private static readonly TimeSpan LongestPauseOfLines = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Looks for what is due: at the time that the last look named, at most 250 ms later, and at once after a commit of this node that made work. The
    /// scheduler is Quartz with its RAM store on every node: what is due is in the database, and what must run once is decided there.
    /// </summary>
    public static IServiceCollection AddCredBrokerQuartz(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services
            .AddSingleton(provider =>
            {
                var signals = provider.GetRequiredService<Signals>();
                return new Work("revocations", LongestPause, provider.GetRequiredService<RevocationDispatcher>().LookAsync)
                {
                    Signalled = signals.Wait,
                    Take = signals.Take,
                };
            })
            .AddSingleton(provider => new Work("measuring", RevocationWatch.Every, provider.GetRequiredService<RevocationWatch>().LookAsync))
            .AddSingleton(provider => new Work("reconciling", Reconciler.Every, provider.GetRequiredService<Reconciler>().LookAsync))
            .AddSingleton(provider => new Work("signing-keys", KeyRotation.Every, provider.GetRequiredService<KeyRotation>().LookAsync))
            .AddSingleton(provider => new Work("sign-of-life", BrokerLife.Every, provider.GetRequiredService<BrokerLife>().LookAsync))
            .AddSingleton(provider => new Work("anchors", Anchors.Every, provider.GetRequiredService<Anchors>().LookAsync))
            .AddSingleton(provider => new Work("pruning", PruneAtLeastEvery, provider.GetRequiredService<Pruner>().LookAsync))
            .AddSingleton(provider => new Work("reevaluation", LongestPauseOfReevaluation, provider.GetRequiredService<Reevaluator>().LookAsync))
            .AddSingleton(provider => new Work("denials", LongestPauseOfDenials, provider.GetRequiredService<DenialLog>().LookAsync))
            .AddSingleton(provider => new Work("held-lines", LongestPauseOfLines, provider.GetRequiredService<HeldLines>().LookAsync))
            // Hosted services stop in reverse order: first no more looks, then what is held is finished.
            .AddSingleton<IHostedService, DrainService>()
            .AddLooks();
    }

    /// <summary>The scheduler, for whatever <see cref="Work"/> is registered.</summary>
    internal static IServiceCollection AddLooks(this IServiceCollection services)
    {
        services.AddQuartz(quartz =>
        {
            quartz.UseInMemoryStore();
            quartz.ConfigureScheduler(options => options.ShutdownJobInterruption = ShutdownJobInterruption.WhenWaitingForJobs);
        });
        services.AddTransient<LookJob>();
        services.AddSingleton<IHostedService, SignalWatch>();
        services.AddQuartzHostedService(options => options.WaitForJobsToComplete = true);
        return services;
    }
}

/// <summary>Lets what this node has claimed come to its end, within a bound, and gives the rest back: another node need not wait for the ends of its claims.</summary>
internal sealed class DrainService(RevocationDispatcher dispatcher, Reconciler reconciler, Anchors anchors, DenialLog denials, TimeProvider time) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(QuartzServices.DrainBound, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        await Task.WhenAll(dispatcher.DrainAsync(either.Token), reconciler.StopAsync(either.Token));
        try
        {
            await denials.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            // Counts alone are lost: each denial that they belong to is in the trail.
        }

        // A bound of its own: one target that hangs has used up all the rest, and whoever starts next may know nothing but what the others' notes say.
        using var last = new CancellationTokenSource(QuartzServices.AnchorsBound, time);
        try
        {
            await anchors.LookAsync(last.Token);
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            // The notes of the last minute stand.
        }
    }
}
