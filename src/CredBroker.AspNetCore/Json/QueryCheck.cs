using System.Text;
using System.Text.Unicode;
using CredBroker.Abstractions;
using CredBroker.AspNetCore.Validation;
using Google.Protobuf.Reflection;

namespace CredBroker.AspNetCore.Json;

/// <summary>Holds a query string against the fields that it may set: those that neither the path nor the body sets.</summary>
internal static class QueryCheck
{
    public static IEnumerable<ValidationError> Run(string query, MessageDescriptor message, string? bodyField, string? pathField)
    {
        if (query.Length <= 1) yield break;
        var seen = new HashSet<FieldDescriptor>();
        foreach (var pair in query[1..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            if (Decode(parts[0]) is not { } name || Decode(parts.ElementAtOrDefault(1) ?? "") is not { } value)
            {
                yield return new("query", "It is not valid UTF-8.");
                continue;
            }

            var shown = name.Length <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.') ? name : Printable.Quote(name);
            if (Fault(message, name, value, bodyField, pathField, seen) is { } fault) yield return new(shown, fault);
        }
    }

    private static string? Fault(MessageDescriptor message, string name, string value, string? bodyField, string? pathField, HashSet<FieldDescriptor> seen)
    {
        FieldDescriptor? field = null;
        var at = message;
        foreach (var part in name.Split('.'))
        {
            field = at is null ? null : JsonNames.Find(at, part);
            if (field is null || field.IsMap) return "There is no such query parameter.";
            if (at == message && (bodyField == "*" || field.Name == bodyField)) return "It belongs into the body.";
            at = field is { FieldType: FieldType.Message, IsRepeated: false } && JsonScalars.TextForm(field.MessageType) is null ? field.MessageType : null;
        }

        if (field is null || at is not null) return "There is no such query parameter.";
        if (name == pathField) return "It is set by the path.";
        if (!field.IsRepeated && !seen.Add(field)) return "It is there twice.";
        return JsonScalars.IsValid(field, value) ? null : $"It is not {JsonScalars.Describe(field)}.";
    }

    // The framework replaces what it can't decode; here it is an error.
    private static string? Decode(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2])) return null;
                bytes[count++] = Convert.ToByte(text.Substring(i + 1, 2), 16);
                i += 2;
            }
            else if (text[i] > 0x7F)
            {
                return null;
            }
            else
            {
                bytes[count++] = text[i] == '+' ? (byte)' ' : (byte)text[i];
            }
        }

        return Utf8.IsValid(bytes.AsSpan(0, count)) ? Encoding.UTF8.GetString(bytes, 0, count) : null;
    }
}
