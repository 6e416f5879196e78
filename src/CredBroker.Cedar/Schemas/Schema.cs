using System.Collections.Immutable;
using CredBroker.Cedar.Schemas;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Which entities, actions and contexts there are: what policies are validated against. Immutable.</summary>
public sealed class Schema
{
    // An attribute takes two levels for each that its type nests.
    private const int MaxJsonDepth = 3 * TextLimits.MaxNesting;

    private readonly Dictionary<string, EntityTypeInfo> _entityTypes;
    private readonly Dictionary<EntityUid, ActionInfo> _actions;
    private readonly SchemaSyntax _syntax;

    internal Schema(Dictionary<string, EntityTypeInfo> entityTypes, Dictionary<EntityUid, ActionInfo> actions, SchemaSyntax syntax)
    {
        (_entityTypes, _actions, _syntax) = (entityTypes, actions, syntax);
        EntityTypes = [.. entityTypes.Keys.Order(StringComparer.Ordinal)];
        Actions = [.. actions.Keys.OrderBy(a => a.Type, StringComparer.Ordinal).ThenBy(a => a.Id, StringComparer.Ordinal)];
        ActionEntities = [.. Actions.Select(a => new Entity(a, null, actions[a].Parents))];
    }

    /// <summary>The whole names of the entity types, without actions, in order.</summary>
    public ImmutableArray<string> EntityTypes { get; }

    /// <summary>The actions and action groups, in order.</summary>
    public ImmutableArray<EntityUid> Actions { get; }

    /// <summary>The actions with their groups, to be put into an <see cref="EntityStore"/> where policies name groups.</summary>
    public ImmutableArray<Entity> ActionEntities { get; }

    /// <summary>Reads a schema in Cedar's text format.</summary>
    /// <param name="text">The schema.</param>
    /// <param name="file">The name that errors carry.</param>
    /// <returns>The schema; or all the errors that were found, and no schema.</returns>
    public static Parsed<Schema> Parse(string text, string file = "")
    {
        ArgumentNullException.ThrowIfNull(text);
        return new SchemaParser(text, file).Parse();
    }

    /// <summary>Reads a schema in Cedar's JSON format.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<Schema> ParseJson(string json, string file = "")
    {
        var syntax = CedarJson.Parse(json, file, MaxJsonDepth, (shape, root) => new SchemaJsonReader(shape).Read(root));
        if (!syntax.IsValid)
            return new(syntax.Errors);
        var diagnostics = new DiagnosticBag(file);
        return new SchemaResolver(syntax.Value, diagnostics).Resolve() is { } schema ? new(schema) : new(diagnostics.ToSorted());
    }

    /// <summary>
    /// The schema in Cedar's text format. Errors if it was read from JSON and says what text can't: an entity type where another type has its name, or
    /// attributes of an entity that are a type's name.
    /// </summary>
    public Parsed<string> ToText() => SchemaTextWriter.Write(_syntax);

    /// <summary>The schema in Cedar's JSON format.</summary>
    public string ToJson() => CedarJson.Write(json => new SchemaJsonWriter(json).Write(_syntax));

    /// <summary>The actions of this schema that a policy's scope admits: those it names, those in the groups it names, or all.</summary>
    public ImmutableArray<EntityUid> ActionsOf(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.Action switch
        {
            ActionScope.Equal scope => [.. Actions.Where(a => a.Equals(scope.Action))],
            ActionScope.In scope => [.. Actions.Where(a => scope.Actions.Any(group => IsActionIn(a, group.Action)))],
            _ => Actions,
        };
    }

    internal EntityTypeInfo? FindEntityType(string name) => _entityTypes.GetValueOrDefault(name);

    internal ActionInfo? FindAction(EntityUid uid) => _actions.GetValueOrDefault(uid);

    internal IEnumerable<RequestEnvironment> Environments() =>
        from uid in Actions
        let action = _actions[uid]
        from principal in action.Principals
        from resource in action.Resources
        select new RequestEnvironment(principal, action, resource);

    internal bool IsActionIn(EntityUid action, EntityUid group) =>
        action.Equals(group) || (FindAction(action)?.Ancestors.Contains(group) ?? false);

    /// <summary>Whether an entity of the one type can be in an entity of the other.</summary>
    internal bool CanBeIn(string type, string ancestor) => type == ancestor
        || (FindEntityType(type)?.Ancestors.Contains(ancestor) ?? false)
        || _actions.Values.Any(a => a.Uid.Type == type && a.Ancestors.Any(g => g.Type == ancestor));
}
