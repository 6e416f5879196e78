using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>A Set: values without order or repetition.</summary>
public sealed class CedarSet : CedarValue
{
    // Below this size a scan beats hashing.
    private const int ScanLimit = 8;

    private readonly HashSet<CedarValue>? _lookup;
    private int _hash; // 0: not computed yet
    private long _weight; // 0: not computed yet

    /// <summary>The set of <paramref name="elements"/>; repeated ones count once.</summary>
    public CedarSet(IEnumerable<CedarValue> elements)
    {
        var all = elements as IReadOnlyList<CedarValue> ?? [.. elements];
        if (all.Count > ScanLimit)
        {
            _lookup = [.. all];
            Elements = [.. _lookup];
        }
        else
        {
            var distinct = ImmutableArray.CreateBuilder<CedarValue>(all.Count);
            foreach (var element in all)
            {
                if (!distinct.Contains(element))
                    distinct.Add(element);
            }
            Elements = distinct.DrainToImmutable();
        }
    }

    /// <summary>The elements, in no order that matters.</summary>
    public ImmutableArray<CedarValue> Elements { get; }

    /// <inheritdoc/>
    public override string TypeName => "Set";

    internal override long Weight
    {
        get
        {
            if (_weight != 0)
                return _weight;
            var weight = 1L;
            foreach (var element in Elements)
                weight += element.Weight;
            return _weight = weight;
        }
    }

    /// <summary>Whether <paramref name="value"/> is an element.</summary>
    public bool Contains(CedarValue value)
    {
        if (_lookup is not null)
            return _lookup.Contains(value);
        foreach (var element in Elements)
        {
            if (element.Equals(value))
                return true;
        }
        return false;
    }

    /// <summary>Whether every element of <paramref name="other"/> is an element of this set.</summary>
    public bool ContainsAll(CedarSet other)
    {
        foreach (var element in other.Elements)
        {
            if (!Contains(element))
                return false;
        }
        return true;
    }

    /// <summary>Whether the sets share an element.</summary>
    public bool ContainsAny(CedarSet other)
    {
        var (small, large) = Elements.Length < other.Elements.Length ? (this, other) : (other, this);
        foreach (var element in small.Elements)
        {
            if (large.Contains(element))
                return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) =>
        ReferenceEquals(this, other) || (other is CedarSet set && set.Elements.Length == Elements.Length && ContainsAll(set));

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        if (_hash != 0)
            return _hash;
        // A sum of mixed hashes: without order, and nothing that nests can be chosen so that it cancels out.
        var sum = 0;
        foreach (var element in Elements)
            sum += HashCode.Combine(17, element.GetHashCode());
        return _hash = HashCode.Combine(Elements.Length, sum);
    }

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Elements)}]";
}
