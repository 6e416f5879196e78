using System.Collections.Immutable;
using System.Text.Json;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Schemas;

/// <summary>Reads the JSON format of schemas.</summary>
internal sealed class SchemaJsonReader(JsonShape shape)
{
    private readonly SourceLocation _at = new(shape.File, 1, 1);
    private readonly ImmutableArray<DeclarationSyntax>.Builder _declarations = ImmutableArray.CreateBuilder<DeclarationSyntax>();

    public SchemaSyntax Read(JsonElement json)
    {
        shape.Expect(json, JsonValueKind.Object, JsonPath.Root);
        var spaces = ImmutableArray.CreateBuilder<SpaceSyntax>();
        foreach (var space in json.EnumerateObject())
        {
            var path = JsonPath.Root.Child(space.Name);
            if (space.Name.Length > 0 && !Names.IsPath(space.Name))
                throw shape.Wrong(path, $"{Quoting.Quote(space.Name)} is no namespace's name");
            ReadSpace(space.Name, space.Value, path);
            if (space.Name.Length > 0)
                spaces.Add(new SpaceSyntax(space.Name, ReadAnnotations(space.Value, path)));
        }
        return new SchemaSyntax(_declarations.DrainToImmutable(), spaces.DrainToImmutable());
    }

    private void ReadSpace(string space, JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["commonTypes", "entityTypes", "actions", "annotations"]);
        if (space.Length == 0 && json.TryGetProperty("annotations", out _))
            throw shape.Wrong(path, "what is outside of all namespaces has no annotations");
        if (json.TryGetProperty("commonTypes", out var commonTypes))
        {
            foreach (var (name, value, at) in Members(commonTypes, path.Child("commonTypes")))
                Add(value, at, new DeclarationSyntax.CommonType(space, [Identifier(name, at)], ReadType(value, at, isAnnotated: true)));
        }
        foreach (var (name, value, at) in Members(shape.Required(json, "entityTypes", path), path.Child("entityTypes")))
            Add(value, at, ReadEntity(space, Identifier(name, at), value, at));
        foreach (var (name, value, at) in Members(shape.Required(json, "actions", path), path.Child("actions")))
            Add(value, at, ReadAction(space, new NameSyntax(name, _at), value, at));
    }

    private void Add(JsonElement json, JsonPath path, DeclarationSyntax declaration) =>
        _declarations.Add(declaration with { Annotations = ReadAnnotations(json, path) });

    private DeclarationSyntax ReadEntity(string space, NameSyntax name, JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        if (json.TryGetProperty("enum", out var ids))
        {
            shape.ExpectNames(json, path, ["enum", "annotations"]);
            var listed = ReadStrings(ids, path.Child("enum"));
            return listed.IsEmpty ? throw shape.Wrong(path.Child("enum"), "at least one id is needed") : new DeclarationSyntax.EnumEntity(space, [name], listed);
        }
        shape.ExpectNames(json, path, ["memberOfTypes", "shape", "tags", "annotations"]);
        var parents = json.TryGetProperty("memberOfTypes", out var types) ? ReadTypeNames(types, path.Child("memberOfTypes")) : [];
        TypeSyntax attributes = json.TryGetProperty("shape", out var record) ? ReadType(record, path.Child("shape")) : new TypeSyntax.Record([], _at);
        return new DeclarationSyntax.Entity(space, [name], parents, attributes,
            json.TryGetProperty("tags", out var tags) ? ReadType(tags, path.Child("tags")) : null);
    }

    private DeclarationSyntax.Action ReadAction(string space, NameSyntax name, JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["appliesTo", "memberOf", "annotations"]);
        var parents = ImmutableArray.CreateBuilder<ActionReference>();
        if (json.TryGetProperty("memberOf", out var groups))
        {
            shape.Expect(groups, JsonValueKind.Array, path.Child("memberOf"));
            foreach (var group in groups.EnumerateArray())
                parents.Add(ReadGroup(group, path.Child("memberOf")));
        }
        var applies = json.TryGetProperty("appliesTo", out var to) ? ReadAppliesTo(to, path.Child("appliesTo")) : null;
        return new DeclarationSyntax.Action(space, [name], parents.DrainToImmutable(), applies);
    }

    private ActionReference ReadGroup(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["id", "type"]);
        var type = json.TryGetProperty("type", out var given) ? shape.TypeName(given, path.Child("type")) : null;
        return new ActionReference(type, shape.Text(shape.Required(json, "id", path), path.Child("id")), _at);
    }

    private AppliesToSyntax ReadAppliesTo(JsonElement json, JsonPath path)
    {
        shape.ExpectNames(json, path, ["principalTypes", "resourceTypes", "context"]);
        return new AppliesToSyntax(
            ReadTypeNames(shape.Required(json, "principalTypes", path), path.Child("principalTypes")),
            ReadTypeNames(shape.Required(json, "resourceTypes", path), path.Child("resourceTypes")),
            json.TryGetProperty("context", out var context) ? ReadType(context, path.Child("context")) : null);
    }

    // Depth is bounded by what the JSON parser accepts.
    private TypeSyntax ReadType(JsonElement json, JsonPath path, bool isAttribute = false, bool isAnnotated = false)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        var kind = shape.Text(shape.Required(json, "type", path), path.Child("type"));
        string[] others = isAttribute ? ["type", "required", "annotations"] : isAnnotated ? ["type", "annotations"] : ["type"];
        void Expect(params string[] names) => shape.ExpectNames(json, path, [.. names, .. others]);
        switch (kind)
        {
            case "Set":
                Expect("element");
                return new TypeSyntax.Set(ReadType(shape.Required(json, "element", path), path.Child("element")), _at);
            case "Record":
                Expect("attributes", "additionalAttributes");
                return ReadRecord(json, path);
            case "Entity":
                Expect("name");
                return new TypeSyntax.Named(shape.TypeName(shape.Required(json, "name", path), path.Child("name")), _at, TypeNameKind.Entity);
            case "EntityOrCommon":
                Expect("name");
                return new TypeSyntax.Named(TypeName(shape.Required(json, "name", path), path.Child("name")), _at);
            case "Extension":
                Expect("name");
                return BuiltIn(shape.Text(shape.Required(json, "name", path), path.Child("name")), path);
            case "Long" or "String" or "Boolean":
                Expect();
                return new TypeSyntax.Named(kind == "Boolean" ? "Bool" : kind, _at, TypeNameKind.BuiltIn);
            default:
                Expect();
                return new TypeSyntax.Named(TypeName(json.GetProperty("type"), path.Child("type")), _at, TypeNameKind.Common);
        }
    }

    private TypeSyntax.Named BuiltIn(string name, JsonPath path) => SchemaTypeResolver.IsExtension(name)
        ? new TypeSyntax.Named(name, _at, TypeNameKind.BuiltIn)
        : throw shape.Wrong(path, $"there is no extension type {Quoting.Quote(name)}");

    private TypeSyntax.Record ReadRecord(JsonElement json, JsonPath path)
    {
        if (json.TryGetProperty("additionalAttributes", out var open) && open.ValueKind != JsonValueKind.False)
            throw shape.Wrong(path, "records with additional attributes are not part of the language");
        var attributes = ImmutableArray.CreateBuilder<AttributeSyntax>();
        foreach (var (name, value, at) in Members(shape.Required(json, "attributes", path), path.Child("attributes")))
        {
            var type = ReadType(value, at, isAttribute: true);
            attributes.Add(new AttributeSyntax(new NameSyntax(name, _at), ReadRequired(value, at), type, ReadAnnotations(value, at)));
        }
        return new TypeSyntax.Record(attributes.DrainToImmutable(), _at);
    }

    private bool ReadRequired(JsonElement json, JsonPath path) => !json.TryGetProperty("required", out var required) || required.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw shape.Wrong(path.Child("required"), "expected true or false"),
    };

    private ImmutableArray<Annotation> ReadAnnotations(JsonElement json, JsonPath path)
    {
        if (!json.TryGetProperty("annotations", out var annotations))
            return [];
        return [.. Members(annotations, path.Child("annotations")).Select(a => Names.IsIdentifier(a.Name)
            ? new Annotation(a.Name, a.Value.ValueKind == JsonValueKind.Null ? "" : shape.Text(a.Value, a.Path), _at)
            : throw shape.Wrong(a.Path, $"{Quoting.Quote(a.Name)} is no annotation's name"))];
    }

    private ImmutableArray<NameSyntax> ReadTypeNames(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Array, path);
        return [.. json.EnumerateArray().Select((name, i) => new NameSyntax(shape.TypeName(name, path.At(i)), _at))];
    }

    private ImmutableArray<string> ReadStrings(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Array, path);
        return [.. json.EnumerateArray().Select((text, i) => shape.Text(text, path.At(i)))];
    }

    private string TypeName(JsonElement json, JsonPath path)
    {
        var name = shape.Text(json, path);
        var rest = name.StartsWith("__cedar::", StringComparison.Ordinal) ? name["__cedar::".Length..] : name;
        return Names.IsPath(rest) ? name : throw shape.Wrong(path, $"{Quoting.Quote(name)} is no type's name");
    }

    private NameSyntax Identifier(string name, JsonPath path) => Names.IsIdentifier(name) && !Names.IsReserved(name)
        ? new NameSyntax(name, _at)
        : throw shape.Wrong(path, $"{Quoting.Quote(name)} is no name for a type");

    private IEnumerable<(string Name, JsonElement Value, JsonPath Path)> Members(JsonElement json, JsonPath path)
    {
        shape.Expect(json, JsonValueKind.Object, path);
        return json.EnumerateObject().Select(m => (m.Name, m.Value, path.Child(m.Name)));
    }
}
