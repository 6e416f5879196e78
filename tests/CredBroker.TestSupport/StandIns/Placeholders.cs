using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace CredBroker.TestSupport.StandIns;

/// <summary>
/// The values behind a recording's <c>&lt;kind:name&gt;</c>: given by the test, or learned when one first stands in an answer, and from then on the same.
/// </summary>
internal sealed partial class Placeholders
{
    // They differ from one answer to the next even in the recorded system, so that only their form is compared unless the test gave a value.
    private static readonly HashSet<string> Free = ["time", "unix", "date", "signature"];
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);

    /// <summary>Asked for a placeholder that a request needs and that has no value yet.</summary>
    public Func<string, string?> Supply { get; set; } = _ => null;

    /// <summary>The placeholder that is all of this text; null if it is none, or not all.</summary>
    public static string? Whole(string text) => Pattern().Match(text) is { Success: true } match && match.Length == text.Length ? match.Value[1..^1] : null;

    /// <summary>The kind of a placeholder.</summary>
    public static string KindOf(string placeholder) => placeholder[..placeholder.IndexOf(':', StringComparison.Ordinal)];

    public void Give(string placeholder, string value)
    {
        _values[placeholder] = value;
        _given.Add(placeholder);
    }

    public bool TryGet(string placeholder, out string value) => _values.TryGetValue(placeholder, out value!);

    /// <summary>The text with the values put in.</summary>
    public string Fill(string text, Func<string, string>? escape = null) =>
        Pattern().Replace(text, match => escape is null ? ValueOf(match.Value[1..^1]) : escape(ValueOf(match.Value[1..^1])));

    /// <summary>The text with the values put in as far as there are any.</summary>
    public string TryFill(string text) => Pattern().Replace(text, match => _values.GetValueOrDefault(match.Value[1..^1], match.Value));

    /// <summary>Whether the text is what was recorded, and what it teaches about placeholders that had no value.</summary>
    public bool Matches(string recorded, string actual)
    {
        if (Whole(recorded) is { } only && KindOf(only) == "time" && !IsTime(actual)) return false;
        var pattern = new StringBuilder(@"\A");
        var learned = new List<string>();
        var at = 0;
        foreach (Match match in Pattern().Matches(recorded))
        {
            pattern.Append(Regex.Escape(recorded[at..match.Index]));
            pattern.Append(PatternFor(match.Value[1..^1], learned));
            at = match.Index + match.Length;
        }

        pattern.Append(Regex.Escape(recorded[at..])).Append(@"\z");
        var found = Regex.Match(actual, pattern.ToString(), RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5));
        if (!found.Success) return false;
        for (var i = 0; i < learned.Count; i++) _values[learned[i]] = found.Groups[$"p{i}"].Value;
        return true;
    }

    private string PatternFor(string placeholder, List<string> learned)
    {
        if (_values.TryGetValue(placeholder, out var value) && (_given.Contains(placeholder) || !Free.Contains(KindOf(placeholder))))
            return value == Uri.EscapeDataString(value) ? Regex.Escape(value) : $"(?:{Regex.Escape(value)}|{Regex.Escape(Uri.EscapeDataString(value))})";
        var seen = learned.IndexOf(placeholder);
        if (seen >= 0) return $@"\k<p{seen}>";
        learned.Add(placeholder);
        var form = KindOf(placeholder) == "uuid" ? "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}" : ".+?";
        return $"(?<p{learned.Count - 1}>{form})";
    }

    private string ValueOf(string placeholder)
    {
        if (_values.TryGetValue(placeholder, out var value)) return value;
        Give(placeholder, Supply(placeholder) ?? throw new InvalidOperationException($"The request needs <{placeholder}>, which no answer held before and the test did not give."));
        return _values[placeholder];
    }

    private static bool IsTime(string text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _);

    [GeneratedRegex(@"<(?:[a-z][a-z0-9-]*):(?:[^<>\s""/]+)>")]
    public static partial Regex Pattern();
}
