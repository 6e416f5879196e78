using System.Text.Json;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;

namespace CredBroker.Cedar;

/// <summary>Reads values out of parsed JSON. Its recursion is bounded by the depth that the JSON parser accepts.</summary>
internal sealed class JsonValueReader(JsonShape shape)
{
    /// <summary>Reads a value. Where the schema says what it is, entities and extension values may be written without their wrapping.</summary>
    public CedarValue Read(JsonElement json, CedarType? type, JsonPath path) => json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String when type is CedarType.Extension extension => Construct(extension.Name, shape.Text(json, path), path),
        JsonValueKind.String => shape.Text(json, path),
        JsonValueKind.Number => ReadLong(json, path),
        JsonValueKind.Array => ReadSet(json, (type as CedarType.Set)?.Element, path),
        JsonValueKind.Object when type is CedarType.Entity => ReadUid(json, path),
        JsonValueKind.Object => ReadObject(json, type as CedarType.Record, path),
        _ => throw shape.Wrong(path, "null is no Cedar value"),
    };

    public CedarRecord ReadRecord(JsonElement json, CedarType.Record? type, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        var attributes = new List<KeyValuePair<string, CedarValue>>();
        foreach (var property in json.EnumerateObject())
        {
            var known = type is not null && type.Attributes.TryGetValue(property.Name, out var attribute) ? attribute.Type : null;
            attributes.Add(new(property.Name, Read(property.Value, known, path.Child(property.Name))));
        }
        return CedarRecord.Create(attributes);
    }

    public CedarRecord ReadTags(JsonElement json, CedarType? type, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        return CedarRecord.Create(json.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Read(p.Value, type, path.Child(p.Name)))));
    }

    public EntityUid ReadUid(JsonElement json, JsonPath path)
    {
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("__entity", out var inner))
        {
            shape.ExpectNames(json, path, ["__entity"]);
            return ReadUid(inner, path.Child("__entity"));
        }
        shape.ExpectNames(json, path, ["type", "id"]);
        return new EntityUid(shape.TypeName(shape.Required(json, "type", path), path.Child("type")), shape.Text(shape.Required(json, "id", path), path.Child("id")));
    }

    private CedarSet ReadSet(JsonElement json, CedarType? element, JsonPath path) =>
        new([.. json.EnumerateArray().Select((e, i) => Read(e, element, path.At(i)))]);

    private CedarValue Construct(string type, string text, JsonPath path)
    {
        var constructor = ExtensionFunction.Find(type == "ipaddr" ? "ip" : type)!;
        return constructor.Invoke([text], out var error) ?? throw shape.Wrong(path, error!);
    }

    private CedarValue ReadObject(JsonElement json, CedarType.Record? type, JsonPath path)
    {
        if (json.TryGetProperty("__entity", out _))
            return ReadUid(json, path);
        if (json.TryGetProperty("__expr", out _))
            throw shape.Wrong(path, "'__expr' is no longer supported; use __entity and __extn");
        if (!json.TryGetProperty("__extn", out var call))
            return ReadRecord(json, type, path);
        shape.ExpectNames(json, path, ["__extn"]);
        var (function, arguments) = shape.ReadCall(call, path);
        return function.Invoke([.. arguments.Select(a => Read(a, null, path))], out var error) ?? throw shape.Wrong(path, error!);
    }

    // From the raw text: the framework would take 1.0, 1e2 and -0 for whole numbers.
    private CedarLong ReadLong(JsonElement json, JsonPath path)
    {
        var raw = json.GetRawText();
        return !raw.AsSpan().ContainsAny('.', 'e', 'E') && raw != "-0" && json.TryGetInt64(out var value)
            ? new CedarLong(value)
            : throw shape.Wrong(path, $"{(raw.Length > 40 ? raw[..40] : raw)} is no whole number of 64 bits");
    }
}
