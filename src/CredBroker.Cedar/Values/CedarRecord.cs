using System.Diagnostics.CodeAnalysis;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>A Record: values by name.</summary>
public sealed class CedarRecord : CedarValue
{
    /// <summary>The record without attributes.</summary>
    public static readonly CedarRecord Empty = new(new Dictionary<string, CedarValue>(StringComparer.Ordinal));

    private readonly Dictionary<string, CedarValue> _attributes;
    private int _hash; // 0: not computed yet
    private long _weight; // 0: not computed yet

    private CedarRecord(Dictionary<string, CedarValue> attributes) => _attributes = attributes;

    /// <summary>The attributes, in no order that matters.</summary>
    public IReadOnlyDictionary<string, CedarValue> Attributes => _attributes;

    /// <inheritdoc/>
    public override string TypeName => "Record";

    internal override long Weight
    {
        get
        {
            if (_weight != 0)
                return _weight;
            var weight = 1L;
            foreach (var (name, value) in _attributes)
                weight += 1 + name.Length / 64 + value.Weight;
            return _weight = weight;
        }
    }

    /// <summary>A record of the given attributes: <c>CedarRecord.Of(("a", 1), ("b", "x"))</c>.</summary>
    /// <exception cref="ArgumentException">A name is given twice.</exception>
    public static CedarRecord Of(params ReadOnlySpan<(string Name, CedarValue Value)> attributes)
    {
        var result = new Dictionary<string, CedarValue>(attributes.Length, StringComparer.Ordinal);
        foreach (var (name, value) in attributes)
            result.Add(name, value);
        return new CedarRecord(result);
    }

    /// <summary>A record of the given attributes.</summary>
    /// <exception cref="ArgumentException">A name is given twice.</exception>
    public static CedarRecord Create(IEnumerable<KeyValuePair<string, CedarValue>> attributes)
    {
        var result = new Dictionary<string, CedarValue>(StringComparer.Ordinal);
        foreach (var (name, value) in attributes)
            result.Add(name, value);
        return new CedarRecord(result);
    }

    /// <summary>The value of an attribute, if the record has it.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out CedarValue? value) => _attributes.TryGetValue(name, out value);

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is not CedarRecord record || record._attributes.Count != _attributes.Count)
            return false;
        foreach (var (name, value) in _attributes)
        {
            if (!record._attributes.TryGetValue(name, out var theirs) || !value.Equals(theirs))
                return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        if (_hash != 0)
            return _hash;
        var sum = 0;
        foreach (var (name, value) in _attributes)
            sum += HashCode.Combine(name.GetHashCode(StringComparison.Ordinal), value);
        return _hash = HashCode.Combine(19, _attributes.Count, sum);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{{{string.Join(", ", _attributes.OrderBy(a => a.Key, StringComparer.Ordinal)
        .Select(a => $"{Names.WriteKey(a.Key)}: {a.Value}"))}}}";
}
