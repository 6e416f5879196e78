using System.Text;
using System.Text.Json;

namespace CredBroker.Cedar;

/// <summary>Finds where in a text what a path names stands. Looked for only after an error: reading keeps no places.</summary>
internal static class JsonPlace
{
    /// <summary>The place of the value, or of the deepest one on the way that is there.</summary>
    public static SourceLocation Find(string json, JsonPath path, string file)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = int.MaxValue });
        reader.Read();
        var at = reader.TokenStartIndex;
        foreach (var (name, index) in path.Steps())
        {
            if (!(index < 0 ? ToMember(ref reader, name) : ToElement(ref reader, index)))
                break;
            at = reader.TokenStartIndex;
        }
        return LocationOf(bytes.AsSpan(0, (int)at), file);
    }

    private static bool ToMember(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt)
                return true;
            reader.Skip();
        }
        return false;
    }

    private static bool ToElement(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return false;
        for (; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index--)
        {
            if (index == 0)
                return true;
            reader.Skip();
        }
        return false;
    }

    private static SourceLocation LocationOf(ReadOnlySpan<byte> before, string file)
    {
        var line = before.Count((byte)'\n') + 1;
        return new SourceLocation(file, line, Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1);
    }
}
