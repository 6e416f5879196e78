using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>The broker's only way to its target: a test shuts it, lets it hang or go slowly, leads it elsewhere, or cuts it at a statement.</summary>
internal sealed class TargetWay : IAsyncDisposable
{
    private static readonly TimeSpan Slowness = TimeSpan.FromMilliseconds(100);
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Link> _links = [];
    private TaskCompletionSource _changed = NewChange();
    private volatile Passage _passage = Passage.Free;
    private volatile int _target;
    private volatile Cut? _cut;

    public TargetWay(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    private enum Passage
    {
        Free,
        Slow,
        Hanging,
        Shut,
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whatever goes by, goes by at once.</summary>
    public void Open() => Become(Passage.Free, cut: false);

    /// <summary>Each message is late.</summary>
    public void Slow() => Become(Passage.Slow, cut: false);

    /// <summary>Connections are taken, and no message comes through in either direction.</summary>
    public void Hang() => Become(Passage.Hanging, cut: false);

    /// <summary>Every connection is closed, and so is each new one.</summary>
    public void Shut() => Become(Passage.Shut, cut: true);

    /// <summary>Whoever connects from now on reaches another server.</summary>
    public void LeadTo(int target)
    {
        _target = target;
        Become(Passage.Free, cut: true);
    }

    /// <summary>Closes the connection at the next statement of this kind: before it is sent, or when it is answered.</summary>
    public Cut CutAt(string statement, CutWhen when, bool shuts = false) => _cut = new Cut(statement, when) { ShutsTheWay = shuts };

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Become(Passage.Shut, cut: true);
    }

    private void Become(Passage passage, bool cut)
    {
        List<Link> cutting;
        lock (_lock)
        {
            _passage = passage;
            cutting = cut ? [.. _links.Where(link => link.Cut is not { When: CutWhen.Late })] : [];
            Interlocked.Exchange(ref _changed, NewChange()).SetResult();
        }

        foreach (var link in cutting) link.Close();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var link = new Link(await _listener.AcceptTcpClientAsync(_stopping.Token), new TcpClient());
                if (_passage == Passage.Shut)
                {
                    link.Close();
                    continue;
                }

                await link.Server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
                lock (_lock) _links.Add(link);
                _ = PumpAsync(link, link.Client, link.Server, AskAsync);
                _ = PumpAsync(link, link.Server, link.Client, AnswerAsync);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over, or the server is gone for good.
        }
    }

    private async Task<bool> AskAsync(Link link, ReadOnlyMemory<byte> sent)
    {
        if (_cut is not { } cut || !Encoding.Latin1.GetString(sent.Span).Contains(cut.Statement, StringComparison.Ordinal)) return true;
        _cut = null;
        link.Cut = cut;
        if (cut.When == CutWhen.Late)
        {
            if (cut.ShutsTheWay) Shut();
            link.Client.Close();
            cut.Meet();
            await cut.Delivered.Task.WaitAsync(_stopping.Token);
            return true;
        }

        cut.Meet();
        if (cut.When == CutWhen.Before) link.Close();
        return cut.When == CutWhen.Answered;
    }

    private static Task<bool> AnswerAsync(Link link, ReadOnlyMemory<byte> answer)
    {
        if (link.Cut is { When: CutWhen.Answered }) link.Close();
        return Task.FromResult(link.Cut is null);
    }

    private async Task PumpAsync(Link link, TcpClient from, TcpClient to, Func<Link, ReadOnlyMemory<byte>, Task<bool>> pass)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stopping.Token) is > 0 and var read)
            {
                await GoAsync();
                if (await pass(link, buffer.AsMemory(0, read))) await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone, and so is the other.
        }

        // What is delivered late is done although nobody waits for its answer.
        if (link.Cut is { When: CutWhen.Late } && from == link.Client) return;
        link.Close();
        lock (_lock) _links.Remove(link);
    }

    private async Task GoAsync()
    {
        if (_passage == Passage.Slow) await Task.Delay(Slowness, TimeProvider.System, _stopping.Token);
        while (true)
        {
            var changed = Volatile.Read(ref _changed);
            if (_passage != Passage.Hanging) return;
            await changed.Task.WaitAsync(_stopping.Token);
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Link(TcpClient Client, TcpClient Server)
    {
        public volatile Cut? Cut;

        public void Close()
        {
            Client.Close();
            Server.Close();
        }
    }
}

/// <summary>When a connection breaks that carries a statement.</summary>
internal enum CutWhen
{
    /// <summary>The statement does not arrive.</summary>
    Before,

    /// <summary>It is done, and its answer is lost.</summary>
    Answered,

    /// <summary>It arrives when the test says so; who sent it has lost the connection long before.</summary>
    Late,
}

/// <summary>One connection that breaks.</summary>
/// <param name="statement">What the statement has in it.</param>
/// <param name="when">When it breaks.</param>
internal sealed class Cut(string statement, CutWhen when)
{
    private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Statement => statement;

    public CutWhen When => when;

    /// <summary>Whether nothing else comes through from then on.</summary>
    public bool ShutsTheWay { get; init; }

    /// <summary>Set by the test: what was held back is delivered.</summary>
    public TaskCompletionSource Delivered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits, within a bound, until the statement comes by.</summary>
    public Task MetAsync() => _met.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);

    public void Meet() => _met.TrySetResult();
}
