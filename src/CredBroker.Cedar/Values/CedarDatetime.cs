using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace CredBroker.Cedar;

/// <summary>A <c>datetime</c>: milliseconds since 1970-01-01T00:00:00Z, without leap seconds. Reaches beyond <see cref="DateTimeOffset"/>.</summary>
/// <param name="milliseconds">Milliseconds since the epoch.</param>
public sealed partial class CedarDatetime(long milliseconds) : CedarValue
{
    internal const long MillisecondsPerDay = 86_400_000;

    /// <summary>Milliseconds since 1970-01-01T00:00:00Z.</summary>
    public long Milliseconds { get; } = milliseconds;

    /// <inheritdoc/>
    public override string TypeName => "datetime";

    /// <summary>The instant, cut to whole milliseconds.</summary>
    public static CedarDatetime From(DateTimeOffset instant) => new(instant.ToUnixTimeMilliseconds());

    /// <summary>
    /// Reads <c>YYYY-MM-DD</c>, or that with <c>Thh:mm:ss</c>, optionally <c>.SSS</c>, and <c>Z</c> or <c>±hhmm</c> (Cedar RFC 80).
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CedarDatetime? value)
    {
        value = null;
        var match = Form().Match(text);
        if (!match.Success)
            return false;
        int Part(string name) => match.Groups[name] is { Success: true, ValueSpan: var digits } ? int.Parse(digits, CultureInfo.InvariantCulture) : 0;
        var (year, month, day) = (Part("year"), Part("month"), Part("day"));
        if (month is < 1 or > 12 || day < 1 || day > DaysIn(year, month))
            return false;
        if (Part("hour") > 23 || Part("minute") > 59 || Part("second") > 59 || Part("offsetHours") > 23 || Part("offsetMinutes") > 59)
            return false;
        var seconds = (DaysSinceEpoch(year, month, day) * 24 + Part("hour")) * 3600 + Part("minute") * 60 + Part("second");
        var offset = (Part("offsetHours") * 60 + Part("offsetMinutes")) * 60;
        seconds += match.Groups["sign"].ValueSpan is "-" ? offset : -offset;
        value = new CedarDatetime(seconds * 1000 + Part("millisecond"));
        return true;
    }

    [GeneratedRegex(@"\A(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})(T(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(\.(?<millisecond>[0-9]{3}))?(Z|(?<sign>[+-])(?<offsetHours>[0-9]{2})(?<offsetMinutes>[0-9]{2})))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();

    private static int DaysIn(int year, int month) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    // The framework's calendar starts at year 1; Cedar has a year 0. Years are counted from March, so that the leap day comes last.
    private static long DaysSinceEpoch(int year, int month, int day)
    {
        if (month <= 2)
            year--;
        var era = (year >= 0 ? year : year - 399) / 400;
        var yearOfEra = year - era * 400;
        var dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146_097L + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468;
    }

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => other is CedarDatetime d && d.Milliseconds == Milliseconds;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(11, Milliseconds);

    /// <summary>The time if it is within the framework's calendar; else an expression of the same value.</summary>
    public override string ToString() => Literal is { } literal
        ? $"datetime(\"{literal}\")"
        : string.Create(CultureInfo.InvariantCulture, $"datetime(\"1970-01-01\").offset(duration(\"{Milliseconds}ms\"))");

    /// <summary>What the constructor makes this time from; null beyond the framework's calendar.</summary>
    internal string? Literal
    {
        get
        {
            var (min, max) = (DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
            return Milliseconds >= min && Milliseconds <= max
                ? string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds):yyyy-MM-ddTHH:mm:ss.fffZ}")
                : null;
        }
    }
}
