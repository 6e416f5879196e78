using System.Text;
using System.Text.RegularExpressions;

namespace CredBroker.Manifests.Yaml;

/// <summary>How a text is written in YAML, and what a plain scalar means.</summary>
internal static partial class YamlText
{
    // Plain words that other readers of YAML take for booleans, nulls or numbers are quoted by us and refused without quotes.
    private static readonly HashSet<string> Ambiguous = new(StringComparer.OrdinalIgnoreCase)
        { "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", "-.inf", "+.inf", ".nan", "=", "<<" };

    /// <summary>Whether a plain scalar means different things to different readers, and isn't one of JSON's own words.</summary>
    public static bool IsAmbiguous(string plain) =>
        plain is not ("null" or "true" or "false") && (Ambiguous.Contains(plain) || (LooksNumeric().IsMatch(plain) && !IsNumber(plain)));

    /// <summary>Whether a plain scalar is a number as JSON writes them.</summary>
    public static bool IsNumber(string plain) => JsonNumber().IsMatch(plain);

    /// <summary>Text as a scalar in one line: plain where nobody could read it as something else, else in double quotes.</summary>
    public static string Quote(string text)
    {
        if (PlainWord().IsMatch(text) && !Ambiguous.Contains(text) && !LooksNumeric().IsMatch(text)) return text;
        var quoted = new StringBuilder("\"", text.Length + 8);
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var whole = Rune.DecodeFromUtf16(rest, out var rune, out var used) == System.Buffers.OperationStatus.Done;
            if (rune.Value is '"' or '\\') quoted.Append('\\').Append((char)rune.Value);
            else if (rune.Value == '\n') quoted.Append("\\n");
            else if (rune.Value == '\t') quoted.Append("\\t");
            else if (whole && SafeText.IsPlain(rune)) quoted.Append(rest[..used]);
            else if (whole && used == 2) quoted.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
            else SafeText.AppendEscaped(quoted, rest[..used]);
            rest = rest[used..];
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Whether a text of several lines can be written as it is below a <c>|</c>.</summary>
    public static bool FitsBlock(string text)
    {
        if (!text.TrimEnd('\n').Contains('\n', StringComparison.Ordinal)) return false;
        // A first line that begins with a space or is empty would need an indentation indicator; trailing spaces don't show.
        if (text[0] is ' ' or '\n' or '\t') return false;
        foreach (var line in text.Split('\n'))
        {
            if (line.EndsWith(' ') || line.Contains('\t', StringComparison.Ordinal) && line.Trim(' ', '\t').Length == 0) return false;
            foreach (var rune in line.EnumerateRunes())
            {
                if (rune.Value != '\t' && (rune == Rune.ReplacementChar || !SafeText.IsPlain(rune))) return false;
            }
        }

        return true;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*\z", RegexOptions.NonBacktracking)]
    private static partial Regex PlainWord();

    [GeneratedRegex(@"\A-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z", RegexOptions.NonBacktracking)]
    private static partial Regex JsonNumber();

    // Octal, hexadecimal, binary, sexagesimal, underscored and dated numbers, and everything near them.
    [GeneratedRegex(@"\A[+-]?\.?[0-9][0-9A-Fa-fxobXOB_.:eETZ+-]*\z", RegexOptions.NonBacktracking)]
    private static partial Regex LooksNumeric();
}
