namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>The names that this process has opened sessions under, while those may live.</summary>
internal sealed class NamesTaken(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _names = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _ends = new();

    public bool TryTake(string name, DateTimeOffset until)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            while (_ends.TryPeek(out var ended, out var end) && end <= now) _names.Remove(_ends.Dequeue());
            if (!_names.TryAdd(name, until)) return false;
            _ends.Enqueue(name, until);
            return true;
        }
    }
}
