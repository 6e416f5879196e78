using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Schemas;

/// <summary>A type that the validator reasons with. Bool also as what is known to be true or false.</summary>
internal abstract record CedarType
{
    public static readonly CedarType AnyBool = new Bool(null);
    public static readonly CedarType True = new Bool(true);
    public static readonly CedarType False = new Bool(false);
    public static readonly CedarType Number = new Long();
    public static readonly CedarType Text = new String();

    private const int MaxShown = 60;

    private CedarType() { }

    /// <summary>How deep the type nests.</summary>
    public virtual int Depth => 1;

    /// <summary>How many types it is made of when written out.</summary>
    public virtual long Size => 1;

    public sealed record Bool(bool? Known) : CedarType
    {
        public override string ToString() => "Bool";
    }

    public sealed record Long : CedarType
    {
        public override string ToString() => "Long";
    }

    public sealed record String : CedarType
    {
        public override string ToString() => "String";
    }

    public sealed record Entity(string Name) : CedarType
    {
        public override string ToString() => Name;
    }

    public sealed record Set(CedarType Element) : CedarType
    {
        public override int Depth { get; } = Element.Depth + 1;

        public override long Size { get; } = Element.Size + 1;

        public override string ToString() => $"Set<{Element}>";
    }

    public sealed record Extension(string Name) : CedarType
    {
        public override string ToString() => Name;
    }

    public sealed record Record(ImmutableSortedDictionary<string, AttributeType> Attributes) : CedarType
    {
        public static readonly Record Empty = new(ImmutableSortedDictionary.Create<string, AttributeType>(StringComparer.Ordinal));

        public override int Depth { get; } = 1 + Attributes.Values.Select(a => a.Type.Depth).DefaultIfEmpty().Max();

        public override long Size { get; } = 1 + Attributes.Values.Sum(a => a.Type.Size);

        public bool Equals(Record? other) => ReferenceEquals(this, other) || (other is not null && Attributes.SequenceEqual(other.Attributes));

        public override int GetHashCode() => Attributes.Count;

        // In full where a person can read it.
        public override string ToString() => Size > MaxShown ? $"a Record of {Attributes.Count} attributes" :
            $"{{{string.Join(", ", Attributes.Select(a => $"{Names.WriteKey(a.Key)}{(a.Value.IsRequired ? "" : "?")}: {a.Value.Type}"))}}}";
    }

    /// <summary>The smallest type that has both; null if there is none. Strict: entities and records don't widen.</summary>
    public static CedarType? Join(CedarType a, CedarType b)
    {
        if (ReferenceEquals(a, b))
            return a;
        return (a, b) switch
        {
            (Bool x, Bool y) => x.Known == y.Known ? x : AnyBool,
            (Set x, Set y) => Join(x.Element, y.Element) is { } element ? new Set(element) : null,
            (Record x, Record y) => JoinRecords(x, y),
            _ => a == b ? a : null,
        };
    }

    private static Record? JoinRecords(Record a, Record b)
    {
        if (a.Attributes.Count != b.Attributes.Count)
            return null;
        var joined = ImmutableSortedDictionary.CreateBuilder<string, AttributeType>(StringComparer.Ordinal);
        foreach (var (name, mine) in a.Attributes)
        {
            if (!b.Attributes.TryGetValue(name, out var theirs) || mine.IsRequired != theirs.IsRequired || Join(mine.Type, theirs.Type) is not { } type)
                return null;
            joined.Add(name, new AttributeType(type, mine.IsRequired));
        }
        return new Record(joined.ToImmutable());
    }
}

internal readonly record struct AttributeType(CedarType Type, bool IsRequired);
