using System.Globalization;
using System.Text.Json;
using CredBroker.AspNetCore.Validation;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Json;

/// <summary>How single values are written in JSON and in a query string.</summary>
internal static class JsonScalars
{
    /// <summary>Messages whose JSON is whatever the caller likes.</summary>
    public static bool IsFree(MessageDescriptor message) => message.FullName is "google.protobuf.Struct" or "google.protobuf.Value" or "google.protobuf.ListValue";

    /// <summary>What the text of a message is called that JSON writes as text; null for others.</summary>
    public static string? TextForm(MessageDescriptor message) => message.FullName switch
    {
        "google.protobuf.Timestamp" => "a point in time such as 2026-01-31T12:00:00Z",
        "google.protobuf.Duration" => "a duration such as 90s",
        "google.protobuf.FieldMask" => "a list of fields such as owner,maxTtl",
        _ => null,
    };

    /// <summary>Whether the text is one of such a message.</summary>
    public static bool IsValid(MessageDescriptor message, string text)
    {
        if (text.Length > 4096) return false;
        try
        {
            var value = JsonParser.Default.Parse(JsonSerializer.Serialize(text), message);
            return value switch
            {
                Duration duration => TimeRules.Fault(duration, null) is null,
                Timestamp time => TimeRules.Fault(time) is null,
                _ => true,
            };
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    /// <summary>Whether the text is a value of the field.</summary>
    public static bool IsValid(FieldDescriptor field, string text) => field.FieldType switch
    {
        FieldType.String => true,
        FieldType.Bytes => Convert.TryFromBase64String(text, new byte[text.Length], out _),
        FieldType.Enum => field.EnumType.FindValueByName(text) is not null,
        FieldType.Bool => text is "true" or "false",
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        FieldType.UInt32 or FieldType.Fixed32 => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        FieldType.UInt64 or FieldType.Fixed64 => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        FieldType.Message => TextForm(field.MessageType) is not null && IsValid(field.MessageType, text),
        _ => false,
    };

    /// <summary>Whether the number under the reader is a value of the field.</summary>
    public static bool IsValidNumber(FieldDescriptor field, ref Utf8JsonReader reader) => field.FieldType switch
    {
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => reader.TryGetInt32(out _),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => reader.TryGetInt64(out _),
        FieldType.UInt32 or FieldType.Fixed32 => reader.TryGetUInt32(out _),
        FieldType.UInt64 or FieldType.Fixed64 => reader.TryGetUInt64(out _),
        FieldType.Double or FieldType.Float => reader.TryGetDouble(out var number) && double.IsFinite(number),
        _ => false,
    };

    /// <summary>What a value of the field is.</summary>
    public static string Describe(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => "a string",
        FieldType.Bytes => "a string in base64",
        FieldType.Enum => "one of " + string.Join(", ", field.EnumType.Values.Where(value => value.Number != 0).Select(value => value.Name)),
        FieldType.Bool => "true or false",
        FieldType.Message => TextForm(field.MessageType) ?? "an object",
        _ => "a whole number",
    };
}
