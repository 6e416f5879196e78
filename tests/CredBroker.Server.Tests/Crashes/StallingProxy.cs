using System.Net;
using System.Net.Sockets;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>Stands between the broker and its target, and can hold everything back: what was sent has left, and has not arrived.</summary>
internal sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly int _target;
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stalled;

    public StallingProxy(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completes when something was held back.</summary>
    public Task Held => _held.Task;

    public void Stall() => _stalled = true;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                var server = new TcpClient();
                await server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
                _ = PumpAsync(client, server);
                _ = PumpAsync(server, client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            _held.TrySetCanceled();
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[8192];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stopping.Token) is > 0 and var read)
            {
                if (_stalled)
                {
                    _held.TrySetResult();
                    return; // Held back for good: the connection stays open, and silent.
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
            }

            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            to.Dispose();
        }
    }
}
