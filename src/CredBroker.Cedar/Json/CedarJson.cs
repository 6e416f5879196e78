using System.Collections.Immutable;
using System.Text.Json;

namespace CredBroker.Cedar;

/// <summary>Reads Cedar's JSON formats of values and entities: <c>__entity</c>, <c>__extn</c>, tags. <c>null</c>, fractions and repeated names are refused.</summary>
public static class CedarJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 100, AllowDuplicateProperties = false };

    /// <summary>Reads one value.</summary>
    public static Parsed<CedarValue> ParseValue(string json, string file = "") => Parse(json, file, root => new JsonValueReader(file).Read(root, "$"));

    /// <summary>Reads a record, such as a request's context.</summary>
    public static Parsed<CedarRecord> ParseRecord(string json, string file = "") =>
        Parse(json, file, root => new JsonValueReader(file).ReadRecord(root, "$"));

    /// <summary>Reads a list of entities: <c>{"uid": …, "attrs": {…}, "parents": […], "tags": {…}}</c>.</summary>
    public static Parsed<EntityStore> ParseEntities(string json, string file = "") => Parse(json, file, root => ReadEntities(new(file), root));

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

    private static EntityStore ReadEntities(JsonValueReader reader, JsonElement root)
    {
        var entities = new List<Entity>();
        reader.Expect(root, JsonValueKind.Array, "$");
        foreach (var item in root.EnumerateArray())
        {
            var path = $"$[{entities.Count}]";
            reader.ExpectNames(item, path, ["uid", "attrs", "parents", "tags"]);
            var uid = reader.ReadUid(reader.Required(item, "uid", path), $"{path}.uid");
            var attributes = reader.ReadRecord(reader.Required(item, "attrs", path), $"{path}.attrs");
            var tags = item.TryGetProperty("tags", out var given) ? reader.ReadRecord(given, $"{path}.tags") : CedarRecord.Empty;
            entities.Add(new Entity(uid, attributes, ReadParents(reader, item, path), tags));
        }
        try
        {
            return EntityStore.Create(entities);
        }
        catch (ArgumentException error)
        {
            throw reader.Wrong("$", error.Message);
        }
    }

    private static ImmutableArray<EntityUid> ReadParents(JsonValueReader reader, JsonElement item, string path)
    {
        var parents = reader.Required(item, "parents", path);
        reader.Expect(parents, JsonValueKind.Array, $"{path}.parents");
        return [.. parents.EnumerateArray().Select(p => reader.ReadUid(p, $"{path}.parents"))];
    }
}
