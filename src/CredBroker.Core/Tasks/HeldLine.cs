using CredBroker.Abstractions;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Tasks;

/// <summary>What the holder of a line is told.</summary>
public abstract record LineNews
{
    private LineNews()
    {
    }

    /// <summary>The task lives, and counts as alive until then if the line breaks now.</summary>
    public sealed record Alive(DateTimeOffset Until) : LineNews;

    /// <summary>The task has ended. The last that is told.</summary>
    public sealed record Ended : LineNews;

    /// <summary>The holder may no longer act on the task. The last that is told.</summary>
    public sealed record Refused(BrokerError Error) : LineNews;
}

/// <summary>
/// A line that somebody holds to keep a task alive. News waits for its holder, the latest in place of an earlier one: a holder that reads slowly misses signs
/// of life and never the end.
/// </summary>
public sealed class HeldLine : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HeldLines _lines;
    private TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LineNews? _news;
    private bool _over;

    internal HeldLine(HeldLines lines, Caller caller, AgentTask task, DateTimeOffset dueAt)
    {
        _lines = lines;
        Caller = caller;
        Task = task.Id;
        Path = [.. task.Ancestors, task.Id];
        DueAt = dueAt;
    }

    /// <summary>Who holds it.</summary>
    internal Caller Caller { get; }

    /// <summary>The task that it keeps alive.</summary>
    internal Uid Task { get; }

    /// <summary>The task and all above it: it ends with any of them.</summary>
    internal IReadOnlyList<Uid> Path { get; }

    /// <summary>When it is looked at next. Written by looks alone, of which there is one at a time.</summary>
    internal DateTimeOffset DueAt { get; set; }

    /// <summary>Waits for news.</summary>
    public async Task<LineNews> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task told;
            lock (_gate)
            {
                if (_news is { } news)
                {
                    _news = null;
                    return news;
                }

                if (_told.Task.IsCompleted) _told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                told = _told.Task;
            }

            await told.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Lets go of it. The task lives on for its grace.</summary>
    public void Dispose() => _lines.Release(this);

    internal void Tell(LineNews news)
    {
        lock (_gate)
        {
            if (_over) return;
            _news = news;
            _over = news is not LineNews.Alive;
            _told.TrySetResult();
        }
    }
}
