using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>What is allowed in a policy set, and hardly meant.</summary>
public static class PolicyLint
{
    /// <summary>Warnings about a set that is right otherwise, in the order of the text.</summary>
    public static IReadOnlyList<PolicyFault> Check(PolicySet policies)
    {
        ArgumentNullException.ThrowIfNull(policies);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        return [.. policies.Policies.SelectMany(policy => Check(policy, ids))];
    }

    private static IEnumerable<PolicyFault> Check(Policy policy, HashSet<string> ids)
    {
        foreach (var annotation in policy.Annotations)
        {
            if (!ReservedAnnotations.All.Contains(annotation.Name))
                yield return Warning(annotation.Location, $"@{annotation.Name} means nothing to the broker. It knows {string.Join(", ", ReservedAnnotations.All.Select(name => $"@{name}"))}.");
            else if (annotation.Value.Length == 0)
                yield return Warning(annotation.Location, $"@{annotation.Name} says nothing without a value.");
        }

        if (policy.FindAnnotation(ReservedAnnotations.Id) is not { } id)
            yield return Warning(policy.Location, $"The policy has no @id: decisions call it {policy.Id}, and something else when the text changes.");
        else if (!ids.Add(id.Value))
            yield return Warning(id.Location, $"Another policy of the set is called {id.Value}: decisions do not tell them apart.");
        if (policy.FindAnnotation(ReservedAnnotations.TrustsDeclared) is { } trusts && (policy.Effect == Effect.Forbid || !PolicySetCheck.ReadsDeclared(policy)))
            yield return Warning(trusts.Location, "@trusts_declared does nothing here: only a permit that reads what callers merely say needs it.");
        if (policy is { Effect: Effect.Permit, Conditions.IsEmpty: true } && (policy.Principal is EntityScope.Any || policy.Resource is EntityScope.Any || policy.Action is ActionScope.Any))
            yield return Warning(policy.Location, $"A permit without a condition, for {Wide(policy)}: is that meant?");
    }

    private static string Wide(Policy policy) => string.Join(" and ", new[]
    {
        policy.Principal is EntityScope.Any ? "every principal" : "",
        policy.Action is ActionScope.Any ? "every action" : "",
        policy.Resource is EntityScope.Any ? "every resource" : "",
    }.Where(part => part.Length > 0));

    private static PolicyFault Warning(SourceLocation location, string message) => new("text", message) { At = new Diagnostic(location, message), IsWarning = true };
}
