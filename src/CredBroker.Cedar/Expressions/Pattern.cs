using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Expressions;

/// <summary>What <c>like</c> matches: pieces of text with anything between them.</summary>
public sealed class Pattern
{
    private readonly long _costPerCharacter;

    internal Pattern(ImmutableArray<string> pieces)
    {
        Pieces = pieces;
        // In the worst case each piece is tried at each place of the text.
        _costPerCharacter = pieces.Sum(p => 1L + p.Length / 32);
    }

    /// <summary>The text between the wildcards: one more piece than there are wildcards. Pieces may be empty.</summary>
    public ImmutableArray<string> Pieces { get; }

    /// <summary>Whether the whole text fits.</summary>
    public bool Matches(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (first, last) = (Pieces[0], Pieces[^1]);
        if (Pieces.Length == 1)
            return string.Equals(text, first, StringComparison.Ordinal);
        if (text.Length < first.Length + last.Length)
            return false;
        if (!text.StartsWith(first, StringComparison.Ordinal) || !text.EndsWith(last, StringComparison.Ordinal))
            return false;
        // Between the fixed ends the leftmost place of each piece is as good as any other.
        var middle = text.AsSpan(first.Length, text.Length - first.Length - last.Length);
        for (var i = 1; i < Pieces.Length - 1; i++)
        {
            var place = middle.IndexOf(Pieces[i], StringComparison.Ordinal);
            if (place < 0)
                return false;
            middle = middle[(place + Pieces[i].Length)..];
        }
        return true;
    }

    /// <summary>How many steps matching the text takes at most.</summary>
    internal long CostOf(string text) => text.Length / 64 * _costPerCharacter;

    /// <summary>The pattern as a Cedar string.</summary>
    public override string ToString() => $"\"{string.Join('*', Pieces.Select(p => Quoting.Quote(p, starIsEscaped: true)[1..^1]))}\"";
}
