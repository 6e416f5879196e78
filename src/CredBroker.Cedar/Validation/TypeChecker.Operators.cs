using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;
using Known = System.Collections.Immutable.ImmutableHashSet<CredBroker.Cedar.Validation.Capability>;

namespace CredBroker.Cedar.Validation;

/// <content>Operators and methods with two operands.</content>
internal sealed partial class TypeChecker
{
    private Finding CheckBinary(BinaryExpr expr, Known known) => expr.Operator switch
    {
        BinaryOperator.Equal => CheckEqual(expr, known),
        BinaryOperator.NotEqual => CheckEqual(expr, known) is CedarType.Bool b ? new CedarType.Bool(!b.Known) : null,
        BinaryOperator.Less or BinaryOperator.LessOrEqual or BinaryOperator.Greater or BinaryOperator.GreaterOrEqual => CheckOrder(expr, known),
        BinaryOperator.In => CheckIn(expr, known),
        BinaryOperator.Add or BinaryOperator.Subtract or BinaryOperator.Multiply => CheckArithmetic(expr, known),
        BinaryOperator.Contains => CheckContains(expr, known),
        BinaryOperator.ContainsAll or BinaryOperator.ContainsAny => CheckSetPair(expr, known),
        BinaryOperator.HasTag => CheckHasTag(expr, known),
        _ => CheckGetTag(expr, known),
    };

    private CedarType? CheckEqual(BinaryExpr expr, Known known)
    {
        var (left, right) = (Check(expr.Left, known).Type, Check(expr.Right, known).Type);
        if (left is null || right is null)
            return null;
        if (left is CedarType.Entity a && right is CedarType.Entity b && a.Name != b.Name)
            return CedarType.False;
        if (LiteralOf(expr.Left) is { } x && LiteralOf(expr.Right) is { } y)
            return x.Equals(y) ? CedarType.True : CedarType.False;
        return Join(expr, left, right, "the operands") is null ? null : CedarType.AnyBool;
    }

    private CedarType? CheckOrder(BinaryExpr expr, Known known)
    {
        var (left, right) = (Check(expr.Left, known).Type, Check(expr.Right, known).Type);
        if (left is null || right is null)
            return null;
        if (left is not (CedarType.Long or CedarType.Extension { Name: "datetime" or "duration" }))
            return Mismatch(expr.Left, "Long, datetime or duration", left);
        return left == right ? CedarType.AnyBool : Mismatch(expr.Right, left.ToString(), right);
    }

    private CedarType? CheckArithmetic(BinaryExpr expr, Known known)
    {
        var (left, right) = (Expect(expr.Left, CedarType.Number, known), Expect(expr.Right, CedarType.Number, known));
        return left is null || right is null ? null : CedarType.Number;
    }

    private CedarType? CheckContains(BinaryExpr expr, Known known)
    {
        var (set, element) = (ExpectSet(expr.Left, known), Check(expr.Right, known).Type);
        if (set is null || element is null)
            return null;
        return Join(expr, set.Element, element, "the set's elements and the argument") is null ? null : CedarType.AnyBool;
    }

    private CedarType? CheckSetPair(BinaryExpr expr, Known known)
    {
        var (left, right) = (ExpectSet(expr.Left, known), ExpectSet(expr.Right, known));
        if (left is null || right is null)
            return null;
        return Join(expr, left, right, "the sets") is null ? null : CedarType.AnyBool;
    }

    private CedarType? CheckIn(BinaryExpr expr, Known known)
    {
        var (left, right) = (ExpectEntity(expr.Left, known), Check(expr.Right, known).Type);
        if (left is null || right is null)
            return null;
        if ((right as CedarType.Entity ?? (right as CedarType.Set)?.Element as CedarType.Entity) is not { } ancestor)
            return Mismatch(expr.Right, "an entity or a Set of entities", right);
        // An action's groups are known from the schema, so the answer is known where both sides are written out.
        if (LiteralOf(expr.Left) is EntityUid { IsAction: true } action && EntitiesOf(expr.Right) is { } groups)
            return groups.Any(g => schema.IsActionIn(action, g)) ? CedarType.True : CedarType.False;
        return schema.CanBeIn(left.Name, ancestor.Name) ? CedarType.AnyBool : CedarType.False;
    }

    private CedarValue? LiteralOf(Expr expr) => expr switch
    {
        LiteralExpr literal => literal.Value,
        VariableExpr { Variable: Variable.Action } => environment.Action.Uid,
        _ => null,
    };

    private ImmutableArray<EntityUid>? EntitiesOf(Expr expr)
    {
        if (LiteralOf(expr) is EntityUid uid)
            return [uid];
        if (expr is not SetExpr set)
            return null;
        var uids = set.Elements.Select(LiteralOf).OfType<EntityUid>().ToImmutableArray();
        return uids.Length == set.Elements.Length ? uids : null;
    }
}
