namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>
/// What a batch adds to counters, kept together until it commits: a hundred leases of one workload change its counter once. Values are those of the database,
/// whose rows the batch holds locked, and what the batch has added.
/// </summary>
internal sealed class PendingCounters
{
    private readonly Dictionary<string, long> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _added = new(StringComparer.Ordinal);
    private readonly List<(string Key, long By)> _journal = [];

    /// <summary>Where an intention begins.</summary>
    public int Mark => _journal.Count;

    /// <summary>What is to be written, in the order of keys.</summary>
    public IEnumerable<(string Key, long By)> Changes => _added.Where(pair => pair.Value != 0).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value));

    /// <summary>Whether the database's value was read.</summary>
    public bool Knows(string key) => _stored.ContainsKey(key);

    /// <summary>The database has this.</summary>
    public void Stored(string key, long value) => _stored[key] = value;

    /// <summary>The value as the batch leaves it so far.</summary>
    public long ValueOf(string key) => _stored.GetValueOrDefault(key) + _added.GetValueOrDefault(key);

    /// <summary>Adds, or takes away.</summary>
    public void Add(string key, long by)
    {
        _added[key] = _added.GetValueOrDefault(key) + by;
        _journal.Add((key, by));
    }

    /// <summary>Forgets what an intention added since.</summary>
    public void Return(int mark)
    {
        for (var i = _journal.Count - 1; i >= mark; i--) _added[_journal[i].Key] -= _journal[i].By;
        _journal.RemoveRange(mark, _journal.Count - mark);
    }

    /// <summary>Forgets everything: the next batch reads again.</summary>
    public void Clear()
    {
        _stored.Clear();
        _added.Clear();
        _journal.Clear();
    }
}
