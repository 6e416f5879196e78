using System.Collections.Immutable;
using System.Text.Json;

namespace CredBroker.Cedar;

/// <summary>Reads Cedar's JSON formats of values and entities: <c>__entity</c>, <c>__extn</c>, tags. <c>null</c>, fractions and repeated names are refused.</summary>
public static class CedarJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 100, AllowDuplicateProperties = false };

    /// <summary>Reads one value.</summary>
    public static Parsed<CedarValue> ParseValue(string json, string file = "") =>
        Parse(json, file, root => new JsonValueReader(file).Read(root, null, "$"));

    /// <summary>Reads a request's context.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="schema">If given, the action's context type says where entities and extension values may be written without their wrapping.</param>
    /// <param name="action">The request's action.</param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<CedarRecord> ParseContext(string json, Schema? schema = null, EntityUid? action = null, string file = "")
    {
        var type = schema is null || action is null ? null : schema.FindAction(action)?.Context;
        return Parse(json, file, root => new JsonValueReader(file).ReadRecord(root, type, "$"));
    }

    /// <summary>Reads a list of entities: <c>{"uid": …, "attrs": {…}, "parents": […], "tags": {…}}</c>.</summary>
    /// <param name="json">A JSON array.</param>
    /// <param name="schema">If given, the entity types say where entities and extension values may be written without their wrapping.</param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<EntityStore> ParseEntities(string json, Schema? schema = null, string file = "") =>
        Parse(json, file, root => ReadEntities(new(file), schema, root));

    private static Parsed<T> Parse<T>(string json, string file, Func<JsonElement, T> read) where T : class
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return new Parsed<T>(read(document.RootElement));
        }
        catch (JsonException error)
        {
            var location = new SourceLocation(file, (int)(error.LineNumber ?? 0) + 1, (int)(error.BytePositionInLine ?? 0) + 1);
            return new Parsed<T>([new Diagnostic(location, $"this is not the JSON that was expected: {error.Message}")]);
        }
        catch (JsonShapeException error)
        {
            return new Parsed<T>([error.Diagnostic]);
        }
    }

    private static EntityStore ReadEntities(JsonValueReader reader, Schema? schema, JsonElement root)
    {
        var entities = new List<Entity>();
        reader.Expect(root, JsonValueKind.Array, "$");
        foreach (var item in root.EnumerateArray())
            entities.Add(ReadEntity(reader, schema, item, $"$[{entities.Count}]"));
        try
        {
            return EntityStore.Create(entities);
        }
        catch (ArgumentException error)
        {
            throw reader.Wrong("$", error.Message);
        }
    }

    private static Entity ReadEntity(JsonValueReader reader, Schema? schema, JsonElement item, string path)
    {
        reader.ExpectNames(item, path, ["uid", "attrs", "parents", "tags"]);
        var uid = reader.ReadUid(reader.Required(item, "uid", path), $"{path}.uid");
        var type = schema?.FindEntityType(uid.Type);
        var attributes = reader.ReadRecord(reader.Required(item, "attrs", path), type?.Attributes, $"{path}.attrs");
        var tags = item.TryGetProperty("tags", out var given) ? reader.ReadTags(given, type?.Tags, $"{path}.tags") : CedarRecord.Empty;
        return new Entity(uid, attributes, ReadParents(reader, item, path), tags);
    }

    private static ImmutableArray<EntityUid> ReadParents(JsonValueReader reader, JsonElement item, string path)
    {
        var parents = reader.Required(item, "parents", path);
        reader.Expect(parents, JsonValueKind.Array, $"{path}.parents");
        return [.. parents.EnumerateArray().Select(p => reader.ReadUid(p, $"{path}.parents"))];
    }
}
