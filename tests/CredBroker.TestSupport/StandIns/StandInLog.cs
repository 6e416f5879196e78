namespace CredBroker.TestSupport.StandIns;

/// <summary>Every request that reached a stand-in, in its order: round trips are counted here. Safe for concurrent use.</summary>
public sealed class StandInLog
{
    private readonly Lock _lock = new();
    private readonly List<StandInRequest> _requests = [];

    /// <summary>How many there were.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _requests.Count;
        }
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<StandInRequest> All => Since(0);

    /// <summary>Those after the first so many: take <see cref="Count"/> before what is measured.</summary>
    public IReadOnlyList<StandInRequest> Since(int count)
    {
        lock (_lock) return [.. _requests.Skip(count)];
    }

    /// <summary>One line for each since then, as <c>POST /path</c>.</summary>
    public IReadOnlyList<string> Lines(int since = 0) => [.. Since(since).Select(request => $"{request.Method} {request.Path}")];

    internal void Add(StandInRequest request)
    {
        lock (_lock) _requests.Add(request);
    }
}
