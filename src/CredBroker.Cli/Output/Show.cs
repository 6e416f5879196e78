using System.Globalization;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Cli.Output;

/// <summary>Values as people read them.</summary>
internal static class Show
{
    public static string Time(Timestamp? time) =>
        time is null ? "" : time.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Span(Duration? span) => span is null ? "" : Span(span.ToTimeSpan());

    public static string Span(TimeSpan span) => span.TotalSeconds < 60 || span.Ticks % TimeSpan.TicksPerSecond != 0
        ? FormattableString.Invariant($"{span.TotalSeconds:0.###}s")
        : string.Concat(Part(span.Days, "d"), Part(span.Hours, "h"), Part(span.Minutes, "m"), Part(span.Seconds, "s"));

    /// <summary>An enum's name as in the contract, in small letters and words; nothing for the unspecified one.</summary>
    public static string Name<T>(T value)
        where T : struct, System.Enum
    {
        var number = Convert.ToInt32(value, CultureInfo.InvariantCulture);
        if (number == 0) return "";
        var original = typeof(T).GetField(value.ToString())?.GetCustomAttributes(typeof(OriginalNameAttribute), false).OfType<OriginalNameAttribute>().FirstOrDefault()?.Name;
        return (original ?? value.ToString()).Replace('_', ' ').ToLowerInvariant();
    }

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static string YesNo(bool value) => value ? "yes" : "no";

    private static string Part(int count, string unit) => count == 0 ? "" : FormattableString.Invariant($"{count}{unit}");
}
