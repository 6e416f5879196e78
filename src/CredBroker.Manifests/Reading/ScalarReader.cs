using System.Globalization;
using CredBroker.Manifests.Yaml;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Manifests.Reading;

/// <summary>Reads scalars as the type that the contract wants: nothing is guessed from how they look.</summary>
internal static class ScalarReader
{
    /// <summary>The value, or null and the error.</summary>
    public static (object? Value, string Error) Read(FieldDescriptor field, YamlScalar scalar)
    {
        if (scalar is { Plain: true, Text: "" or "null" or "~" }) return (null, "There is no value: leave the key out, or write \"\".");
        return field.FieldType switch
        {
            FieldType.String => (scalar.Text, ""),
            FieldType.Bool => Bool(scalar),
            FieldType.Int32 => Whole(scalar, int.MinValue, int.MaxValue) is { } number ? ((int)number, "") : (null, "A whole number is expected."),
            FieldType.Int64 => Whole(scalar, long.MinValue, long.MaxValue) is { } number ? (number, "") : (null, "A whole number is expected."),
            FieldType.Enum => EnumValue(field.EnumType, scalar.Text),
            FieldType.Message when field.MessageType == Duration.Descriptor => DurationValue(scalar.Text),
            FieldType.Message when field.MessageType == Timestamp.Descriptor => TimestampValue(scalar.Text),
            _ => (null, "A mapping is expected."),
        };
    }

    private static (object?, string) Bool(YamlScalar scalar) => scalar switch
    {
        { Plain: true, Text: "true" } => (true, ""),
        { Plain: true, Text: "false" } => (false, ""),
        _ => (null, "true or false is expected."),
    };

    private static long? Whole(YamlScalar scalar, long min, long max) =>
        scalar.Plain && long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : null;

    private static (object?, string) EnumValue(EnumDescriptor type, string text)
    {
        var known = type.Values.Where(value => value.Number != 0).ToList();
        var value = known.Find(value => string.Equals(value.Name, text, StringComparison.OrdinalIgnoreCase));
        return value is null
            ? (null, $"'{text}' is none of its values.{Spelling.Suggest(text, known.ConvertAll(v => v.Name))}")
            : (System.Enum.ToObject(type.ClrType, value.Number), "");
    }

    private static (object?, string) DurationValue(string text) =>
        DurationText.TryParse(text, out var span) ? (Duration.FromTimeSpan(span), "") : (null, $"'{text}' is no duration such as 90s, 15m or 1h30m.");

    // Without an offset a time of day means something else in every place.
    private static (object?, string) TimestampValue(string text) => StrictYaml.Time(text) is { } time
        ? (Timestamp.FromDateTimeOffset(time), "")
        : (null, $"'{text}' is no date (2030-01-31) or time (2030-01-31T12:00:00Z).");
}
