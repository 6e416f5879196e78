using System.Globalization;
using System.Text.RegularExpressions;

namespace CredBroker.Manifests;

/// <summary>Durations as people write them: <c>90s</c>, <c>15m</c>, <c>1h30m</c>, <c>7d</c>, <c>0.5s</c>.</summary>
public static partial class DurationText
{
    /// <summary>Reads a duration of up to ten years; false when it's none.</summary>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        if (text is null or { Length: 0 or > 32 } || !Parts().IsMatch(text)) return false;
        var total = 0m;
        foreach (var match in Part().EnumerateMatches(text))
        {
            var part = text.AsSpan(match.Index, match.Length);
            var unit = part.EndsWith("ms", StringComparison.Ordinal) ? 2 : 1;
            if (!decimal.TryParse(part[..^unit], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)) return false;
            if (count > 1_000_000_000) return false;
            total += count * (unit == 2 ? 0.001m : part[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 86_400 });
        }

        if (total > 3660m * 86_400m) return false;
        value = TimeSpan.FromTicks((long)(total * TimeSpan.TicksPerSecond));
        return true;
    }

    [GeneratedRegex(@"\A(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+(?:\.[0-9]{1,9})?s)?(?:[0-9]+ms)?\z")]
    private static partial Regex Parts();

    [GeneratedRegex(@"[0-9.]+(?:ms|[dhms])")]
    private static partial Regex Part();
}
