using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Schemas;
using CredBroker.Cedar.Validation;

namespace CredBroker.Cedar;

/// <summary>
/// Checks policies, requests and entities against a schema. Policies strictly: for every kind of request that the schema allows, the policy must evaluate without a type
/// error, and for at least one it must be able to apply. What is left to fail at run time is arithmetic that overflows and entities that don't exist.
/// </summary>
/// <param name="schema">The schema.</param>
public sealed class Validator(Schema schema)
{
    private readonly ImmutableArray<RequestEnvironment> _environments = [.. schema.Environments()];

    /// <summary>All that is wrong, policy by policy, templates last; empty if the set is right.</summary>
    public ImmutableArray<ValidationIssue> Validate(PolicySet policies)
    {
        ArgumentNullException.ThrowIfNull(policies);
        return [.. policies.Policies.Concat(policies.Templates).SelectMany(p => Validate(p))];
    }

    /// <summary>All that is wrong with a request: unknown entities, an action that is not for them, a context of another shape.</summary>
    public ImmutableArray<DataIssue> Validate(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return DataValidator.Check(schema, request);
    }

    /// <summary>All that is wrong with entities: unknown types, attributes of another shape, tags and parents that they can't have.</summary>
    public ImmutableArray<DataIssue> Validate(EntityStore entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        return DataValidator.Check(schema, entities);
    }

    /// <summary>All that is wrong with one policy.</summary>
    public ImmutableArray<ValidationIssue> Validate(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var issues = new IssueCollector(policy);
        ReferenceChecker.Check(policy, schema, issues);
        ImmutableArray<Expr> scope = [.. ScopeExpressions.Of(policy)];
        ImmutableArray<Expr> conditions = [.. policy.Conditions.Select(c => c.IsUnless ? new NotExpr(c.Body.Location, c.Body) : c.Body)];
        var (scopeFits, canApply) = (false, false);
        foreach (var environment in _environments)
        {
            var checker = new TypeChecker(schema, environment, issues);
            var inScope = checker.CheckChain(scope, Capabilities.None);
            if (inScope.IsFalse)
                continue;
            scopeFits = true;
            canApply |= !checker.CheckChain(conditions, Capabilities.None).IsFalse;
        }
        if (!scopeFits && !issues.HasUnknowns)
        {
            issues.Add(ValidationIssueKind.ScopeFitsNothing, policy.Location,
                "the policy can never apply: no action that its scope admits applies to such a principal and resource");
        }
        else if (!canApply && !issues.HasUnknowns)
        {
            issues.Add(ValidationIssueKind.Impossible, policy.Location, "the policy can never apply: its conditions are always false");
        }
        return issues.ToSorted();
    }
}
