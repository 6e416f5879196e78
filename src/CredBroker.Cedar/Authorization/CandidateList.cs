using System.Buffers;

namespace CredBroker.Cedar;

/// <summary>Positions of policies, gathered without allocation while they are few.</summary>
internal ref struct CandidateList(Span<int> initial)
{
    private Span<int> _items = initial;
    private int[]? _rented;
    private int _count;

    public void Add(ReadOnlySpan<int> positions)
    {
        if (_count + positions.Length > _items.Length)
            Grow(_count + positions.Length);
        positions.CopyTo(_items[_count..]);
        _count += positions.Length;
    }

    /// <summary>The positions in ascending order, each once.</summary>
    public ReadOnlySpan<int> ToOrdered()
    {
        var all = _items[.._count];
        if (IsAscending(all))
            return all;
        all.Sort();
        var distinct = 1;
        for (var i = 1; i < all.Length; i++)
        {
            if (all[i] != all[distinct - 1])
                all[distinct++] = all[i];
        }
        return all[..distinct];
    }

    public readonly void Dispose()
    {
        if (_rented is not null)
            ArrayPool<int>.Shared.Return(_rented);
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<int>.Shared.Rent(Math.Max(needed, _items.Length * 2));
        _items[.._count].CopyTo(larger);
        if (_rented is not null)
            ArrayPool<int>.Shared.Return(_rented);
        _items = _rented = larger;
    }

    private static bool IsAscending(ReadOnlySpan<int> all)
    {
        for (var i = 1; i < all.Length; i++)
        {
            if (all[i] <= all[i - 1])
                return false;
        }
        return true;
    }
}
