using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>
/// Explains policies. Every value is what evaluating that expression by itself gives, with the same code that decides: expressions have no effects, so nothing
/// here can differ from the decision, and all that this knows of the language is which parts are looked at.
/// </summary>
internal sealed class Tracer(Request request, EntityStore entities, long maxSteps)
{
    public PolicyTrace Trace(Policy policy)
    {
        var differing = Differing(policy);
        if (differing != ScopeParts.None)
            return new PolicyTrace(policy, PolicyOutcome.OutOfScope, differing, []);
        var conditions = ImmutableArray.CreateBuilder<ConditionTrace>();
        foreach (var condition in policy.Conditions)
        {
            var traced = Trace(condition);
            conditions.Add(traced);
            if (traced.Holds is not true)
                return new PolicyTrace(policy, traced.Holds is null ? PolicyOutcome.Errs : PolicyOutcome.ConditionFails, ScopeParts.None, conditions.ToImmutable());
        }
        return new PolicyTrace(policy, PolicyOutcome.Applies, ScopeParts.None, conditions.ToImmutable());
    }

    private ScopeParts Differing(Policy policy) =>
        (policy.Principal.Matches(request.Principal, entities) ? 0 : ScopeParts.Principal)
        | (policy.Action.Matches(request.Action, entities) ? 0 : ScopeParts.Action)
        | (policy.Resource.Matches(request.Resource, entities) ? 0 : ScopeParts.Resource);

    private ConditionTrace Trace(PolicyCondition condition)
    {
        var evaluation = new Evaluation(request, entities, maxSteps);
        // A body that is no Bool fails the policy, though it has a value.
        var value = evaluation.Pay(condition.Body.Location, condition.Body.Size) ? evaluation.Bool(condition.Body) : null;
        return new ConditionTrace(condition, value is null ? null : value.Value != condition.IsUnless, Trace(condition.Body)) { Error = value is null ? evaluation.TakeError() : null };
    }

    private ExpressionTrace Trace(Expr expr)
    {
        var evaluation = new Evaluation(request, entities, maxSteps);
        var value = evaluation.Pay(expr.Location, expr.Size) ? expr.Evaluate(evaluation) : null;
        return new ExpressionTrace(expr, value, PartsOf(expr)) { Error = value is null ? evaluation.TakeError() : null };
    }

    private ImmutableArray<ExpressionTrace> PartsOf(Expr expr) => expr switch
    {
        AndExpr e => InOrder(e.Operands, goesOn: value => value is CedarBool { Value: true }),
        OrExpr e => InOrder(e.Operands, goesOn: value => value is CedarBool { Value: false }),
        IfExpr e => Choice(e),
        IsExpr { In: not null } e => InOrder(e.Parts, goesOn: value => value is EntityUid uid && string.Equals(uid.Type, e.EntityType, StringComparison.Ordinal)),
        _ => InOrder(expr.Parts, goesOn: value => value is not null),
    };

    private ImmutableArray<ExpressionTrace> InOrder(IEnumerable<Expr> parts, Func<CedarValue?, bool> goesOn)
    {
        var traced = ImmutableArray.CreateBuilder<ExpressionTrace>();
        foreach (var part in parts)
        {
            traced.Add(Trace(part));
            if (!goesOn(traced[^1].Value))
                break;
        }
        return traced.ToImmutable();
    }

    private ImmutableArray<ExpressionTrace> Choice(IfExpr expr)
    {
        var condition = Trace(expr.Condition);
        return condition.Value is CedarBool asked ? [condition, Trace(asked.Value ? expr.Then : expr.Else)] : [condition];
    }
}
