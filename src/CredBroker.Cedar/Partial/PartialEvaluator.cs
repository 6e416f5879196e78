using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>
/// Finds what may come of policies when part of the request is unknown. What doesn't touch the unknown is evaluated as ever; of the rest all that is possible is
/// gathered: never too little, sometimes too much.
/// </summary>
internal sealed class PartialEvaluator(PartialRequest request, EntityStore entities, Evaluation evaluation)
{
    // Whatever stands for the unknown resource is never looked at.
    public static Request Known(PartialRequest request) => new(request.Principal, request.Action, request.Resource ?? request.Principal, request.Context);

    public Outcomes Applies(Policy policy)
    {
        if (!policy.Action.Matches(request.Action, entities) || !policy.Principal.Matches(request.Principal, entities))
            return Outcomes.False;
        var scope = MatchesResource(policy.Resource);
        return scope.Has(Outcomes.True) ? Sequence([.. policy.Conditions], scope) : Outcomes.False;
    }

    private Outcomes MatchesResource(EntityScope scope)
    {
        if (request.Resource is { } resource)
            return scope.Matches(resource, entities) ? Outcomes.True : Outcomes.False;
        return scope switch
        {
            EntityScope.Any => Outcomes.True,
            EntityScope.Equal s => s.Entity is { } uid && IsOfType(uid.Type).Has(Outcomes.True) ? Outcomes.AnyBool : Outcomes.False,
            EntityScope.Is s => IsOfType(s.Type),
            EntityScope.IsIn s => IsOfType(s.Type).Has(Outcomes.True) ? Outcomes.AnyBool : Outcomes.False,
            _ => Outcomes.AnyBool,
        };
    }

    private Outcomes IsOfType(string type) => request.ResourceType switch
    {
        null => Outcomes.AnyBool,
        var known => known == type ? Outcomes.True : Outcomes.False,
    };

    private Outcomes Sequence(ImmutableArray<PolicyCondition> conditions, Outcomes before)
    {
        var all = before & ~Outcomes.True;
        foreach (var condition in conditions)
        {
            if (!evaluation.Pay(condition.Body.Location, condition.Body.Size))
                return Outcomes.Error;
            var outcome = Evaluate(condition.Body).AsBool();
            if (condition.IsUnless)
                outcome = outcome.Negated();
            all |= outcome & ~Outcomes.True;
            if (!outcome.Has(Outcomes.True))
                return all;
        }
        return all | Outcomes.True;
    }

    private Outcomes Evaluate(Expr expr)
    {
        if (!TouchesUnknown(expr))
            return OutcomesExtensions.Of(expr.Evaluate(evaluation));
        return expr switch
        {
            VariableExpr or SetExpr or RecordExpr or NegateExpr => Outcomes.Other | (expr is VariableExpr ? 0 : Outcomes.Error),
            AndExpr e => Chain(e.Operands, goesOn: Outcomes.True),
            OrExpr e => Chain(e.Operands, goesOn: Outcomes.False),
            NotExpr e => Evaluate(e.Operand).Negated(),
            IfExpr e => Choose(e),
            IsExpr e => Is(e),
            HasExpr e => e.Target is VariableExpr && e.Path.Length == 1 ? Outcomes.AnyBool : Outcomes.AnyBoolOrError,
            LikeExpr or IsEmptyExpr => Outcomes.AnyBoolOrError,
            BinaryExpr e => Binary(e),
            _ => Outcomes.Anything,
        };
    }

    private Outcomes Chain(ImmutableArray<Expr> operands, Outcomes goesOn)
    {
        var all = Outcomes.None;
        foreach (var operand in operands)
        {
            var outcome = Evaluate(operand).AsBool();
            all |= outcome & ~goesOn;
            if (!outcome.Has(goesOn))
                return all;
        }
        return all | goesOn;
    }

    private Outcomes Choose(IfExpr expr)
    {
        var condition = Evaluate(expr.Condition).AsBool();
        return (condition & Outcomes.Error)
            | (condition.Has(Outcomes.True) ? Evaluate(expr.Then) : 0)
            | (condition.Has(Outcomes.False) ? Evaluate(expr.Else) : 0);
    }

    private Outcomes Is(IsExpr expr)
    {
        if (!IsUnknownResource(expr.Target))
            return Outcomes.AnyBoolOrError;
        var type = IsOfType(expr.EntityType);
        if (expr.In is null || !type.Has(Outcomes.True))
            return type;
        return (type & Outcomes.False) | Binary(expr.In);
    }

    private Outcomes Binary(BinaryExpr expr)
    {
        // Of an operand that doesn't touch the unknown it is known whether it fails, and then everything does.
        var (left, right) = (Evaluate(expr.Left), Evaluate(expr.Right));
        if (left == Outcomes.Error || (right == Outcomes.Error && !left.Has(Outcomes.Error)))
            return Outcomes.Error;
        var failing = (left | right) & Outcomes.Error;
        return expr.Operator switch
        {
            BinaryOperator.Equal => failing | Equal(expr),
            BinaryOperator.NotEqual => failing | Equal(expr).Negated(),
            BinaryOperator.In when IsUnknownResource(expr.Left) && expr.Right is LiteralExpr { Value: EntityUid } => Outcomes.AnyBool,
            BinaryOperator.Add or BinaryOperator.Subtract or BinaryOperator.Multiply => Outcomes.Other | Outcomes.Error,
            BinaryOperator.GetTag => Outcomes.Anything,
            BinaryOperator.HasTag when IsUnknownResource(expr.Left) && expr.Right is LiteralExpr { Value: CedarString } => Outcomes.AnyBool,
            _ => Outcomes.AnyBoolOrError,
        };
    }

    private Outcomes Equal(BinaryExpr expr)
    {
        var (left, right) = (expr.Left, expr.Right);
        if (IsUnknownResource(left) && IsUnknownResource(right))
            return Outcomes.True;
        var other = IsUnknownResource(left) ? right : IsUnknownResource(right) ? left : null;
        var uid = other switch
        {
            LiteralExpr { Value: EntityUid literal } => literal,
            VariableExpr { Variable: Variable.Principal } => request.Principal,
            VariableExpr { Variable: Variable.Action } => request.Action,
            _ => null,
        };
        return uid is not null && !IsOfType(uid.Type).Has(Outcomes.True) ? Outcomes.False : Outcomes.AnyBool;
    }

    private bool IsUnknownResource(Expr expr) => expr is VariableExpr { Variable: Variable.Resource } && request.Resource is null;

    private bool TouchesUnknown(Expr expr)
    {
        if (expr is VariableExpr variable)
            return variable.Variable == Variable.Context ? !request.UnknownContext.IsEmpty : IsUnknownResource(variable);
        if (expr is GetAttributeExpr { Target: VariableExpr { Variable: Variable.Context } } access)
            return request.UnknownContext.Contains(access.Name);
        if (expr is HasExpr { Target: VariableExpr { Variable: Variable.Context } } has)
            return request.UnknownContext.Contains(has.Path[0]);
        foreach (var part in expr.Parts)
        {
            if (TouchesUnknown(part))
                return true;
        }
        return false;
    }
}
