using CredBroker.EntityFrameworkCore.Hosting;

namespace CredBroker.Server.Hosting;

/// <summary>Ends the process when a newer version has taken away what it needs of the database: whoever holds a line to it is told to turn to another node.</summary>
internal sealed class ShutOutWatch(BrokerDatabase database, IHostApplicationLifetime host) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await database.ShutOut.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        host.StopApplication();
    }
}
