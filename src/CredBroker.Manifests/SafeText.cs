using System.Globalization;
using System.Text;

namespace CredBroker.Manifests;

/// <summary>
/// Text that others wrote, made safe for a terminal or a log: control characters (escape sequences), bidirectional and invisible
/// format characters, separators and halves of surrogate pairs are shown as escapes such as <c>\u001b</c>.
/// </summary>
public static class SafeText
{
    /// <summary>One line: line feeds and tabs are escaped too.</summary>
    public static string Line(string text) => Escape(text, lines: false);

    /// <summary>Text of many lines: line feeds and tabs stay.</summary>
    public static string Lines(string text) => Escape(text, lines: true);

    /// <summary>Whether a character can be shown as it is.</summary>
    public static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate => false,
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => false,
        // Spaces that can't be told from a plain one, and fillers and selectors that show nothing.
        UnicodeCategory.SpaceSeparator => rune.Value == ' ',
        _ => rune.Value is not (0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x3164 or 0xFFA0) and not (>= 0xFE00 and <= 0xFE0F) and not (>= 0xE0100 and <= 0xE01EF),
    };

    /// <summary>Appends a character as UTF-16 escapes, as JSON and YAML in double quotes read them.</summary>
    internal static void AppendEscaped(StringBuilder into, ReadOnlySpan<char> utf16)
    {
        foreach (var unit in utf16) into.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
    }

    private static string Escape(string text, bool lines)
    {
        ArgumentNullException.ThrowIfNull(text);
        StringBuilder? escaped = null;
        var rest = text.AsSpan();
        var done = 0;
        while (!rest.IsEmpty)
        {
            var whole = Rune.DecodeFromUtf16(rest, out var rune, out var used) == System.Buffers.OperationStatus.Done;
            var plain = whole && (IsPlain(rune) || (lines && rune.Value is '\n' or '\t'));
            if (!plain && escaped is null) escaped = new StringBuilder(text, 0, done, text.Length + 16);
            if (!plain) AppendReadable(escaped!, rest[..used]);
            else escaped?.Append(rest[..used]);
            rest = rest[used..];
            done += used;
        }

        return escaped?.ToString() ?? text;
    }

    private static void AppendReadable(StringBuilder into, ReadOnlySpan<char> utf16)
    {
        if (utf16 is "\n") into.Append("\\n");
        else if (utf16 is "\r") into.Append("\\r");
        else if (utf16 is "\t") into.Append("\\t");
        else AppendEscaped(into, utf16);
    }
}
