using System.Collections.Concurrent;

namespace CredBroker.Providers.Vault.Children;

/// <summary>
/// Names are not unique at this target, so that it cannot refuse one that is taken. The broker never uses a name twice; this is the second lock on the same
/// door. A name need be remembered only until the deadline of its call, after which every call under it is refused anyway.
/// </summary>
internal sealed class UsedNames(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _until = new(StringComparer.Ordinal);

    /// <summary>Takes the name; false if it is taken.</summary>
    public bool TryUse(string name, DateTimeOffset deadline)
    {
        Prune();
        return _until.TryAdd(name, deadline);
    }

    /// <summary>Takes the name from whoever would still come.</summary>
    public void Close(string name, DateTimeOffset? until)
    {
        if (until is { } end) _until[name] = end;
    }

    private void Prune()
    {
        var now = time.GetUtcNow();
        foreach (var (name, until) in _until)
            if (until < now) _until.TryRemove(KeyValuePair.Create(name, until));
    }
}
