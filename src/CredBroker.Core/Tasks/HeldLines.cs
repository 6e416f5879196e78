using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Tasks;

/// <summary>
/// The lines that are held on this node. An end that this node makes is told at once; one that another makes is found by the next look, within the task's own
/// interval and ten seconds at most. A look asks for the tasks of all lines that are due, and writes their signs of life, a batch at a time: what ten thousand
/// lines cost the database is counted in batches.
/// </summary>
public sealed class HeldLines(ITaskStore tasks, TaskAccess access, BrokerLimits limits, TimeProvider time)
{
    /// <summary>How many lines of one task a node holds: one is enough, and a few more may not have noticed that they broke.</summary>
    public const int MostPerTask = 8;

    private const int Batch = 500;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private readonly Dictionary<Uid, HashSet<HeldLine>> _byTask = [];
    private readonly HashSet<HeldLine> _all = [];

    /// <summary>How many are held.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _all.Count;
        }
    }

    /// <summary>Takes a line up for a task that promised heartbeats, whose first sign of life it is. Its first news is there already.</summary>
    public async Task<Result<HeldLine>> HoldAsync(Caller caller, Uid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var found = await access.ToActAsync(caller, id, cancellationToken);
        if (found is not Result<AgentTask>.Ok { Value: var task }) return ((Result<AgentTask>.Refused)found).Error;
        if (task.OverAt(time.Now())) return Errors.TaskOver;
        if (task.HeartbeatInterval is null) return Errors.NoHeartbeats;
        var line = new HeldLine(this, caller, task, time.Now());
        if (!TryAdd(line)) return Errors.Quota(new QuotaCharge("", MostPerTask, "lines held for this task on this node"));
        try
        {
            // From here on an end of this node is told. One that came before is found now.
            await LookAsync([line], cancellationToken);
            return line;
        }
        catch
        {
            line.Dispose();
            throw;
        }
    }

    /// <summary>Tells all who hold a line of this task, or of one below it, that it has ended.</summary>
    public void Ended(Uid task)
    {
        foreach (var line in Select(() => _byTask.GetValueOrDefault(task))) line.Tell(new LineNews.Ended());
    }

    /// <summary>Looks at all lines that are due: one call at a time. Answers when the next one is.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        // A line whose token has expired sends no more signs of life; its holder lets go of it.
        foreach (var batch in Select(() => _all).Where(line => line.DueAt <= now && line.Caller.Identity.ExpiresAt > now).Chunk(Batch)) await LookAsync(batch, cancellationToken);
        return Select(() => _all).Select(line => line.DueAt).Where(due => due > now).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
    }

    internal void Release(HeldLine line)
    {
        lock (_gate)
        {
            _all.Remove(line);
            foreach (var task in line.Path)
                if (_byTask.TryGetValue(task, out var lines) && lines.Remove(line) && lines.Count == 0) _byTask.Remove(task);
        }
    }

    private async Task LookAsync(IReadOnlyList<HeldLine> lines, CancellationToken cancellationToken)
    {
        var query = new TaskQuery { Among = [.. lines.Select(line => line.Task).Distinct()] };
        var found = (await tasks.ListAsync(query, new PageRequest(Batch, null), cancellationToken)).Items.ToDictionary(task => task.Id);
        var now = time.Now();
        var signs = new Dictionary<Uid, SignOfLife>();
        var news = new List<(HeldLine Line, LineNews News)>();
        foreach (var line in lines) news.Add((line, await NewsOfAsync(line, found.GetValueOrDefault(line.Task), now, signs, cancellationToken)));
        if (signs.Count > 0) await tasks.KeepAliveAsync([.. signs.Values], cancellationToken);
        foreach (var (line, told) in news)
        {
            if (found.TryGetValue(line.Task, out var task)) line.DueAt = now + PauseOf(task);
            line.Tell(told);
        }
    }

    private async Task<LineNews> NewsOfAsync(HeldLine line, AgentTask? task, DateTimeOffset now, Dictionary<Uid, SignOfLife> signs, CancellationToken cancellationToken)
    {
        if (task is null || task.OverAt(now) || task.HeartbeatInterval is not { } interval) return new LineNews.Ended();
        if (await access.ToActAsync(line.Caller, task, cancellationToken) is Result<AgentTask>.Refused { Error: var error }) return new LineNews.Refused(error);
        var (aliveUntil, isNew) = limits.SignOfLife(task, interval, now);
        if (isNew) signs[task.Id] = new SignOfLife(task.Id, aliveUntil);
        return new LineNews.Alive(aliveUntil);
    }

    private static TimeSpan PauseOf(AgentTask task) => task.HeartbeatInterval < LongestPause ? task.HeartbeatInterval.Value : LongestPause;

    private bool TryAdd(HeldLine line)
    {
        lock (_gate)
        {
            if (_byTask.TryGetValue(line.Task, out var own) && own.Count(other => other.Task == line.Task) >= MostPerTask) return false;
            _all.Add(line);
            foreach (var task in line.Path)
            {
                if (!_byTask.TryGetValue(task, out var lines)) _byTask[task] = lines = [];
                lines.Add(line);
            }

            return true;
        }
    }

    private List<HeldLine> Select(Func<IEnumerable<HeldLine>?> lines)
    {
        lock (_gate) return [.. lines() ?? []];
    }
}
