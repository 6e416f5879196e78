using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Manifests;
using Google.Protobuf;

namespace CredBroker.Cli.Output;

/// <summary>Messages as the JSON that REST has, with every character that isn't plain escaped.</summary>
internal static class MessageJson
{
    private static readonly JsonFormatter Full = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));
    private static readonly JsonFormatter Sparse = new(JsonFormatter.Settings.Default);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(IMessage message) => Text(Node(message));

    public static JsonNode Node(IMessage message) => JsonNode.Parse(Full.Format(message))!;

    public static string Text(JsonNode node)
    {
        // In JSON's text such characters stand only inside strings, where an escape means the same.
        var text = new StringBuilder();
        var rest = node.ToJsonString(Indented).AsSpan();
        while (!rest.IsEmpty)
        {
            var whole = Rune.DecodeFromUtf16(rest, out var rune, out var used) == System.Buffers.OperationStatus.Done;
            if (whole && (rune.Value == '\n' || SafeText.IsPlain(rune))) text.Append(rest[..used]);
            else foreach (var unit in rest[..used]) text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
            rest = rest[used..];
        }

        return text.ToString();
    }

    /// <summary>What is set, one line for each value, with its path.</summary>
    public static IEnumerable<(string Key, string Value)> Flatten(IMessage message) => Flatten("", JsonNode.Parse(Sparse.Format(message)));

    private static IEnumerable<(string Key, string Value)> Flatten(string path, JsonNode? node) => node switch
    {
        JsonObject { Count: > 0 } map => map.SelectMany(entry => Flatten(path.Length == 0 ? entry.Key : $"{path}.{entry.Key}", entry.Value)),
        JsonArray { Count: > 0 } list when list.All(item => item is JsonValue) => [(path, string.Join(", ", list.Select(item => item!.ToString())))],
        JsonArray { Count: > 0 } list => list.Index().SelectMany(item => Flatten($"{path}[{item.Index}]", item.Item)),
        null => [(path, "null")],
        JsonValue value => [(path, value.ToString())],
        _ => path.Length == 0 ? [] : [(path, "")],
    };
}
