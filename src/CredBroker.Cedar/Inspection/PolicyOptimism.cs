using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>
/// What a set could permit if some of what it reads were anything at all. A set made so permits whatever the set permits for any value there; what it
/// denies is denied for every value.
/// </summary>
public static class PolicyOptimism
{
    /// <summary>The set without what depends on the paths (such as <c>context.params</c>): permits lose those demands, forbids that make them are left out.</summary>
    public static PolicySet Without(PolicySet set, params IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(set);
        ImmutableArray<AttributePath> unknown = [.. paths.Select(AttributePath.Of)];
        return new PolicySet([.. set.Policies.Select(policy => Without(policy, unknown)).OfType<Policy>()]);
    }

    private static Policy? Without(Policy policy, ImmutableArray<AttributePath> unknown)
    {
        ImmutableArray<PolicyCondition> demands = [.. policy.Conditions.SelectMany(condition => DemandsOf(condition.Body, condition.IsUnless))];
        ImmutableArray<PolicyCondition> known = [.. demands.Where(demand => !PolicyReads.Reads(demand.Body, unknown))];
        if (known.Length == demands.Length) return policy;
        return policy.Effect == Effect.Forbid ? null : policy.With(known);
    }

    /// <summary>What must hold, one by one: <c>when a &amp;&amp; b</c> demands both, <c>unless a || b</c> neither.</summary>
    private static IEnumerable<PolicyCondition> DemandsOf(Expr expr, bool isUnless) => expr switch
    {
        NotExpr negation => DemandsOf(negation.Operand, !isUnless),
        AndExpr all when !isUnless => all.Operands.SelectMany(operand => DemandsOf(operand, isUnless)),
        OrExpr any when isUnless => any.Operands.SelectMany(operand => DemandsOf(operand, isUnless)),
        _ => [new PolicyCondition(isUnless, expr)],
    };
}
