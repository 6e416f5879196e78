using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace CredBroker.Manifests.Yaml;

/// <summary>
/// Writes YAML from JSON's values. A writer of our own, since whatever it writes is also shown on terminals: text with characters
/// that aren't plain goes into double quotes, escaped.
/// </summary>
internal sealed class YamlWriter
{
    private readonly StringBuilder _text = new();

    public static string Write(JsonNode? node)
    {
        var writer = new YamlWriter();
        writer.WriteBlock(node, 0, inline: false);
        return writer._text.ToString();
    }

    private void WriteBlock(JsonNode? node, int indent, bool inline)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                foreach (var (key, value) in map)
                {
                    if (!inline) Indent(indent);
                    inline = false;
                    _text.Append(YamlText.Quote(key)).Append(':');
                    WriteValue(value, indent);
                }

                break;
            case JsonArray { Count: > 0 } list:
                foreach (var item in list)
                {
                    if (!inline) Indent(indent);
                    inline = false;
                    _text.Append('-');
                    if (item is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
                    {
                        _text.Append(' ');
                        WriteBlock(item, indent + 2, inline: true);
                    }
                    else
                    {
                        WriteValue(item, indent);
                    }
                }

                break;
            default:
                _text.Append(Scalar(node)).Append('\n');
                break;
        }
    }

    private void WriteValue(JsonNode? value, int indent)
    {
        if (value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            _text.Append('\n');
            WriteBlock(value, indent + 2, inline: false);
        }
        else if (value is JsonValue scalar && scalar.TryGetValue<string>(out var text) && YamlText.FitsBlock(text))
        {
            WriteLines(text, indent + 2);
        }
        else
        {
            _text.Append(' ').Append(Scalar(value)).Append('\n');
        }
    }

    private void WriteLines(string text, int indent)
    {
        // `|` ends with one line feed, `|-` with none, `|+` with as many as there are.
        var ends = text.Length - text.TrimEnd('\n').Length;
        _text.Append(ends switch { 0 => " |-\n", 1 => " |\n", _ => " |+\n" });
        var lines = text.Split('\n');
        var count = ends == 0 ? lines.Length : lines.Length - 1;
        for (var i = 0; i < count; i++)
        {
            if (lines[i].Length > 0) Indent(indent);
            _text.Append(lines[i]).Append('\n');
        }
    }

    private static string Scalar(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue value when value.TryGetValue<string>(out var text) => YamlText.Quote(text),
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag ? "true" : "false",
        JsonValue value when value.TryGetValue<double>(out var number) && !value.TryGetValue<long>(out _) => number.ToString("R", CultureInfo.InvariantCulture),
        _ => node.ToJsonString(),
    };

    private void Indent(int count) => _text.Append(' ', count);
}
