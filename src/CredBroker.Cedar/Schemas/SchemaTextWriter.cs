using System.Collections.Immutable;
using System.Text;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Schemas;

/// <summary>Writes a schema in Cedar's text format.</summary>
internal sealed class SchemaTextWriter
{
    private readonly SchemaSyntax _schema;
    private readonly HashSet<string> _typeNames;
    private readonly HashSet<string> _commonTypes;
    private readonly List<Diagnostic> _errors = [];
    private readonly StringBuilder _text = new();
    private string _space = "";
    private int _depth;

    private SchemaTextWriter(SchemaSyntax schema)
    {
        _schema = schema;
        var types = schema.Declarations.Where(d => d is not DeclarationSyntax.Action).ToList();
        _typeNames = [.. types.SelectMany(d => d.Names).Select(n => n.Name)];
        _commonTypes = [.. types.OfType<DeclarationSyntax.CommonType>().SelectMany(d => d.Names.Select(n => Names.Qualify(d.Space, n.Name)))];
    }

    /// <summary>The text; or what of the JSON format has no text.</summary>
    public static Parsed<string> Write(SchemaSyntax schema)
    {
        var writer = new SchemaTextWriter(schema);
        writer.WriteAll();
        return writer._errors.Count == 0 ? new(writer._text.ToString()) : new([.. writer._errors]);
    }

    private void WriteAll()
    {
        WriteDeclarations("");
        foreach (var space in _schema.Spaces)
        {
            Separate();
            WriteAnnotations(space.Annotations);
            Line($"namespace {space.Name} {{");
            (_space, _depth) = (space.Name, 1);
            WriteDeclarations(space.Name);
            (_space, _depth) = ("", 0);
            Line("}");
        }
    }

    private void WriteDeclarations(string space)
    {
        var isFirst = true;
        foreach (var declaration in _schema.Declarations.Where(d => d.Space == space))
        {
            if (!isFirst || space.Length == 0)
                Separate();
            isFirst = false;
            WriteAnnotations(declaration.Annotations);
            Indent();
            Write(declaration);
            _text.Append(";\n");
        }
    }

    private void Write(DeclarationSyntax declaration)
    {
        switch (declaration)
        {
            case DeclarationSyntax.CommonType d:
                _text.Append("type ").Append(d.Names[0].Name).Append(" = ");
                WriteType(d.Type);
                break;
            case DeclarationSyntax.EnumEntity d:
                _text.Append("entity ").AppendJoin(", ", d.Names.Select(n => n.Name)).Append(" enum [").AppendJoin(", ", d.Ids.Select(Quoting.Quote)).Append(']');
                break;
            case DeclarationSyntax.Entity d:
                WriteEntity(d);
                break;
            case DeclarationSyntax.Action d:
                WriteAction(d);
                break;
        }
    }

    private void WriteEntity(DeclarationSyntax.Entity entity)
    {
        _text.Append("entity ").AppendJoin(", ", entity.Names.Select(n => n.Name));
        if (!entity.Parents.IsEmpty)
            _text.Append(" in [").AppendJoin(", ", entity.Parents.Select(p => p.Name)).Append(']');
        if (entity.Attributes is not TypeSyntax.Record attributes)
            _errors.Add(new Diagnostic(entity.Names[0].Location, $"the attributes of {entity.Names[0].Name} are a type's name: text can only spell them out"));
        else if (!attributes.Attributes.IsEmpty)
            WriteType(attributes, " = ");
        if (entity.Tags is not null)
            WriteType(entity.Tags, " tags ");
    }

    private void WriteAction(DeclarationSyntax.Action action)
    {
        _text.Append("action ").AppendJoin(", ", action.Names.Select(n => Names.WriteKey(n.Name)));
        if (!action.Parents.IsEmpty)
        {
            var parents = action.Parents.Select(p => p.TypePath is null ? Names.WriteKey(p.Id) : $"{p.TypePath}::{Quoting.Quote(p.Id)}");
            _text.Append(" in [").AppendJoin(", ", parents).Append(']');
        }
        // An action that applies to nothing says so by saying nothing.
        if (action.AppliesTo is not { Principals.IsEmpty: false, Resources.IsEmpty: false } applies)
            return;
        _text.Append(" appliesTo {\n");
        _depth++;
        Line($"principal: [{string.Join(", ", applies.Principals.Select(p => p.Name))}],");
        Indent();
        _text.Append($"resource: [{string.Join(", ", applies.Resources.Select(p => p.Name))}]");
        if (applies.Context is not null)
        {
            _text.Append(",\n");
            Indent();
            WriteType(applies.Context, "context: ");
        }
        _text.Append('\n');
        _depth--;
        Indent();
        _text.Append('}');
    }

    private void WriteType(TypeSyntax type, string before = "")
    {
        _text.Append(before);
        switch (type)
        {
            case TypeSyntax.Set set:
                _text.Append("Set<");
                WriteType(set.Element);
                _text.Append('>');
                break;
            case TypeSyntax.Named named:
                _text.Append(NameOf(named));
                break;
            case TypeSyntax.Record { Attributes.IsEmpty: true }:
                _text.Append("{}");
                break;
            case TypeSyntax.Record record:
                WriteRecord(record);
                break;
        }
    }

    private void WriteRecord(TypeSyntax.Record record)
    {
        _text.Append("{\n");
        _depth++;
        for (var i = 0; i < record.Attributes.Length; i++)
        {
            var attribute = record.Attributes[i];
            WriteAnnotations(attribute.Annotations);
            Indent();
            _text.Append(Names.WriteKey(attribute.Name.Name)).Append(attribute.IsRequired ? ": " : "?: ");
            WriteType(attribute.Type);
            _text.Append(i + 1 < record.Attributes.Length ? ",\n" : "\n");
        }
        _depth--;
        Indent();
        _text.Append('}');
    }

    private string NameOf(TypeSyntax.Named named)
    {
        if (named.Kind == TypeNameKind.BuiltIn)
            return _typeNames.Contains(named.Path) ? $"__cedar::{named.Path}" : named.Path;
        if (named.Kind == TypeNameKind.Entity && (_commonTypes.Contains(named.Path) || _commonTypes.Contains(Names.Qualify(_space, named.Path))))
            _errors.Add(new Diagnostic(named.Location, $"the entity type {named.Path} has the name of another type: in text it could not be told which is meant"));
        return named.Path;
    }

    private void WriteAnnotations(ImmutableArray<Annotation> annotations)
    {
        foreach (var annotation in annotations)
            Line($"@{annotation.Name}({Quoting.Quote(annotation.Value)})");
    }

    private void Separate()
    {
        if (_text.Length > 0)
            _text.Append('\n');
    }

    private void Line(string text)
    {
        Indent();
        _text.Append(text).Append('\n');
    }

    private void Indent() => _text.Append(' ', 2 * _depth);
}
