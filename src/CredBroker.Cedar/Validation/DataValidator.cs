using System.Collections.Immutable;
using CredBroker.Cedar.Schemas;

namespace CredBroker.Cedar.Validation;

/// <summary>Holds requests and entities against a schema. What passes cannot make a validated policy fail, but by overflow or a missing entity.</summary>
internal sealed class DataValidator
{
    private readonly Schema _schema;
    private readonly List<DataIssue> _issues = [];
    private readonly ValueChecker _values;

    private DataValidator(Schema schema) => (_schema, _values) = (schema, new ValueChecker(schema, _issues));

    public static ImmutableArray<DataIssue> Check(Schema schema, Request request)
    {
        var validator = new DataValidator(schema);
        validator.CheckRequest(request);
        return [.. validator._issues];
    }

    public static ImmutableArray<DataIssue> Check(Schema schema, EntityStore entities)
    {
        var validator = new DataValidator(schema);
        foreach (var entity in entities.Entities)
            validator.CheckEntity(entity, entities);
        return [.. validator._issues];
    }

    private void CheckRequest(Request request)
    {
        var principalExists = _values.CheckUid(request.Principal, "principal");
        var resourceExists = _values.CheckUid(request.Resource, "resource");
        if (_schema.FindAction(request.Action) is not { } action)
        {
            Report("action", $"there is no action {request.Action}");
            return;
        }
        if (principalExists && !action.Principals.Contains(request.Principal.Type))
            Report("principal", $"{request.Action} is not for a {request.Principal.Type}");
        if (resourceExists && !action.Resources.Contains(request.Resource.Type))
            Report("resource", $"{request.Action} is not done on a {request.Resource.Type}");
        _values.CheckRecord(request.Context, action.Context, "context");
    }

    private void CheckEntity(Entity entity, EntityStore entities)
    {
        var where = entity.Uid.ToString();
        if (!_values.CheckUid(entity.Uid, where))
            return;
        if (_schema.FindEntityType(entity.Uid.Type) is not { } type)
        {
            CheckAction(entity, entities, where);
            return;
        }
        _values.CheckRecord(entity.Attributes, type.Attributes, where);
        CheckTags(entity.Tags, type, where);
        foreach (var parent in entity.Parents)
        {
            if (!type.Ancestors.Contains(parent.Type))
                Report(where, $"a {type.Name} cannot be in {parent}");
            else
                _values.CheckUid(parent, where);
        }
    }

    private void CheckTags(CedarRecord tags, EntityTypeInfo type, string where)
    {
        if (type.Tags is null && tags.Attributes.Count > 0)
            Report(where, $"a {type.Name} has no tags");
        if (type.Tags is null)
            return;
        foreach (var (name, value) in tags.Attributes)
            _values.Check(value, type.Tags, $"{where}.getTag({Text.Quoting.Quote(name)})");
    }

    // The hierarchy of actions is the schema's alone.
    private void CheckAction(Entity entity, EntityStore entities, string where)
    {
        if (!entities.AncestorsOf(entity.Uid).SetEquals(_schema.FindAction(entity.Uid)!.Ancestors))
            Report(where, "the action is in other groups than the schema says");
        if (entity.Attributes.Attributes.Count > 0 || entity.Tags.Attributes.Count > 0)
            Report(where, "an action has no attributes and no tags");
    }

    private void Report(string where, string message) => _issues.Add(new DataIssue(where, message));
}
