using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>A decision with what every policy made of it.</summary>
/// <param name="Response">The answer: the one that <see cref="Authorizer.IsAuthorized(Request, EntityStore)"/> gives.</param>
/// <param name="Policies">Every policy of the set, in its order.</param>
public sealed record Explanation(Response Response, ImmutableArray<PolicyTrace> Policies);

/// <summary>What came of one policy.</summary>
public enum PolicyOutcome
{
    /// <summary>Scope and conditions hold.</summary>
    Applies,

    /// <summary>The scope speaks of other principals, actions or resources.</summary>
    OutOfScope,

    /// <summary>A <c>when</c> is false or an <c>unless</c> is true.</summary>
    ConditionFails,

    /// <summary>It could not be evaluated, and has no say.</summary>
    Errs,
}

/// <summary>The parts of a policy's scope.</summary>
[Flags]
public enum ScopeParts
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The principal.</summary>
    Principal = 1,

    /// <summary>The action.</summary>
    Action = 2,

    /// <summary>The resource.</summary>
    Resource = 4,
}

/// <summary>What one policy made of a request.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="Differing">The parts of its scope that speak of something else; none unless it is out of scope.</param>
/// <param name="Conditions">The conditions that were looked at: none when it is out of scope, and none after the one that decided it.</param>
public sealed record PolicyTrace(Policy Policy, PolicyOutcome Outcome, ScopeParts Differing, ImmutableArray<ConditionTrace> Conditions);

/// <summary>What came of one <c>when</c> or <c>unless</c>.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Holds">Whether it lets the policy apply; null when it could not be evaluated.</param>
/// <param name="Body">Its expression, part by part.</param>
public sealed record ConditionTrace(PolicyCondition Condition, bool? Holds, ExpressionTrace Body)
{
    /// <summary>Why it could not be evaluated; null when it could.</summary>
    public Diagnostic? Error { get; init; }
}

/// <summary>What came of one expression.</summary>
/// <param name="Expression">The expression.</param>
/// <param name="Value">Its value; null when it could not be evaluated.</param>
/// <param name="Parts">The expressions within it that were looked at: what <c>&amp;&amp;</c>, <c>||</c> and <c>if</c> never came to is missing.</param>
public sealed record ExpressionTrace(Expr Expression, CedarValue? Value, ImmutableArray<ExpressionTrace> Parts)
{
    /// <summary>Why it could not be evaluated, and where that arose; null when it could.</summary>
    public Diagnostic? Error { get; init; }
}
