using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;
using Known = System.Collections.Immutable.ImmutableHashSet<CredBroker.Cedar.Validation.Capability>;

namespace CredBroker.Cedar.Validation;

/// <summary>
/// Types expressions for one kind of request, by the rules of Cedar's strict validation. Bool has the subtypes true and false,
/// so that what can't be reached is not looked at.
/// </summary>
internal sealed partial class TypeChecker(Schema schema, RequestEnvironment environment, IssueCollector issues)
{
    /// <summary>The type of the operands joined by <c>&amp;&amp;</c>; true if there are none.</summary>
    public Finding CheckChain(ImmutableArray<Expr> operands, Known known)
    {
        Finding all = CedarType.True;
        foreach (var operand in operands)
        {
            var next = CheckBool(operand, known.Union(all.Gained));
            if (next.IsFailed || next.IsFalse)
                return next with { Gained = Capabilities.None };
            all = new Finding(all.IsTrue ? next.Type : next.IsTrue ? all.Type : CedarType.AnyBool, all.Gained.Union(next.Gained));
        }
        return all;
    }

    private Finding Check(Expr expr, Known known) => expr switch
    {
        LiteralExpr e => TypeOf(e.Value),
        VariableExpr e => TypeOf(e.Variable),
        AndExpr e => CheckChain(e.Operands, known),
        OrExpr e => CheckOr(e, known),
        IfExpr e => CheckIf(e, known),
        NotExpr e => CheckBool(e.Operand, known).Type is CedarType.Bool b ? new CedarType.Bool(!b.Known) : null,
        NegateExpr e => Expect(e.Operand, CedarType.Number, known) is null ? null : CedarType.Number,
        BinaryExpr e => CheckBinary(e, known),
        IsExpr e => CheckIs(e, known),
        LikeExpr e => Expect(e.Target, CedarType.Text, known) is null ? null : CedarType.AnyBool,
        IsEmptyExpr e => ExpectSet(e.Target, known) is null ? null : CedarType.AnyBool,
        HasExpr e => CheckHas(e, known),
        GetAttributeExpr e => CheckGetAttribute(e, known),
        SetExpr e => CheckSet(e, known),
        RecordExpr e => CheckRecord(e, known),
        CallExpr e => CheckCall(e, known),
        _ => Finding.Failed,
    };

    // Unknown entities are reported by the reference checker.
    private CedarType? TypeOf(CedarValue value) => value switch
    {
        CedarBool b => b.Value ? CedarType.True : CedarType.False,
        CedarLong => CedarType.Number,
        CedarString => CedarType.Text,
        EntityUid uid => schema.FindEntityType(uid.Type) is not null || schema.FindAction(uid) is not null ? new CedarType.Entity(uid.Type) : null,
        _ => null,
    };

    private CedarType TypeOf(Variable variable) => variable switch
    {
        Variable.Principal => new CedarType.Entity(environment.Principal),
        Variable.Action => new CedarType.Entity(environment.Action.Uid.Type),
        Variable.Resource => new CedarType.Entity(environment.Resource),
        _ => environment.Action.Context,
    };

    private Finding CheckIf(IfExpr expr, Known known)
    {
        var condition = CheckBool(expr.Condition, known);
        if (condition.IsFailed)
            return condition;
        if (condition.IsFalse)
            return Check(expr.Else, known);
        var then = Check(expr.Then, known.Union(condition.Gained));
        then = then with { Gained = then.Gained.Union(condition.Gained) };
        if (condition.IsTrue)
            return then;
        var otherwise = Check(expr.Else, known);
        if (then.Type is null || otherwise.Type is null)
            return Finding.Failed;
        return Join(expr, then.Type, otherwise.Type, "the branches of 'if'") is { } type
            ? new Finding(type, then.Gained.Intersect(otherwise.Gained))
            : Finding.Failed;
    }

    private Finding CheckOr(OrExpr expr, Known known)
    {
        var all = CheckBool(expr.Operands[0], known);
        for (var i = 1; i < expr.Operands.Length && !all.IsTrue; i++)
        {
            var next = CheckBool(expr.Operands[i], known);
            if (all.IsFailed || next.IsFailed)
                all = Finding.Failed;
            else if (next.IsTrue || all.IsFalse)
                all = next;
            else if (!next.IsFalse)
                all = new Finding(CedarType.AnyBool, all.Gained.Intersect(next.Gained));
        }
        return all;
    }

    private Finding CheckIs(IsExpr expr, Known known)
    {
        if (ExpectEntity(expr.Target, known) is not { } entity)
            return Finding.Failed;
        if (entity.Name != expr.EntityType)
            return CedarType.False;
        return expr.In is null ? CedarType.True : CheckBinary(expr.In, known);
    }

    private Finding CheckSet(SetExpr expr, Known known)
    {
        if (expr.Elements.IsEmpty)
            return Report(expr, "the type of an empty set is unknown");
        var types = expr.Elements.Select(e => Check(e, known).Type).ToList();
        if (types.Contains(null))
            return Finding.Failed;
        var element = types[0]!;
        foreach (var type in types.Skip(1))
        {
            if (Join(expr, element, type!, "the elements of a set") is not { } joined)
                return Finding.Failed;
            element = joined;
        }
        return new CedarType.Set(element);
    }

    private Finding CheckRecord(RecordExpr expr, Known known)
    {
        var attributes = ImmutableSortedDictionary.CreateBuilder<string, AttributeType>(StringComparer.Ordinal);
        foreach (var (name, value) in expr.Attributes)
        {
            if (Check(value, known).Type is { } type)
                attributes[name] = new AttributeType(type, IsRequired: true);
        }
        return attributes.Count == expr.Attributes.Length ? new CedarType.Record(attributes.ToImmutable()) : null;
    }

    private Finding CheckCall(CallExpr expr, Known known)
    {
        var (function, arguments) = (expr.Function, expr.Arguments);
        if (arguments.Length != function.Parameters.Length)
            return Report(expr, $"{function.Name} takes {function.Parameters.Length} argument(s) and is given {arguments.Length}");
        if (function.IsConstructor)
            return CheckConstructor(expr);
        var isRight = true;
        for (var i = 0; i < arguments.Length; i++)
            isRight &= Expect(arguments[i], new CedarType.Extension(function.Parameters[i]), known) is not null;
        if (!isRight)
            return Finding.Failed;
        return function.Result switch
        {
            "Bool" => CedarType.AnyBool,
            "Long" => CedarType.Number,
            var name => new CedarType.Extension(name),
        };
    }

    private Finding CheckConstructor(CallExpr expr)
    {
        if (expr.Arguments[0] is not LiteralExpr { Value: CedarString text })
            return Report(expr.Arguments[0], $"the argument of {expr.Function.Name} must be a string literal");
        return expr.Function.Invoke([text], out var error) is null ? Report(expr.Arguments[0], error!) : new CedarType.Extension(expr.Function.Result);
    }

    private Finding CheckBool(Expr expr, Known known)
    {
        var found = Check(expr, known);
        return found.Type is CedarType.Bool or null ? found : Mismatch(expr, "Bool", found.Type);
    }

    private CedarType? Expect(Expr expr, CedarType expected, Known known)
    {
        var found = Check(expr, known).Type;
        return found is null || found == expected ? found : Mismatch(expr, expected.ToString(), found);
    }

    private CedarType.Entity? ExpectEntity(Expr expr, Known known)
    {
        var found = Check(expr, known).Type;
        if (found is not null and not CedarType.Entity)
            Mismatch(expr, "an entity", found);
        return found as CedarType.Entity;
    }

    private CedarType.Set? ExpectSet(Expr expr, Known known)
    {
        var found = Check(expr, known).Type;
        if (found is not null and not CedarType.Set)
            Mismatch(expr, "a Set", found);
        return found as CedarType.Set;
    }

    private CedarType? Join(Expr at, CedarType a, CedarType b, string what)
    {
        var joined = CedarType.Join(a, b);
        if (joined is null)
            Report(at, $"{what} have different types: {a} and {b}");
        return joined;
    }

    private CedarType? Mismatch(Expr at, string expected, CedarType found) => Report(at, $"expected {expected}, found {found}");

    private CedarType? Report(Expr at, string message) => Report(ValidationIssueKind.Type, at, message);

    private CedarType? Report(ValidationIssueKind kind, Expr at, string message)
    {
        issues.Add(kind, at.Location, message);
        return null;
    }
}
