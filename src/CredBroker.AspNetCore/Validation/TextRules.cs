using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using CredBroker.Contracts.V1;

namespace CredBroker.AspNetCore.Validation;

/// <summary>What the contract's rules say about one piece of text.</summary>
internal static class TextRules
{
    private static readonly ConcurrentDictionary<string, Regex> Patterns = new(StringComparer.Ordinal);

    /// <summary>What is wrong with the text, in words that never repeat it; null if nothing is.</summary>
    public static string? Fault(string text, Rules rules)
    {
        // Cheap first: a text that is far too long isn't looked at.
        if (rules.MaxLen > 0 && text.Length > rules.MaxLen * 2) return TooLong(rules);
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            length++;
            if (rune.Value == 0xFFFD && !text.Contains('\uFFFD')) return "It holds half of a surrogate pair.";
            if (!Printable.IsAllowed(rune, rules.Characters == Rules.Types.Characters.Lines))
                return string.Create(CultureInfo.InvariantCulture, $"The character U+{rune.Value:X4} at position {length} is not allowed.");
        }

        if (rules.MaxLen > 0 && length > rules.MaxLen) return TooLong(rules);
        if (length < rules.MinLen) return string.Create(CultureInfo.InvariantCulture, $"It needs at least {rules.MinLen} characters.");
        return rules.Pattern.Length > 0 && !PatternOf(rules.Pattern).IsMatch(text) ? $"It does not have the form {rules.Pattern}." : null;
    }

    private static string TooLong(Rules rules) => string.Create(CultureInfo.InvariantCulture, $"It has more than {rules.MaxLen} characters.");

    // Anchored on both sides of every branch; without backtracking, so that no text takes long.
    private static Regex PatternOf(string pattern) => Patterns.GetOrAdd(
        pattern, static p => new Regex($@"\A(?:{p})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture));
}
