using System.Net;
using System.Net.Sockets;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>A server of an attacker's own: it keeps every byte that it is sent, and answers as the attacker likes.</summary>
internal sealed class RecordingListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<byte[]> _caught = [];
    private readonly Func<Stream, Action<byte[]>, CancellationToken, Task> _answerAsync;
    private readonly Task _accepting;

    /// <param name="answerAsync">Speaks with who connects, and hands on what it reads.</param>
    public RecordingListener(Func<Stream, Action<byte[]>, CancellationToken, Task> answerAsync)
    {
        _answerAsync = answerAsync;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many came.</summary>
    public int Connections { get; private set; }

    /// <summary>What they sent, message by message.</summary>
    public IReadOnlyList<byte[]> Caught
    {
        get
        {
            lock (_caught) return [.. _caught];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        // Whoever stops listening first makes the next accept fail.
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    /// <summary>Keeps what was sent.</summary>
    public void Keep(byte[] message)
    {
        lock (_caught) _caught.Add(message);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Connections++;
                try
                {
                    await _answerAsync(client.GetStream(), Keep, _stop.Token);
                }
                catch (IOException)
                {
                    continue; // It hung up.
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return;
        }
    }
}
