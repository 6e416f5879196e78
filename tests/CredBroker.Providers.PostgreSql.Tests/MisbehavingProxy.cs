using System.Net;
using System.Net.Sockets;
using System.Text;
using CredBroker.Testing.Conformance;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>
/// Stands between the broker and its server, which does what it is asked for: it reads along, and loses, holds back or delays the answers to what
/// changes a role.
/// </summary>
internal sealed class MisbehavingProxy : IAsyncDisposable
{
    private static readonly string[] Changes = ["CREATE ROLE", "ALTER ROLE", "DROP ROLE"];
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly int _target;
    private volatile Fault? _fault;
    private int _creatingCalls;

    public MisbehavingProxy(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many statements that make a role have come by.</summary>
    public int CreatingCalls => Volatile.Read(ref _creatingCalls);

    public Misbehaviour Misbehave(TargetFault kind)
    {
        var misbehaviour = new Misbehaviour(() =>
        {
            _fault = null;
            return ValueTask.CompletedTask;
        });
        _fault = new Fault(kind, misbehaviour);
        return misbehaviour;
    }

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
                var link = new Link(await _listener.AcceptTcpClientAsync(_stopping.Token), new TcpClient());
                await link.Server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
                _ = PumpAsync(link, link.Client, link.Server, Asked);
                _ = PumpAsync(link, link.Server, link.Client, AnsweredAsync);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private ValueTask<bool> Asked(Link link, ReadOnlyMemory<byte> sent)
    {
        var text = Encoding.Latin1.GetString(sent.Span);
        if (text.Contains("CREATE ROLE", StringComparison.Ordinal)) Interlocked.Increment(ref _creatingCalls);
        if (_fault is { } fault && (fault.Begun || Changes.Any(change => text.Contains(change, StringComparison.Ordinal))))
        {
            link.Fault = fault;
            // What hangs hangs from then on for every connection; the others concern one answer.
            if (fault.Kind == TargetFault.Hanging) fault.Begun = true;
        }

        return ValueTask.FromResult(true);
    }

    /// <summary>Whether the answer goes on its way.</summary>
    private async ValueTask<bool> AnsweredAsync(Link link, ReadOnlyMemory<byte> answer)
    {
        if (link.Fault is not { } fault) return true;
        link.Fault = fault.Kind == TargetFault.Hanging ? fault : null;
        fault.Misbehaviour.Meet();
        switch (fault.Kind)
        {
            case TargetFault.Slow:
                await Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System, _stopping.Token);
                return true;
            case TargetFault.AnswerLost:
                link.Client.Close();
                link.Server.Close();
                return false;
            default:
                return false;
        }
    }

    private async Task PumpAsync(Link link, TcpClient from, TcpClient to, Func<Link, ReadOnlyMemory<byte>, ValueTask<bool>> pass)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stopping.Token) is > 0 and var read)
                if (await pass(link, buffer.AsMemory(0, read))) await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            to.Dispose();
        }
    }

    private sealed record Link(TcpClient Client, TcpClient Server)
    {
        public volatile Fault? Fault;
    }

    private sealed record Fault(TargetFault Kind, Misbehaviour Misbehaviour)
    {
        public volatile bool Begun;
    }
}
