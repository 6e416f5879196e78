using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Abstractions;

/// <summary>
/// Checks a document against the part of JSON Schema that the framework's exporter writes for records: types, properties, required members, items and
/// enumerations. It exists to report every misspelled key at once, with a suggestion; reading stops at the first.
/// </summary>
internal static class SchemaCheck
{
    public static IEnumerable<ValidationError> Run(JsonNode schema, JsonElement json) => Check(schema, json, "");

    private static IEnumerable<ValidationError> Check(JsonNode? schema, JsonElement json, string path)
    {
        if (schema is not JsonObject rules) return [];
        var allowed = TypesOf(rules["type"]);
        if (allowed.Count > 0 && !allowed.Contains(TypeOf(json)) && !(allowed.Contains("number") && TypeOf(json) == "integer"))
            return [new ValidationError(path, $"This must be {string.Join(" or ", allowed)}, not {TypeOf(json)}.")];
        if (rules["enum"] is JsonArray values && !values.Any(value => Same(value, json)))
            return [new ValidationError(path, $"This must be one of {string.Join(", ", values.Select(value => value?.ToString() ?? "null"))}.")];
        return json.ValueKind switch
        {
            JsonValueKind.Object => CheckObject(rules, json, path),
            JsonValueKind.Array => json.EnumerateArray().SelectMany((item, i) => Check(rules["items"], item, $"{path}[{i}]")),
            _ => [],
        };
    }

    private static IEnumerable<ValidationError> CheckObject(JsonObject rules, JsonElement json, string path)
    {
        var properties = rules["properties"] as JsonObject;
        var further = rules["additionalProperties"];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
        {
            var at = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            if (!seen.Add(member.Name))
                yield return new ValidationError(at, "This member appears twice.");
            else if (properties?[member.Name] is { } rule)
                foreach (var error in Check(rule, member.Value, at)) yield return error;
            else if (further is JsonObject)
                foreach (var error in Check(further, member.Value, at)) yield return error;
            else if (properties is not null)
                yield return new ValidationError(at, $"There is no such member.{Suggest(member.Name, properties)}");
        }

        foreach (var name in (rules["required"] as JsonArray ?? []).Select(name => name!.GetValue<string>()))
            if (!seen.Contains(name)) yield return new ValidationError(path.Length == 0 ? name : $"{path}.{name}", "This member is required.");
    }

    private static string Suggest(string name, JsonObject properties)
    {
        var nearest = properties.Select(property => property.Key).MinBy(key => Spelling.Distance(name, key));
        return nearest is not null && Spelling.Distance(name, nearest) <= 3
            ? $" Did you mean {nearest}?"
            : $" There are: {string.Join(", ", properties.Select(property => property.Key))}.";
    }

    private static HashSet<string> TypesOf(JsonNode? type) => type switch
    {
        JsonValue value => [value.GetValue<string>()],
        JsonArray array => [.. array.Select(value => value!.GetValue<string>())],
        _ => [],
    };

    private static string TypeOf(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => json.TryGetInt64(out _) ? "integer" : "number",
        _ => "null",
    };

    private static bool Same(JsonNode? value, JsonElement json) =>
        value is null ? json.ValueKind == JsonValueKind.Null : json.ValueKind == JsonValueKind.String && value.GetValue<string>() == json.GetString();
}
