using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;

namespace CredBroker.Server.Configuration;

/// <summary>Holds what was written against the form, and leaves out what does not fit after reporting it.</summary>
internal sealed class ConfigurationBinder(ConfigurationErrors errors)
{
    public ServerConfiguration Bind(ConfigurationNode.Mapping root)
    {
        var json = Fit(root, Shape.Of(typeof(ServerConfiguration)), "") ?? new JsonObject();
        return Document<ServerConfiguration>.Read(JsonSerializer.SerializeToElement(json));
    }

    private JsonNode? Fit(ConfigurationNode node, Shape shape, string path)
    {
        errors.Note(path, node.Origin);
        switch (shape, node)
        {
            case (_, ConfigurationNode.Scalar { Empty: true }):
                errors.Form(node.Origin, path, "There is no value. Give one, or leave the key out.");
                return null;
            case (Shape.Scalar scalar, ConfigurationNode.Scalar { Text: var text }):
                if (scalar.Read(text) is { } value) return JsonNode.Parse(value.GetRawText());
                errors.Form(node.Origin, path, $"This must be {scalar.Expected}.");
                return null;
            case (Shape.ListOf list, ConfigurationNode.Sequence { Items: var items }):
                // An item that does not fit keeps its place, so that the others keep their numbers.
                return new JsonArray([.. items.Select((item, i) => Fit(item, list.Item, $"{path}[{i}]") ?? Placeholder(list.Item))]);
            case (Shape.MapOf map, ConfigurationNode.Mapping { Members: var members }):
                return FitMembers(members, path, _ => map.Value);
            case (Shape.Record record, ConfigurationNode.Mapping { Members: var members }):
                return FitMembers(members, path, key => Known(record, key, members, path));
            default:
                errors.Form(node.Origin, path, $"This must be {Describe(shape)}.");
                return null;
        }
    }

    private JsonObject FitMembers(Dictionary<string, ConfigurationNode> members, string path, Func<string, Shape?> shapeOf)
    {
        var json = new JsonObject();
        foreach (var (key, node) in members)
        {
            if (shapeOf(key) is { } shape && Fit(node, shape, path.Length == 0 ? key : $"{path}.{key}") is { } value) json[key] = value;
        }

        return json;
    }

    private Shape? Known(Shape.Record record, string key, Dictionary<string, ConfigurationNode> siblings, string path)
    {
        if (record.Members.TryGetValue(key, out var shape)) return shape;
        var near = record.Members.Keys.MinBy(name => Distance(name, key))!;
        var at = path.Length == 0 ? key : $"{path}.{key}";
        var origin = siblings[key].Origin;
        if (Distance(near, key) <= 3)
            errors.Form(origin, at, $"There is no such key. Did you mean {near}?", siblings.ContainsKey(near) ? null : path.Length == 0 ? near : $"{path}.{near}");
        else
            errors.Form(origin, at, $"There is no such key. There are: {string.Join(", ", record.Members.Keys)}.");
        return null;
    }

    // public_url is publicUrl in another habit.
    private static int Distance(string name, string key) => Spelling.Distance(name, key.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal));

    private static JsonNode Placeholder(Shape shape) => shape switch
    {
        Shape.Record or Shape.MapOf => new JsonObject(),
        Shape.ListOf => new JsonArray(),
        _ => JsonValue.Create(""),
    };

    private static string Describe(Shape shape) => shape switch
    {
        Shape.Scalar scalar => scalar.Expected,
        Shape.ListOf => "a list",
        _ => "a section with keys",
    };
}
