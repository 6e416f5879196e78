using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;

namespace CredBroker.TestSupport.StandIns;

/// <summary>Compares a body with the recorded one: JSON by members, kinds and values, XML by elements, attributes and text, all else as text.</summary>
internal sealed class BodyComparison
{
    private readonly Placeholders _placeholders;
    private readonly Allowances _allow;
    private readonly List<string> _differences;

    private BodyComparison(Placeholders placeholders, Allowances allow, List<string> differences)
    {
        _placeholders = placeholders;
        _allow = allow;
        _differences = differences;
    }

    public static void Compare(Placeholders placeholders, Allowances allow, JsonNode? recorded, string actual, List<string> differences)
    {
        var comparison = new BodyComparison(placeholders, allow, differences);
        if (recorded is null)
        {
            if (actual.Length > 0 && actual != "null") comparison.Differ("the body", "none", actual);
        }
        else if (recorded is JsonValue value && value.TryGetValue<string>(out var text))
        {
            if (text.AsSpan().TrimStart('\uFEFF').StartsWith("<") && Placeholders.Whole(text) is null) comparison.CompareXml(text, actual);
            else comparison.CompareText("the body", text, actual);
        }
        else
        {
            comparison.CompareJson(recorded, actual);
        }
    }

    private void CompareJson(JsonNode recorded, string actual)
    {
        try
        {
            Compare(recorded, JsonNode.Parse(actual, documentOptions: new() { MaxDepth = 512 }), "$");
        }
        catch (JsonException)
        {
            Differ("the body", "JSON", actual);
        }
    }

    private void Compare(JsonNode? recorded, JsonNode? actual, string path)
    {
        var kind = recorded?.GetValueKind() ?? JsonValueKind.Null;
        if (kind == JsonValueKind.String && Placeholders.Whole(recorded!.GetValue<string>()) is { } only && Placeholders.KindOf(only) == "unix") kind = JsonValueKind.Number;
        var answered = actual?.GetValueKind() ?? JsonValueKind.Null;
        if (kind != answered && !(kind is JsonValueKind.True or JsonValueKind.False && answered is JsonValueKind.True or JsonValueKind.False))
        {
            Differ(path, recorded?.ToJsonString() ?? "null", actual?.ToJsonString() ?? "null");
            return;
        }

        switch (recorded)
        {
            case JsonObject members:
                CompareMembers(members, actual!.AsObject(), path);
                break;
            case JsonArray items:
                CompareItems(items, actual!.AsArray(), path);
                break;
            case JsonValue value when kind == JsonValueKind.String:
                CompareText(path, value.GetValue<string>(), actual!.GetValue<string>());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.Number:
                var (was, isNow) = (value.GetValue<double>(), actual!.GetValue<double>());
                if (was != isNow && !_allow.IsNear(path, was, isNow) && !_allow.Varies(path)) Differ(path, value.ToJsonString(), actual.ToJsonString());
                break;
            case JsonValue value when kind is JsonValueKind.True or JsonValueKind.False:
                if (kind != answered && !_allow.Varies(path)) Differ(path, value.ToJsonString(), actual!.ToJsonString());
                break;
        }
    }

    private void CompareMembers(JsonObject recorded, JsonObject actual, string path)
    {
        var varies = _allow.Varies(path);
        // A member's name can be a placeholder, as in a listing by id.
        var left = actual.Select(member => member.Key).ToList();
        foreach (var (name, value) in recorded)
        {
            var match = left.Contains(name) ? name : left.FirstOrDefault(candidate => name.Contains('<', StringComparison.Ordinal) && _placeholders.Matches(name, candidate));
            if (match is null)
            {
                if (!varies) _differences.Add($"{path}.{name} is missing");
                continue;
            }

            left.Remove(match);
            Compare(value, actual[match], $"{path}.{name}");
        }

        if (!varies) _differences.AddRange(left.Select(name => $"{path}.{name} is answered, and was not recorded: {RecordingReplay.Cut(actual[name]?.ToJsonString() ?? "null")}"));
    }

    private void CompareItems(JsonArray recorded, JsonArray actual, string path)
    {
        if (_allow.Varies(path)) return;
        if (recorded.Count != actual.Count)
        {
            Differ(path, recorded.ToJsonString(), actual.ToJsonString());
            return;
        }

        var order = _allow.IsUnordered(path) ? [.. actual.OrderBy(Sortable, StringComparer.Ordinal)] : actual.ToList();
        var was = _allow.IsUnordered(path) ? [.. recorded.OrderBy(Sortable, StringComparer.Ordinal)] : recorded.ToList();
        for (var i = 0; i < was.Count; i++) Compare(was[i], order[i], $"{path}[{i}]");
    }

    private string Sortable(JsonNode? item) => item is JsonValue value && value.TryGetValue<string>(out var text) ? _placeholders.TryFill(text) : item?.ToJsonString() ?? "";

    private void CompareXml(string recorded, string actual)
    {
        // A placeholder looks like an element: it becomes text that no document has.
        if (Parse(Placeholders.Pattern().Replace(recorded, match => $"⟦{match.Value[1..^1]}⟧")) is not { } was) CompareText("the body", recorded, actual); // A page of HTML.
        else if (Parse(actual) is { } answered) CompareElements(was, answered, was.Name.LocalName);
        else Differ("the body", "XML", actual);
    }

    private static XElement? Parse(string text)
    {
        try
        {
            return XDocument.Parse(text.TrimStart('\uFEFF')).Root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private void CompareElements(XElement recorded, XElement actual, string path)
    {
        if (recorded.Name != actual.Name) Differ(path, recorded.Name.ToString(), actual.Name.ToString());
        foreach (var attribute in recorded.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration))
            if (actual.Attribute(attribute.Name)?.Value != attribute.Value) Differ($"{path}@{attribute.Name}", attribute.Value, actual.Attribute(attribute.Name)?.Value ?? "none");
        if (!recorded.HasElements)
        {
            var text = recorded.Value.Replace("⟦", "<", StringComparison.Ordinal).Replace("⟧", ">", StringComparison.Ordinal);
            if (actual.HasElements) Differ(path, text, actual.ToString());
            else CompareText(path, text, actual.Value);
            return;
        }

        foreach (var name in recorded.Elements().Concat(actual.Elements()).Select(element => element.Name).Distinct().ToList())
        {
            var (was, isNow) = (recorded.Elements(name).ToList(), actual.Elements(name).ToList());
            if (was.Count != isNow.Count)
            {
                if (!_allow.Varies($"{path}.{name.LocalName}")) Differ($"{path}.{name.LocalName}", $"{was.Count} of them", $"{isNow.Count}");
                continue;
            }

            for (var i = 0; i < was.Count; i++) CompareElements(was[i], isNow[i], $"{path}.{name.LocalName}{(was.Count > 1 ? $"[{i}]" : "")}");
        }
    }

    private void CompareText(string path, string recorded, string actual)
    {
        if (!_allow.Varies(path) && !_placeholders.Matches(recorded, actual)) Differ(path, recorded, actual);
    }

    private void Differ(string path, string recorded, string actual) =>
        _differences.Add($"{path}: recorded {RecordingReplay.Cut(recorded)}, answered {RecordingReplay.Cut(actual)}");
}
