using System.Collections.Immutable;
using System.Text.Json;

namespace CredBroker.Cedar.Schemas;

/// <summary>Writes a schema in Cedar's JSON format.</summary>
internal sealed class SchemaJsonWriter(Utf8JsonWriter json)
{
    public void Write(SchemaSyntax schema)
    {
        json.WriteStartObject();
        var spaces = schema.Spaces;
        if (spaces.IsEmpty || schema.Declarations.Any(d => d.Space.Length == 0))
            spaces = spaces.Insert(0, new SpaceSyntax("", []));
        foreach (var space in spaces)
            Write(space, [.. schema.Declarations.Where(d => d.Space == space.Name)]);
        json.WriteEndObject();
    }

    private void Write(SpaceSyntax space, ImmutableArray<DeclarationSyntax> declarations)
    {
        json.WriteStartObject(space.Name);
        var commonTypes = declarations.OfType<DeclarationSyntax.CommonType>().ToList();
        if (commonTypes.Count > 0)
            WriteEach("commonTypes", commonTypes, d => WriteMembers(d.Type));
        WriteEach("entityTypes", declarations.Where(d => d is DeclarationSyntax.Entity or DeclarationSyntax.EnumEntity), WriteEntity);
        WriteEach("actions", declarations.OfType<DeclarationSyntax.Action>(), WriteAction);
        WriteAnnotations(space.Annotations);
        json.WriteEndObject();
    }

    private void WriteEach<T>(string name, IEnumerable<T> declarations, Action<T> write) where T : DeclarationSyntax
    {
        json.WriteStartObject(name);
        foreach (var declaration in declarations)
        {
            foreach (var declared in declaration.Names)
            {
                json.WriteStartObject(declared.Name);
                write(declaration);
                WriteAnnotations(declaration.Annotations);
                json.WriteEndObject();
            }
        }
        json.WriteEndObject();
    }

    private void WriteEntity(DeclarationSyntax declaration)
    {
        if (declaration is DeclarationSyntax.EnumEntity listed)
        {
            WriteStrings("enum", listed.Ids);
            return;
        }
        var entity = (DeclarationSyntax.Entity)declaration;
        if (!entity.Parents.IsEmpty)
            WriteStrings("memberOfTypes", entity.Parents.Select(p => p.Name));
        if (entity.Attributes is not TypeSyntax.Record { Attributes.IsEmpty: true })
            WriteType("shape", entity.Attributes);
        if (entity.Tags is not null)
            WriteType("tags", entity.Tags);
    }

    private void WriteAction(DeclarationSyntax.Action action)
    {
        if (action.AppliesTo is { } applies)
        {
            json.WriteStartObject("appliesTo");
            WriteStrings("principalTypes", applies.Principals.Select(p => p.Name));
            WriteStrings("resourceTypes", applies.Resources.Select(p => p.Name));
            if (applies.Context is not null)
                WriteType("context", applies.Context);
            json.WriteEndObject();
        }
        if (action.Parents.IsEmpty)
            return;
        json.WriteStartArray("memberOf");
        foreach (var parent in action.Parents)
        {
            json.WriteStartObject();
            json.WriteString("id", parent.Id);
            if (parent.TypePath is not null)
                json.WriteString("type", parent.TypePath);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteType(string name, TypeSyntax type)
    {
        json.WriteStartObject(name);
        WriteMembers(type);
        json.WriteEndObject();
    }

    private void WriteMembers(TypeSyntax type)
    {
        switch (type)
        {
            case TypeSyntax.Set set:
                json.WriteString("type", "Set");
                WriteType("element", set.Element);
                break;
            case TypeSyntax.Record record:
                WriteRecord(record);
                break;
            case TypeSyntax.Named { Kind: TypeNameKind.Common } named:
                json.WriteString("type", named.Path);
                break;
            case TypeSyntax.Named { Kind: TypeNameKind.BuiltIn, Path: "Long" or "String" } named:
                json.WriteString("type", named.Path);
                break;
            case TypeSyntax.Named { Kind: TypeNameKind.BuiltIn, Path: "Bool" }:
                json.WriteString("type", "Boolean");
                break;
            case TypeSyntax.Named named:
                json.WriteString("type", named.Kind switch
                {
                    TypeNameKind.Entity => "Entity",
                    TypeNameKind.BuiltIn => "Extension",
                    _ => "EntityOrCommon",
                });
                json.WriteString("name", named.Path);
                break;
        }
    }

    private void WriteRecord(TypeSyntax.Record record)
    {
        json.WriteString("type", "Record");
        json.WriteStartObject("attributes");
        foreach (var attribute in record.Attributes)
        {
            json.WriteStartObject(attribute.Name.Name);
            WriteMembers(attribute.Type);
            if (!attribute.IsRequired)
                json.WriteBoolean("required", false);
            WriteAnnotations(attribute.Annotations);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private void WriteStrings(string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private void WriteAnnotations(ImmutableArray<Annotation> annotations)
    {
        if (annotations.IsEmpty)
            return;
        json.WriteStartObject("annotations");
        foreach (var annotation in annotations)
            json.WriteString(annotation.Name, annotation.Value);
        json.WriteEndObject();
    }
}
