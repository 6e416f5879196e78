using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Validation;

/// <summary>
/// Finds names of entity types, actions and enumerated ids that the schema doesn't have. A pass of its own, because the type checker
/// doesn't look at what can't be reached.
/// </summary>
internal static class ReferenceChecker
{
    public static void Check(Policy policy, Schema schema, IssueCollector issues)
    {
        var open = new Stack<Expr>(ScopeExpressions.Of(policy).Concat(policy.Conditions.Select(c => c.Body)));
        while (open.TryPop(out var expr))
        {
            if (expr is LiteralExpr { Value: EntityUid uid })
                CheckUid(uid, expr.Location, schema, issues);
            else if (expr is IsExpr test)
                CheckType(test.EntityType, test.TypeLocation, schema, issues);
            foreach (var part in expr.Parts)
                open.Push(part);
        }
    }

    private static void CheckUid(EntityUid uid, SourceLocation at, Schema schema, IssueCollector issues)
    {
        if (uid.IsAction)
        {
            if (schema.FindAction(uid) is null)
                issues.Add(ValidationIssueKind.UnknownAction, at, $"there is no action {uid}");
        }
        else if (schema.FindEntityType(uid.Type) is not { } type)
        {
            issues.Add(ValidationIssueKind.UnknownEntityType, at, $"there is no entity type {uid.Type}");
        }
        else if (type.EnumIds is { } ids && !ids.Contains(uid.Id))
        {
            issues.Add(ValidationIssueKind.UnknownEnumId, at,
                $"{Quoting.Quote(uid.Id)} is not among the ids of {uid.Type}: {string.Join(", ", ids.Order(StringComparer.Ordinal).Select(Quoting.Quote))}");
        }
    }

    private static void CheckType(string type, SourceLocation at, Schema schema, IssueCollector issues)
    {
        if (!Names.IsActionType(type) && schema.FindEntityType(type) is null)
            issues.Add(ValidationIssueKind.UnknownEntityType, at, $"there is no entity type {type}");
    }
}
