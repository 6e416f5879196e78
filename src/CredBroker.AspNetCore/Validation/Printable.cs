using System.Globalization;
using System.Text;

namespace CredBroker.AspNetCore.Validation;

/// <summary>Untrusted text on its way into messages that people read in terminals, logs and browsers.</summary>
public static class Printable
{
    /// <summary>The text in quotes, cut, with everything escaped that could act on what shows it.</summary>
    public static string Quote(string text, int most = 64)
    {
        ArgumentNullException.ThrowIfNull(text);
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes().Take(most))
        {
            if (rune.Value is '"' or '\\') quoted.Append('\\').Append((char)rune.Value);
            else if (IsHarmless(rune)) quoted.Append(rune);
            else quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}");
        }

        return quoted.Append(text.Length > most ? "…\"" : "\"").ToString();
    }

    /// <summary>Whether a line may hold the character: see <c>Rules.Characters</c>.</summary>
    public static bool IsAllowed(Rune rune, bool lines) => rune.Value switch
    {
        '\n' or '\r' or '\t' => lines,
        < 0x20 or (>= 0x7F and <= 0x9F) => false,
        0x2028 or 0x2029 => false,
        (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => false,
        >= 0xE0000 and <= 0xE007F => false,
        0xFEFF or 0xFFFE or 0xFFFF => false,
        _ => true,
    };

    private static bool IsHarmless(Rune rune) => IsAllowed(rune, lines: false) && Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
