using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using CredBroker.Abstractions;
using CredBroker.AspNetCore.Validation;
using Google.Protobuf.Reflection;

namespace CredBroker.AspNetCore.Json;

/// <summary>What came of looking at a body.</summary>
/// <param name="Unreadable">Why it isn't JSON at all; null when it is.</param>
/// <param name="Violations">Everything in it that the message has no place for.</param>
internal sealed record JsonBodyFindings(string? Unreadable, IReadOnlyList<ValidationError> Violations);

/// <summary>
/// Walks a JSON body against the message that it shall become, strictly: unknown fields, duplicates, values of the wrong kind, invalid UTF-8 and deep
/// nesting are found before anything is built from it. Transcoding has no switch for it.
/// </summary>
internal ref struct JsonBodyCheck
{
    /// <summary>How deep objects and arrays may be nested.</summary>
    public const int MostDepth = 32;

    private Utf8JsonReader _reader;
    private readonly List<ValidationError> _found;

    private JsonBodyCheck(ReadOnlySpan<byte> utf8)
    {
        _reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MostDepth });
        _found = [];
    }

    public static JsonBodyFindings Run(ReadOnlySpan<byte> utf8, MessageDescriptor message)
    {
        if (!Utf8.IsValid(utf8)) return new("It is not valid UTF-8.", []);
        var check = new JsonBodyCheck(utf8);
        try
        {
            check._reader.Read();
            if (check._reader.TokenType != JsonTokenType.StartObject) return new("It is not a JSON object.", []);
            check.Message(message, "");
            check._reader.Read();
            return new(null, check._found);
        }
        catch (JsonException e)
        {
            // The reader's message can repeat what was sent; its place is enough.
            var why = check._reader.CurrentDepth >= MostDepth - 1 ? $"It is nested deeper than {MostDepth}, or is not JSON" : "It is not JSON";
            return new(string.Create(CultureInfo.InvariantCulture, $"{why}: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."), []);
        }
    }

    private void Message(MessageDescriptor message, string path)
    {
        var seen = new HashSet<int>();
        var oneofs = new HashSet<OneofDescriptor>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            if (Text() is not { } name)
            {
                Note(path, "A field's name holds half of a surrogate pair.");
                SkipValue();
                continue;
            }

            var at = Join(path, name);
            if (JsonNames.Find(message, name) is not { } field)
            {
                Note(at, Unknown(message, name));
                SkipValue();
                continue;
            }

            if (!seen.Add(field.FieldNumber)) Note(at, "It is there twice.");
            if (field.ContainingOneof is { IsSynthetic: false } oneof && !oneofs.Add(oneof))
                Note(at, $"Only one of {string.Join(", ", oneof.Fields.Select(f => f.JsonName))} can be set.");
            _reader.Read();
            Field(field, at);
        }
    }

    private void Field(FieldDescriptor field, string at)
    {
        if (_reader.TokenType == JsonTokenType.Null) return;
        if (field.IsMap) Map(field, at);
        else if (field.IsRepeated) List(field, at);
        else Value(field, at);
    }

    private void List(FieldDescriptor field, string at)
    {
        if (!Expect(JsonTokenType.StartArray, "an array", at)) return;
        for (var i = 0; _reader.Read() && _reader.TokenType != JsonTokenType.EndArray; i++)
            Value(field, string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]"));
    }

    private void Map(FieldDescriptor field, string at)
    {
        if (!Expect(JsonTokenType.StartObject, "an object", at)) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var valueField = field.MessageType.FindFieldByNumber(2);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            var key = Text();
            var of = $"{at}[{Printable.Quote(key ?? "")}]";
            if (key is null) Note(at, "A key holds half of a surrogate pair.");
            else if (!seen.Add(key)) Note(of, "It is there twice.");
            _reader.Read();
            Value(valueField, of);
        }
    }

    private void Value(FieldDescriptor field, string at)
    {
        switch (field.FieldType)
        {
            case FieldType.Message when JsonScalars.IsFree(field.MessageType):
                if (field.MessageType.Name != "Struct" || Expect(JsonTokenType.StartObject, "an object", at)) Free(at);
                break;
            case FieldType.Message when JsonScalars.TextForm(field.MessageType) is { } form:
                if (Expect(JsonTokenType.String, form, at) && (Text() is not { } text || !JsonScalars.IsValid(field.MessageType, text)))
                    Note(at, $"It is not {form}.");
                break;
            case FieldType.Message:
                if (Expect(JsonTokenType.StartObject, "an object", at)) Message(field.MessageType, at);
                break;
            default:
                Scalar(field, at);
                break;
        }
    }

    private void Scalar(FieldDescriptor field, string at)
    {
        var expected = JsonScalars.Describe(field);
        switch (_reader.TokenType)
        {
            case JsonTokenType.String when Text() is not { } text || !JsonScalars.IsValid(field, text):
            case JsonTokenType.Number when !JsonScalars.IsValidNumber(field, ref _reader):
            case JsonTokenType.True or JsonTokenType.False when field.FieldType != FieldType.Bool:
            case JsonTokenType.Null:
                Note(at, $"It is not {expected}.");
                break;
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                Note(at, $"It is not {expected}.");
                _reader.Skip();
                break;
            case JsonTokenType.String when field.FieldType == FieldType.Bool:
                Note(at, $"It is not {expected}.");
                break;
        }
    }

    private void Free(string at)
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var seen = new HashSet<string>(StringComparer.Ordinal);
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = Text();
                    if (key is null) Note(at, "A key holds half of a surrogate pair.");
                    else if (!seen.Add(key)) Note(Join(at, key), "It is there twice.");
                    _reader.Read();
                    Free(Join(at, key ?? ""));
                }

                break;
            case JsonTokenType.StartArray:
                for (var i = 0; _reader.Read() && _reader.TokenType != JsonTokenType.EndArray; i++)
                    Free(string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]"));
                break;
            case JsonTokenType.String when Text() is null:
                Note(at, "It holds half of a surrogate pair.");
                break;
            case JsonTokenType.Number when !_reader.TryGetDouble(out var number) || !double.IsFinite(number):
                Note(at, "It is not a number that can be kept.");
                break;
        }
    }

    private bool Expect(JsonTokenType token, string what, string at)
    {
        if (_reader.TokenType == token) return true;
        Note(at, $"It is not {what}.");
        if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) _reader.Skip();
        return false;
    }

    private void SkipValue()
    {
        _reader.Read();
        _reader.Skip();
    }

    // Escapes can spell half of a surrogate pair, which no string can hold.
    private string? Text()
    {
        try
        {
            return _reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private void Note(string at, string message)
    {
        if (_found.Count < 100) _found.Add(new ValidationError(at, message));
    }

    private static string Join(string path, string name)
    {
        var printable = name.Length <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? name : Printable.Quote(name);
        return path.Length == 0 ? printable : $"{path}.{printable}";
    }

    private static string Unknown(MessageDescriptor message, string name)
    {
        var near = JsonNames.Of(message, _ => true).Select(known => (known, Distance: Spelling.Distance(known, name))).OrderBy(pair => pair.Distance).FirstOrDefault();
        return near.known is not null && near.Distance <= 2 ? $"There is no such field. Did you mean {near.known}?" : "There is no such field.";
    }
}
