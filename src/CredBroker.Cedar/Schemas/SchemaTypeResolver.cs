using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Schemas;

/// <summary>Finds what type names mean: the own namespace before the outside of all, common types before entity types, built-in types last.</summary>
internal sealed class SchemaTypeResolver(
    Dictionary<string, DeclarationSyntax> entityTypes, Dictionary<string, DeclarationSyntax.CommonType> commonTypes, HashSet<string> actionTypes,
    DiagnosticBag diagnostics)
{
    private static readonly Dictionary<string, CedarType> BuiltIn = new(StringComparer.Ordinal)
    {
        ["Bool"] = CedarType.AnyBool,
        ["Long"] = CedarType.Number,
        ["String"] = CedarType.Text,
        ["ipaddr"] = new CedarType.Extension("ipaddr"),
        ["decimal"] = new CedarType.Extension("decimal"),
        ["datetime"] = new CedarType.Extension("datetime"),
        ["duration"] = new CedarType.Extension("duration"),
    };

    // Types that refer to each other grow without any nesting in the text; what is done with a type costs as much as writing it out.
    private const int MaxSize = 100_000;

    private static readonly HashSet<string> Reserved = ["Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"];

    private readonly Dictionary<string, CedarType?> _resolved = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private int _depth;

    public static bool IsExtension(string name) => BuiltIn.GetValueOrDefault(name) is CedarType.Extension;

    public static bool IsReservedTypeName(string name) => Reserved.Contains(name);

    /// <summary>The type, or null after an error.</summary>
    public CedarType? Resolve(TypeSyntax syntax, string space)
    {
        if (_depth >= TextLimits.MaxNesting)
        {
            diagnostics.Add(syntax.Location, $"types nest more than {TextLimits.MaxNesting} deep");
            return null;
        }
        _depth++;
        CedarType? type = syntax switch
        {
            TypeSyntax.Set set => Resolve(set.Element, space) is { } element ? new CedarType.Set(element) : null,
            TypeSyntax.Record record => ResolveRecord(record, space),
            TypeSyntax.Named named => ResolveNamed(named, space),
            _ => null,
        };
        _depth--;
        return type;
    }

    private CedarType.Record ResolveRecord(TypeSyntax.Record syntax, string space)
    {
        var attributes = ImmutableSortedDictionary.CreateBuilder<string, AttributeType>(StringComparer.Ordinal);
        foreach (var attribute in syntax.Attributes)
        {
            if (Resolve(attribute.Type, space) is { } type)
                attributes[attribute.Name.Name] = new AttributeType(type, attribute.IsRequired);
        }
        return new CedarType.Record(attributes.ToImmutable());
    }

    /// <summary>The whole name of the entity type that is meant, or null after an error.</summary>
    public string? ResolveEntity(NameSyntax name, string space)
    {
        var found = Candidates(name.Name, space).FirstOrDefault(entityTypes.ContainsKey);
        if (found is null)
            diagnostics.Add(name.Location, $"there is no entity type {name.Name}");
        return found;
    }

    public CedarType? ResolveCommon(string path, SourceLocation location)
    {
        if (_resolved.TryGetValue(path, out var known))
            return known;
        if (!_open.Add(path))
        {
            diagnostics.Add(location, $"the type {path} is defined by itself");
            return null;
        }
        var declaration = commonTypes[path];
        var type = Resolve(declaration.Type, declaration.Space);
        _open.Remove(path);
        if (type is { Depth: > TextLimits.MaxNesting } or { Size: > MaxSize })
        {
            diagnostics.Add(location, $"the type {path} is too large");
            type = null;
        }
        _resolved[path] = type;
        return type;
    }

    private CedarType? ResolveNamed(TypeSyntax.Named named, string space)
    {
        foreach (var candidate in Candidates(named.Path, space))
        {
            if (named.Kind is TypeNameKind.Any or TypeNameKind.Common && commonTypes.ContainsKey(candidate))
                return ResolveCommon(candidate, named.Location);
            if (named.Kind is TypeNameKind.Any or TypeNameKind.Entity && (entityTypes.ContainsKey(candidate) || actionTypes.Contains(candidate)))
                return new CedarType.Entity(candidate);
        }
        var builtIn = named.Path.StartsWith("__cedar::", StringComparison.Ordinal) ? named.Path["__cedar::".Length..] : named.Path;
        if (named.Kind != TypeNameKind.Entity && BuiltIn.TryGetValue(builtIn, out var type))
            return type;
        diagnostics.Add(named.Location, $"there is no type {named.Path}");
        return null;
    }

    private static IEnumerable<string> Candidates(string path, string space)
    {
        if (space.Length > 0 && !path.Contains("::", StringComparison.Ordinal))
            yield return Names.Qualify(space, path);
        yield return path;
    }
}
