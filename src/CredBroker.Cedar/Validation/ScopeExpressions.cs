using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar.Validation;

/// <summary>The scope of a policy as the expressions it stands for. A slot could be any entity, so what depends on one is left out.</summary>
internal static class ScopeExpressions
{
    public static IEnumerable<Expr> Of(Policy policy) =>
        Of(policy.Principal, Variable.Principal, policy.Location).Concat(Of(policy.Action, policy.Location)).Concat(Of(policy.Resource, Variable.Resource, policy.Location));

    private static IEnumerable<Expr> Of(EntityScope scope, Variable variable, SourceLocation at)
    {
        var left = new VariableExpr(at, variable);
        return scope switch
        {
            EntityScope.Equal { Entity: { } uid } s => [new BinaryExpr(s.Location, BinaryOperator.Equal, left, new LiteralExpr(s.Location, uid))],
            EntityScope.In { Entity: { } uid } s => [new BinaryExpr(s.Location, BinaryOperator.In, left, new LiteralExpr(s.Location, uid))],
            EntityScope.Is s => [new IsExpr(s.Location, left, s.Type, s.Location, null)],
            EntityScope.IsIn s => [new IsExpr(s.Location, left, s.Type, s.TypeLocation, s.Entity is null ? null : new LiteralExpr(s.Location, s.Entity))],
            _ => [],
        };
    }

    private static IEnumerable<Expr> Of(ActionScope scope, SourceLocation at)
    {
        var left = new VariableExpr(at, Variable.Action);
        return scope switch
        {
            ActionScope.Equal s => [new BinaryExpr(s.Location, BinaryOperator.Equal, left, new LiteralExpr(s.Location, s.Action))],
            ActionScope.In s => [new BinaryExpr(at, BinaryOperator.In, left, Group(s, at))],
            _ => [],
        };
    }

    private static Expr Group(ActionScope.In scope, SourceLocation at) => scope.IsList
        ? new SetExpr(at, [.. scope.Actions.Select(a => new LiteralExpr(a.Location, a.Action))])
        : new LiteralExpr(scope.Actions[0].Location, scope.Actions[0].Action);
}
