using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Something that a policy reads: a variable, or what lies under it, such as <c>context.task.intent</c>.</summary>
/// <param name="Root">The variable.</param>
/// <param name="Names">The attributes from there; none if the whole of the variable is read.</param>
public sealed record AttributePath(Variable Root, ImmutableArray<string> Names)
{
    /// <summary>Whether the two overlap: one is the other, or lies under it. What is read includes all that lies under it.</summary>
    public bool Overlaps(AttributePath other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var common = Math.Min(Names.Length, other.Names.Length);
        return Root == other.Root && Names.AsSpan(0, common).SequenceEqual(other.Names.AsSpan(0, common));
    }

    /// <summary>The path that a text such as <c>context.task.intent</c> names.</summary>
    /// <exception cref="ArgumentException">It doesn't start with a variable.</exception>
    public static AttributePath Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var names = text.Split('.');
        foreach (var root in Enum.GetValues<Variable>())
        {
            if (VariableExpr.NameOf(root) == names[0])
                return new AttributePath(root, [.. names.Skip(1)]);
        }
        throw new ArgumentException($"{Quoting.Quote(text)} starts with no variable", nameof(text));
    }

    /// <inheritdoc/>
    public bool Equals(AttributePath? other) => other is not null && Root == other.Root && Names.AsSpan().SequenceEqual(other.Names.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Names.Aggregate((int)Root, (hash, name) => HashCode.Combine(hash, name));

    /// <inheritdoc/>
    public override string ToString() => Names.Aggregate(VariableExpr.NameOf(Root), GetAttributeExpr.Write);
}
