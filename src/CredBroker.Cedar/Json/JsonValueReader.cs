using System.Text.Json;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Unwinds from JSON of the wrong shape.</summary>
internal sealed class JsonShapeException(Diagnostic diagnostic) : Exception(diagnostic.Message)
{
    public Diagnostic Diagnostic { get; } = diagnostic;
}

/// <summary>Reads values out of parsed JSON. Its recursion is bounded by the depth that the JSON parser accepts.</summary>
internal sealed class JsonValueReader(string file)
{
    /// <summary>Reads a value. Where the schema says what it is, entities and extension values may be written without their wrapping.</summary>
    public CedarValue Read(JsonElement json, CedarType? type, string path) => json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String when type is CedarType.Extension extension => Construct(extension.Name, Text(json, path), path),
        JsonValueKind.String => Text(json, path),
        JsonValueKind.Number => ReadLong(json, path),
        JsonValueKind.Array => ReadSet(json, (type as CedarType.Set)?.Element, path),
        JsonValueKind.Object when type is CedarType.Entity => ReadUid(json, path),
        JsonValueKind.Object => ReadObject(json, type as CedarType.Record, path),
        _ => throw Wrong(path, "null is no Cedar value"),
    };

    public CedarRecord ReadRecord(JsonElement json, CedarType.Record? type, string path)
    {
        Expect(json, JsonValueKind.Object, path);
        var attributes = new List<KeyValuePair<string, CedarValue>>();
        foreach (var property in json.EnumerateObject())
        {
            var known = type is not null && type.Attributes.TryGetValue(property.Name, out var attribute) ? attribute.Type : null;
            attributes.Add(new(property.Name, Read(property.Value, known, $"{path}.{property.Name}")));
        }
        return CedarRecord.Create(attributes);
    }

    public CedarRecord ReadTags(JsonElement json, CedarType? type, string path)
    {
        Expect(json, JsonValueKind.Object, path);
        return CedarRecord.Create(json.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Read(p.Value, type, $"{path}.{p.Name}"))));
    }

    public EntityUid ReadUid(JsonElement json, string path)
    {
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("__entity", out var inner))
        {
            ExpectNames(json, path, ["__entity"]);
            return ReadUid(inner, $"{path}.__entity");
        }
        ExpectNames(json, path, ["type", "id"]);
        var type = Text(Required(json, "type", path), $"{path}.type");
        return Names.IsPath(type)
            ? new EntityUid(type, Text(Required(json, "id", path), $"{path}.id"))
            : throw Wrong(path, $"{Quoting.Quote(type)} is no entity type name");
    }

    public JsonElement Required(JsonElement json, string name, string path) =>
        json.TryGetProperty(name, out var value) ? value : throw Wrong(path, $"'{name}' is missing");

    public void Expect(JsonElement json, JsonValueKind kind, string path)
    {
        if (json.ValueKind != kind)
            throw Wrong(path, $"expected {kind}, found {json.ValueKind}");
    }

    public void ExpectNames(JsonElement json, string path, string[] names)
    {
        Expect(json, JsonValueKind.Object, path);
        foreach (var property in json.EnumerateObject())
        {
            if (!names.Contains(property.Name))
                throw Wrong(path, $"{Quoting.Quote(property.Name)} is unknown here");
        }
    }

    public JsonShapeException Wrong(string path, string message) =>
        new(new Diagnostic(new SourceLocation(file, 1, 1), $"{Quoting.Quote(path)[1..^1]}: {message}"));

    private CedarSet ReadSet(JsonElement json, CedarType? element, string path) =>
        new([.. json.EnumerateArray().Select((e, i) => Read(e, element, $"{path}[{i}]"))]);

    private CedarValue Construct(string type, string text, string path)
    {
        var constructor = ExtensionFunction.Find(type == "ipaddr" ? "ip" : type)!;
        return constructor.Invoke([text], out var error) ?? throw Wrong(path, error!);
    }

    private CedarValue ReadObject(JsonElement json, CedarType.Record? type, string path)
    {
        if (json.TryGetProperty("__entity", out _))
            return ReadUid(json, path);
        if (!json.TryGetProperty("__extn", out var call))
            return ReadRecord(json, type, path);
        ExpectNames(json, path, ["__extn"]);
        ExpectNames(call, path, ["fn", "arg", "args"]);
        var name = Text(Required(call, "fn", path), path);
        if (ExtensionFunction.Find(name) is not { } function)
            throw Wrong(path, $"there is no extension function {Quoting.Quote(name)}");
        return function.Invoke(ReadArguments(call, path), out var error) ?? throw Wrong(path, error!);
    }

    private CedarValue[] ReadArguments(JsonElement call, string path)
    {
        if (!call.TryGetProperty("args", out var many))
            return [Read(Required(call, "arg", path), null, path)];
        ExpectNames(call, path, ["fn", "args"]);
        Expect(many, JsonValueKind.Array, path);
        return [.. many.EnumerateArray().Select((e, i) => Read(e, null, $"{path}[{i}]"))];
    }

    // From the raw text: the framework would take 1.0 and 1e2 for whole numbers.
    private CedarLong ReadLong(JsonElement json, string path)
    {
        var raw = json.GetRawText();
        return !raw.AsSpan().ContainsAny('.', 'e', 'E') && json.TryGetInt64(out var value)
            ? new CedarLong(value)
            : throw Wrong(path, $"{(raw.Length > 40 ? raw[..40] : raw)} is no whole number of 64 bits");
    }

    private string Text(JsonElement json, string path)
    {
        Expect(json, JsonValueKind.String, path);
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(path, "the text is not valid Unicode");
        }
    }
}
