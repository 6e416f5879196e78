using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Testing.Conformance;

/// <summary>Documents that no provider may take, made from one that it does.</summary>
internal static class HostileDocuments
{
    // A string for a target is one line of printable text at most; each of these has ended as more than that somewhere.
    private static readonly string[] Poison =
    [
        "a\nb", "a\r\nX-Injected: 1", "a\0b", "a\u001b[2Jb", "a\u202Eb", "a\u2066b\u2069", "\u0085", new string('a', 10_000_000),
    ];

    /// <summary>Not an object, or with a member too many.</summary>
    public static IEnumerable<JsonElement> MisshapenFrom(JsonElement good)
    {
        yield return JsonElement.Parse("null");
        yield return JsonElement.Parse("[]");
        yield return JsonElement.Parse("\"text\"");
        yield return JsonElement.Parse("17");
        var further = JsonNode.Parse(good.GetRawText())!.AsObject();
        further["noSuchMember"] = 1;
        yield return further.Deserialize<JsonElement>();
        var first = good.EnumerateObject().FirstOrDefault();
        if (first.Value.ValueKind != JsonValueKind.Undefined)
        {
            var text = good.GetRawText();
            yield return JsonElement.Parse($"{{{JsonSerializer.Serialize(first.Name)}:{first.Value.GetRawText()},{text[(text.IndexOf('{', StringComparison.Ordinal) + 1)..]}");
        }
    }

    /// <summary>With one of its strings replaced by a hostile one, each string in its turn.</summary>
    public static IEnumerable<JsonElement> PoisonedFrom(JsonElement good)
    {
        var strings = Count(JsonNode.Parse(good.GetRawText()));
        foreach (var poison in Poison)
        {
            for (var i = 0; i < strings; i++)
            {
                var copy = JsonNode.Parse(good.GetRawText());
                var left = i;
                Replace(copy, poison, ref left);
                yield return copy.Deserialize<JsonElement>();
            }
        }
    }

    public static string Show(JsonElement document)
    {
        var text = document.GetRawText();
        return text.Length > 300 ? $"{text[..300]}…" : text;
    }

    private static int Count(JsonNode? node) => node switch
    {
        JsonObject members => members.Sum(member => Count(member.Value)),
        JsonArray items => items.Sum(Count),
        JsonValue value => value.GetValueKind() == JsonValueKind.String ? 1 : 0,
        _ => 0,
    };

    private static void Replace(JsonNode? node, string poison, ref int left)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                {
                    if (IsString(value) && left-- == 0) members[name] = poison;
                    else Replace(value, poison, ref left);
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (IsString(items[i]) && left-- == 0) items[i] = poison;
                    else Replace(items[i], poison, ref left);
                }

                break;
        }
    }

    private static bool IsString(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String;
}
