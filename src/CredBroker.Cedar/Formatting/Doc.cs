using System.Collections.Immutable;

namespace CredBroker.Cedar.Formatting;

/// <summary>A text whose line breaks are still open. A group is laid out on one line if it fits, else each of its own lines breaks.</summary>
internal abstract record Doc
{
    /// <summary>A space, or a break.</summary>
    public static readonly Doc SpaceOrBreak = new Line(" ");

    /// <summary>Nothing, or a break.</summary>
    public static readonly Doc NothingOrBreak = new Line("");

    /// <summary>Always a break.</summary>
    public static readonly Doc Break = new HardLine();

    private Doc() { }

    public static Doc Of(params ImmutableArray<Doc> parts) => new Sequence(parts);

    public sealed record Text(string Value) : Doc;

    public sealed record Line(string Flat) : Doc;

    public sealed record HardLine : Doc;

    /// <summary>A comment: it ends its line, whatever follows.</summary>
    /// <param name="Value">From the two slashes on.</param>
    /// <param name="IsOwnLine">Whether it starts a line of its own.</param>
    /// <param name="IsApart">Whether an empty line comes before.</param>
    public sealed record Comment(string Value, bool IsOwnLine, bool IsApart) : Doc;

    public sealed record Sequence(ImmutableArray<Doc> Parts) : Doc;

    public sealed record Nested(Doc Body) : Doc;

    public sealed record Group(Doc Body) : Doc;
}
