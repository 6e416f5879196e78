using System.Globalization;
using System.Text;

namespace CredBroker.Cedar.Text;

/// <summary>Strings as Cedar writes them: Rust's escapes, and <c>\*</c> for a star in a pattern.</summary>
internal static class Quoting
{
    /// <summary>A string literal that reads back as <paramref name="value"/>. Whatever a terminal might obey is escaped.</summary>
    public static string Quote(string value) => Quote(value, starIsEscaped: false);

    public static string Quote(string value, bool starIsEscaped)
    {
        var text = new StringBuilder("\"");
        AppendEscaped(text, value, starIsEscaped);
        return text.Append('"').ToString();
    }

    public static void AppendEscaped(StringBuilder text, string value, bool starIsEscaped)
    {
        foreach (var rune in value.EnumerateRunes())
        {
            if (rune.Value == '"')
                text.Append("\\\"");
            else if (rune.Value == '\\')
                text.Append("\\\\");
            else if (rune.Value == '\n')
                text.Append("\\n");
            else if (rune.Value == '\r')
                text.Append("\\r");
            else if (rune.Value == '\t')
                text.Append("\\t");
            else if (rune.Value == '*' && starIsEscaped)
                text.Append("\\*");
            else if (NeedsEscape(rune))
                text.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            else
                text.Append(rune.ToString());
        }
    }

    private static bool NeedsEscape(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;

    /// <summary>Reads the inside of a string literal.</summary>
    /// <param name="raw">What stands between the quotes.</param>
    /// <param name="pieces">The text between unescaped stars; one piece when <paramref name="isPattern"/> is false.</param>
    /// <param name="isPattern">Whether <c>*</c> is a wildcard and <c>\*</c> a star.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? Unescape(ReadOnlySpan<char> raw, bool isPattern, List<string> pieces)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] == '\r')
                return "a bare carriage return must be written \\r";
            if (raw[i] == '*' && isPattern)
            {
                pieces.Add(text.ToString());
                text.Clear();
                continue;
            }
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            if (ReadEscape(raw, ref i, isPattern, text) is { } error)
                return error;
        }
        pieces.Add(text.ToString());
        return null;
    }

    private static string? ReadEscape(ReadOnlySpan<char> raw, ref int i, bool isPattern, StringBuilder text)
    {
        i++;
        var c = i < raw.Length ? raw[i] : '\0';
        char? simple = c switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '\\' => '\\',
            '0' => '\0',
            '\'' => '\'',
            '"' => '"',
            '*' when isPattern => '*',
            _ => null,
        };
        if (simple is { } value)
            text.Append(value);
        else if (c == 'x')
            return ReadHex(raw, ref i, text);
        else if (c == 'u')
            return ReadUnicode(raw, ref i, text);
        else
            return $"the escape \\{(char.IsControl(c) ? "" : c.ToString())} is unknown";
        return null;
    }

    private static string? ReadHex(ReadOnlySpan<char> raw, ref int i, StringBuilder text)
    {
        if (i + 2 >= raw.Length || !char.IsAsciiHexDigit(raw[i + 1]) || !char.IsAsciiHexDigit(raw[i + 2]))
            return "\\x must be followed by two hexadecimal digits";
        var value = int.Parse(raw.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (value > 0x7f)
            return "\\x must be at most 7f; use \\u{…}";
        text.Append((char)value);
        i += 2;
        return null;
    }

    private static string? ReadUnicode(ReadOnlySpan<char> raw, ref int i, StringBuilder text)
    {
        const string Wrong = "\\u must be followed by one to six hexadecimal digits in braces";
        var close = i + 1 < raw.Length && raw[i + 1] == '{' ? raw[(i + 2)..].IndexOf('}') : -1;
        if (close <= 0 || raw[i + 2] == '_')
            return Wrong;
        var digits = raw.Slice(i + 2, close).ToString().Replace("_", "", StringComparison.Ordinal);
        if (digits.Length is 0 or > 6 || !digits.All(char.IsAsciiHexDigit))
            return Wrong;
        var value = int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (!Rune.IsValid(value))
            return $"\\u{{{digits}}} is no Unicode character";
        text.Append(new Rune(value).ToString());
        i += close + 2;
        return null;
    }
}
