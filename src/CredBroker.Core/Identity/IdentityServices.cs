using CredBroker.Abstractions;
using CredBroker.Core.Egress;
using CredBroker.Core.Signing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Identity;

/// <summary>Registers identity, signing and egress.</summary>
public static class IdentityServices
{
    /// <summary>
    /// Adds them. <see cref="InstallationOptions"/>, <see cref="EgressPolicy"/>, <see cref="IIdentitySourceCatalog"/>, <see cref="ISigningKeyStore"/> and
    /// <see cref="TimeProvider"/> come from the host, which also calls <see cref="KeyRing.EnsureAsync"/> before it serves.
    /// </summary>
    public static IServiceCollection AddIdentityAndSigning(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services
            .AddSingleton<IEgress>(provider => new PolicyEgress(provider.GetRequiredService<EgressPolicy>()))
            .AddSingleton<IssuerKeyCache>()
            .AddSingleton<Attestor>()
            .AddSingleton<KeyRing>()
            .AddSingleton<ReservedAudiences>()
            .AddSingleton<LeaseTokenSigner>()
            .AddSingleton<ILeaseTokenSigner>(provider => provider.GetRequiredService<LeaseTokenSigner>())
            .AddSingleton<LeaseTokenVerifier>()
            .AddSingleton<LeaseMarks>()
            .AddSingleton<IHostedService, KeyRefreshService>();
    }
}

/// <summary>Keeps issuers' keys and our own up to date, apart from all requests.</summary>
internal sealed partial class KeyRefreshService(IssuerKeyCache issuers, KeyRing ring, TimeProvider time, ILogger<KeyRefreshService> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReloadRingEvery = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        var reloadedAt = time.GetUtcNow();
        do
        {
            try
            {
                await issuers.RefreshDueAsync(time.GetUtcNow(), stoppingToken);
                if (time.GetUtcNow() - reloadedAt >= ReloadRingEvery)
                {
                    await ring.ReloadAsync(stoppingToken);
                    reloadedAt = time.GetUtcNow();
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailure(logger, e); // The next round tries again; requests go on with what is known.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(EventId = 1103, Level = LogLevel.Error, Message = "Refreshing keys failed.")]
    private static partial void LogFailure(ILogger logger, Exception exception);
}
