using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Abstractions;

/// <summary>Reads and writes durations as people write them in configuration: <c>90s</c>, <c>15m</c>, <c>1h</c>, <c>250ms</c>.</summary>
public sealed class DurationConverter : JsonConverter<TimeSpan>
{
    private static readonly (string Unit, TimeSpan Span)[] Units =
        [("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1))];

    /// <summary>Reads a duration; false when it is none, or longer than ten years.</summary>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        if (text is null or { Length: 0 or > 16 }) return false;
        foreach (var (unit, span) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal)) continue;
            var digits = text[..^unit.Length];
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) continue;
            if (count * span.TotalDays > 3660) return false;
            value = count * span;
            return true;
        }

        return false;
    }

    /// <summary>Writes a duration in its largest whole unit.</summary>
    public static string Format(TimeSpan value)
    {
        foreach (var (unit, span) in Units.Reverse())
        {
            if (value != TimeSpan.Zero && value.Ticks % span.Ticks == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{value.Ticks / span.Ticks}{unit}");
        }

        return value == TimeSpan.Zero ? "0s" : string.Create(CultureInfo.InvariantCulture, $"{(long)value.TotalMilliseconds}ms");
    }

    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out var value) ? value : throw new JsonException("A duration such as 90s, 15m or 1h.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(Format(value));
    }
}
