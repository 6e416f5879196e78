using CredBroker.Server.Configuration;

namespace CredBroker.Server.Hosting;

/// <summary>
/// Between the word to stop and the end of service: <see cref="NotStopping"/> says it already, and everything is still served, so that whoever balances the load sends
/// nothing to a server that does not answer any more.
/// </summary>
internal sealed class StopNotice(ListenConfiguration listen, IHostApplicationLifetime lifetime, TimeProvider time) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        lifetime.StopApplication();
        return Task.Delay(listen.StopNotice, time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
