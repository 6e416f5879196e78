using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Schemas;

/// <summary>Turns declarations into a schema: every name is resolved, every error recorded.</summary>
internal sealed class SchemaResolver(SchemaSyntax syntax, DiagnosticBag diagnostics)
{
    // What is worked out from a schema grows faster than its text.
    private const int MaxAncestors = 1_000_000;
    private const int MaxEnvironments = 1_000_000;

    private readonly Dictionary<string, DeclarationSyntax> _entityTypes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeclarationSyntax.CommonType> _commonTypes = new(StringComparer.Ordinal);
    private readonly Dictionary<EntityUid, (DeclarationSyntax.Action Declaration, SourceLocation Location)> _actions = [];

    /// <summary>The schema, or null after errors.</summary>
    public Schema? Resolve()
    {
        foreach (var declaration in syntax.Declarations)
        {
            foreach (var name in declaration.Names)
                Collect(declaration, name);
        }
        RefuseShadowing();
        if (!diagnostics.IsEmpty)
            return null;
        var types = new SchemaTypeResolver(_entityTypes, _commonTypes, [.. _actions.Keys.Select(a => a.Type)], diagnostics);
        foreach (var (path, declaration) in _commonTypes)
            types.ResolveCommon(path, declaration.Names[0].Location);
        var entityTypes = ResolveEntityTypes(types);
        var actions = ResolveActions(types);
        return diagnostics.IsEmpty ? new Schema(entityTypes, actions, syntax) : null;
    }

    private void Collect(DeclarationSyntax declaration, NameSyntax name)
    {
        var path = Names.Qualify(declaration.Space, name.Name);
        var isNew = declaration switch
        {
            DeclarationSyntax.CommonType type => _commonTypes.TryAdd(path, type),
            DeclarationSyntax.Action action => _actions.TryAdd(ActionUid(action.Space, name.Name), (action, name.Location)),
            _ => _entityTypes.TryAdd(path, declaration),
        };
        if (!isNew)
            diagnostics.Add(name.Location, $"{Quoting.Quote(path)} is declared twice");
        if (declaration is DeclarationSyntax.CommonType && SchemaTypeResolver.IsReservedTypeName(name.Name))
            diagnostics.Add(name.Location, $"'{name.Name}' cannot be redefined");
        if (declaration is DeclarationSyntax.Entity or DeclarationSyntax.EnumEntity && name.Name == "Action")
            diagnostics.Add(name.Location, "the entity type 'Action' is reserved for actions");
    }

    // RFC 70: a name must not mean different things inside a namespace and outside of all.
    private void RefuseShadowing()
    {
        foreach (var declaration in syntax.Declarations.Where(d => d.Space.Length > 0))
        {
            foreach (var name in declaration.Names)
            {
                var shadows = declaration is DeclarationSyntax.Action
                    ? _actions.ContainsKey(ActionUid("", name.Name))
                    : _entityTypes.ContainsKey(name.Name) || _commonTypes.ContainsKey(name.Name);
                if (shadows)
                    diagnostics.Add(name.Location, $"{Quoting.Quote(name.Name)} is also declared outside of the namespace");
            }
        }
    }

    private Dictionary<string, EntityTypeInfo> ResolveEntityTypes(SchemaTypeResolver types)
    {
        var parents = _entityTypes.ToDictionary(
            t => t.Key, t => ResolveParents(t.Value, types), StringComparer.Ordinal);
        var result = new Dictionary<string, EntityTypeInfo>(StringComparer.Ordinal);
        var total = 0;
        foreach (var (path, declaration) in _entityTypes)
        {
            var ancestors = Hierarchy.Ancestors(path, t => parents[t]);
            if ((total += ancestors.Count) > MaxAncestors)
            {
                diagnostics.Add(declaration.Names[0].Location, $"the entity types have more than {MaxAncestors} ancestors together");
                break;
            }
            result[path] = declaration is DeclarationSyntax.EnumEntity listed
                ? new EntityTypeInfo(path, CedarType.Record.Empty, null, [.. listed.Ids], ancestors)
                : ResolveEntityType(path, (DeclarationSyntax.Entity)declaration, ancestors, types);
        }
        return result;
    }

    private static ImmutableArray<string> ResolveParents(DeclarationSyntax declaration, SchemaTypeResolver types) =>
        declaration is DeclarationSyntax.Entity entity
            ? [.. entity.Parents.Select(p => types.ResolveEntity(p, entity.Space)).OfType<string>()]
            : [];

    private EntityTypeInfo ResolveEntityType(string path, DeclarationSyntax.Entity entity, HashSet<string> ancestors, SchemaTypeResolver types) =>
        new(path, ResolveRecord(entity.Attributes, entity.Space, types, "the shape of an entity"),
            entity.Tags is null ? null : types.Resolve(entity.Tags, entity.Space), null, ancestors);

    private Dictionary<EntityUid, ActionInfo> ResolveActions(SchemaTypeResolver types)
    {
        var groups = _actions.ToDictionary(a => a.Key, a => ResolveGroups(a.Value.Declaration));
        if (Hierarchy.FindCycle(groups.Keys, uid => groups[uid]) is { } inItself)
            diagnostics.Add(_actions[inItself].Location, $"the action {inItself} is in itself by way of its groups");
        var result = new Dictionary<EntityUid, ActionInfo>();
        var (environments, ancestors) = (0L, 0);
        foreach (var (uid, (declaration, location)) in _actions)
        {
            var applies = declaration.AppliesTo ?? new AppliesToSyntax([], [], null);
            var action = new ActionInfo(uid, groups[uid],
                ResolveTypes(applies.Principals, declaration.Space, types),
                ResolveTypes(applies.Resources, declaration.Space, types),
                applies.Context is null ? CedarType.Record.Empty : ResolveRecord(applies.Context, declaration.Space, types, "a context"),
                Hierarchy.Ancestors(uid, u => groups[u]));
            result[uid] = action;
            environments += (long)action.Principals.Length * action.Resources.Length;
            ancestors += action.Ancestors.Count;
            if (environments <= MaxEnvironments && ancestors <= MaxAncestors)
                continue;
            diagnostics.Add(location, environments > MaxEnvironments
                ? $"the actions allow more than {MaxEnvironments} kinds of request"
                : $"the actions have more than {MaxAncestors} ancestors together");
            break;
        }
        return result;
    }

    private static ImmutableArray<string> ResolveTypes(ImmutableArray<NameSyntax> names, string space, SchemaTypeResolver types) =>
        [.. names.Select(n => types.ResolveEntity(n, space)).OfType<string>().Distinct(StringComparer.Ordinal)];

    private CedarType.Record ResolveRecord(TypeSyntax syntax, string space, SchemaTypeResolver types, string what)
    {
        var type = types.Resolve(syntax, space);
        if (type is not null and not CedarType.Record)
            diagnostics.Add(syntax.Location, $"{what} is a record, not {type}");
        return type as CedarType.Record ?? CedarType.Record.Empty;
    }

    private ImmutableArray<EntityUid> ResolveGroups(DeclarationSyntax.Action declaration) =>
        [.. declaration.Parents.Select(p => ResolveGroup(p, declaration.Space)).OfType<EntityUid>()];

    private EntityUid? ResolveGroup(ActionReference reference, string space)
    {
        // As with types: the own namespace first, then outside of all.
        EntityUid[] candidates = reference.TypePath switch
        {
            null or "Action" => [ActionUid(space, reference.Id), ActionUid("", reference.Id)],
            var path => [new EntityUid(path, reference.Id)],
        };
        var found = Array.Find(candidates, _actions.ContainsKey);
        if (found is null)
            diagnostics.Add(reference.Location, $"there is no action {candidates[0]}");
        return found;
    }

    private static EntityUid ActionUid(string space, string id) => new(Names.Qualify(space, "Action"), id);
}
