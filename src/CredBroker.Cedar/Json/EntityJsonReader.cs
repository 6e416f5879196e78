using System.Collections.Immutable;
using System.Text.Json;

namespace CredBroker.Cedar;

/// <summary>Reads entities. With a schema, the schema's actions are among them.</summary>
internal sealed class EntityJsonReader(JsonShape shape, Schema? schema)
{
    private readonly JsonValueReader _values = new(shape);

    public EntityStore ReadAll(JsonElement root)
    {
        shape.Expect(root, JsonValueKind.Array, JsonPath.Root);
        var entities = root.EnumerateArray().Select((item, i) => shape.Many(() => Read(item, JsonPath.Root.At(i)))).OfType<Entity>().ToList();
        // Of entities that could not all be read nothing is said together.
        shape.ThrowIfWrong();
        try
        {
            return EntityStore.Create(schema is null ? entities : entities.Concat(schema.ActionEntities.ExceptBy(entities.Select(e => e.Uid), a => a.Uid)));
        }
        catch (ArgumentException error)
        {
            throw shape.Wrong(JsonPath.Root, error.Message);
        }
    }

    private Entity Read(JsonElement item, JsonPath path)
    {
        shape.ExpectNames(item, path, ["uid", "attrs", "parents", "tags"]);
        var uid = _values.ReadUid(shape.Required(item, "uid", path), path.Child("uid"));
        var type = schema?.FindEntityType(uid.Type);
        var attributes = _values.ReadRecord(shape.Required(item, "attrs", path), type?.Attributes, path.Child("attrs"));
        var tags = item.TryGetProperty("tags", out var given) ? _values.ReadTags(given, type?.Tags, path.Child("tags")) : CedarRecord.Empty;
        return new Entity(uid, attributes, ReadParents(item, path), tags);
    }

    private ImmutableArray<EntityUid> ReadParents(JsonElement item, JsonPath path)
    {
        var parents = shape.Required(item, "parents", path);
        shape.Expect(parents, JsonValueKind.Array, path.Child("parents"));
        return [.. parents.EnumerateArray().Select((p, i) => _values.ReadUid(p, path.Child("parents").At(i)))];
    }
}
