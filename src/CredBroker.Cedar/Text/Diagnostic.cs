using System.Globalization;
using System.Text;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Something wrong in a text: where, and what.</summary>
/// <param name="Location">The place.</param>
/// <param name="Message">What is wrong, for a person; may quote the text, with control characters escaped.</param>
public sealed record Diagnostic(SourceLocation Location, string Message)
{
    private const int MaxShown = 120;

    /// <summary>How many characters it is about, on its line.</summary>
    public int Length { get; init; } = 1;

    /// <summary><c>file:line:column: message</c>.</summary>
    public override string ToString() => $"{Location}: {Message}";

    /// <summary>The message, below it the line that it is about, and carets under the place.</summary>
    /// <param name="text">The text that was parsed.</param>
    public string Show(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (LineOf(text) is not { } line)
            return ToString();
        // Of a long line only what lies around the place.
        var column = Math.Clamp(Location.Column - 1, 0, line.Length);
        var start = line.Length <= MaxShown ? 0 : Math.Clamp(column - MaxShown / 2, 0, line.Length - MaxShown);
        var (before, shown) = (new StringBuilder(), new StringBuilder());
        for (var i = start; i < Math.Min(line.Length, start + MaxShown); i++)
        {
            var visible = Visible(line[i]);
            shown.Append(visible);
            if (i < column)
                before.Append(' ', visible.Length);
        }
        var number = Location.Line.ToString(CultureInfo.InvariantCulture);
        var carets = new string('^', Math.Clamp(Length, 1, Math.Max(1, Math.Min(line.Length, start + MaxShown) - column)));
        return $"{this}\n {number} | {shown}\n {new string(' ', number.Length)} | {before}{carets}";
    }

    // Nothing that a terminal might obey; a tab is as wide as a space.
    private static string Visible(char c) => c == '\t' ? " " : char.IsSurrogate(c) ? c.ToString() : Quoting.Quote(c.ToString())[1..^1] is ['\\', 'u', ..] escaped ? escaped : c.ToString();

    private string? LineOf(string text)
    {
        var start = 0;
        for (var line = 1; line < Location.Line; line++)
        {
            start = text.IndexOf('\n', start) + 1;
            if (start == 0)
                return null;
        }
        var end = text.IndexOf('\n', start);
        return (end < 0 ? text[start..] : text[start..end]).TrimEnd('\r');
    }
}
