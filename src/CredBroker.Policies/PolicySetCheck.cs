using CredBroker.Abstractions;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>
/// Everything that is wrong with a policy set, before it is in force: syntax, what the schema does not know, policies that can never apply, misspelled
/// annotations, an administrator's actions where they do not belong, and permits that rest on what callers merely say.
/// </summary>
public sealed class PolicySetCheck
{
    private const int LargestText = 2 * 1024 * 1024;
    private const int MostPolicies = 10_000;
    private static readonly string[] Declared = ["context.declared", "context.task.intent", "context.task.labels"];
    private readonly Schema _schema;
    private readonly Validator _validator;

    /// <summary>Checks against the broker's schema.</summary>
    public PolicySetCheck(PolicySchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        _schema = schema.Schema;
        _validator = new Validator(_schema);
    }

    /// <summary>Every error, each with file, line and column in its message.</summary>
    public IReadOnlyList<PolicyFault> Check(PolicySetDefinition set)
    {
        ArgumentNullException.ThrowIfNull(set);
        if (!PolicySetKinds.All.Contains(set.Kind)) return [new PolicyFault("kind", $"There is no such kind. There are: {string.Join(", ", PolicySetKinds.All)}.")];
        if (set.Text.Length > LargestText) return [new PolicyFault("text", $"A policy set has at most {LargestText} characters.")];
        var parsed = PolicySet.Parse(set.Text, set.Label);
        if (!parsed.IsValid) return [.. parsed.Errors.Select(error => new PolicyFault("text", error.Message) { At = error })];
        if (parsed.Value.Policies.Length > MostPolicies) return [new PolicyFault("text", $"A set has at most {MostPolicies} policies.")];
        return
        [
            .. parsed.Value.Templates.Select(template => Error(template.Location, "A template with ?principal or ?resource decides nothing here: write the policy out.")),
            .. _validator.Validate(parsed.Value).Select(issue => Error(issue.Location, issue.Message)),
            .. parsed.Value.Policies.SelectMany(policy => CheckAnnotations(policy).Concat(CheckLife(policy)).Concat(CheckApproval(policy)).Concat(CheckKind(policy, set)).Concat(CheckDeclared(policy))),
            .. CheckScope(set),
        ];
    }

    /// <summary>Whether a policy reads what callers merely say.</summary>
    public static bool ReadsDeclared(Policy policy) => Declared.Any(path => PolicyReads.Reads(policy, path));

    private static IEnumerable<PolicyFault> CheckAnnotations(Policy policy)
    {
        foreach (var annotation in policy.Annotations)
        {
            if (ReservedAnnotations.All.Contains(annotation.Name)) continue;
            if (ReservedAnnotations.All.FirstOrDefault(reserved => Spelling.Distance(annotation.Name.Replace("_", "", StringComparison.Ordinal), reserved.Replace("_", "", StringComparison.Ordinal)) <= 2) is { } meant)
                yield return Error(annotation.Location, $"@{annotation.Name} means nothing: did you mean @{meant}?");
        }
    }

    private IEnumerable<PolicyFault> CheckLife(Policy policy)
    {
        if (policy.FindAnnotation(ReservedAnnotations.MaxTtl) is not { } life) yield break;
        if (policy.Effect == Effect.Forbid) yield return Error(life.Location, "@max_ttl belongs on a permit: a forbid grants nothing that could be shorter.");
        else if (!DurationConverter.TryParse(life.Value, out var span) || span <= TimeSpan.Zero) yield return Error(life.Location, "@max_ttl is a duration such as 90s, 15m or 1h.");
        else if (!_schema.ActionsOf(policy).Any(action => GrantingActions.Contains(action.Id)))
            yield return Error(life.Location, $"@max_ttl does nothing here: only what {string.Join(", ", GrantingActions.All)} grant has a life.");
    }

    private IEnumerable<PolicyFault> CheckApproval(Policy policy)
    {
        if (policy.FindAnnotation(ReservedAnnotations.RequireApproval) is not { } approval) yield break;
        if (policy.Effect == Effect.Permit) yield return Error(approval.Location, "@require_approval belongs on a forbid, so that whoever ignores it is denied.");
        else if (!_schema.ActionsOf(policy).Any(action => GrantingActions.Contains(action.Id)))
            yield return Error(approval.Location, $"@require_approval does nothing here: only {string.Join(", ", GrantingActions.All)} can be approved.");
    }

    private IEnumerable<PolicyFault> CheckKind(Policy policy, PolicySetDefinition set)
    {
        if (set.Kind == PolicySetKinds.Ceiling && policy.Effect == Effect.Permit)
            yield return Error(policy.Location, "A ceiling holds forbids only: put the permit into another set.");
        if (set.Kind == PolicySetKinds.Scoped && policy.Action is not ActionScope.Any
            && _schema.ActionsOf(policy).Select(action => action.Id).FirstOrDefault(AdministratorActions.Contains) is { } action)
        {
            yield return Error(policy.Location, $"Only the ceiling and a set of kind operator may speak of {action}.");
        }
    }

    private static IEnumerable<PolicyFault> CheckDeclared(Policy policy)
    {
        if (policy.Effect == Effect.Forbid || policy.FindAnnotation(ReservedAnnotations.TrustsDeclared)?.Value is { Length: > 0 }) yield break;
        foreach (var path in Declared.Where(path => PolicyReads.Reads(policy, path)))
            yield return Error(policy.Location, $"This permit reads {path}, which the caller merely says. If that is meant, add @trusts_declared(\"why\").");
    }

    private static IEnumerable<PolicyFault> CheckScope(PolicySetDefinition set)
    {
        if (set.Kind != PolicySetKinds.Scoped && set.Providers.Count + set.IdentitySources.Count + set.Actions.Count > 0)
            yield return new PolicyFault("scope", "Only a set of kind scoped has a scope.");
        foreach (var action in set.Actions.Where(AdministratorActions.Contains))
            yield return new PolicyFault("scope.actions", $"Only the ceiling and a set of kind operator may speak of {action}.");
    }

    private static PolicyFault Error(SourceLocation location, string message) => new("text", message) { At = new Diagnostic(location, message) };
}

/// <summary>Something wrong with a policy set.</summary>
/// <param name="Field">The field that is wrong: <c>text</c>, <c>kind</c>, <c>scope</c> or <c>scope.actions</c>.</param>
/// <param name="Message">What is wrong, without its place.</param>
public sealed record PolicyFault(string Field, string Message)
{
    /// <summary>Whether the set can be loaded all the same.</summary>
    public bool IsWarning { get; init; }

    /// <summary>Where in the text; null for what is not about the text.</summary>
    public Diagnostic? At { get; init; }

    /// <summary>The message with its place, where it has one.</summary>
    public override string ToString() => At?.ToString() ?? Message;
}

/// <summary>The actions that grant something new with a life of its own: a task or a credential.</summary>
public static class GrantingActions
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = ["createTask", "delegate", "issue", "renew"];

    /// <summary>Whether an action is one of them.</summary>
    public static bool Contains(string action) => All.Contains(action);
}

/// <summary>The actions of administrators and incident responders.</summary>
public static class AdministratorActions
{
    /// <summary>Whether an action is one of theirs: a scoped set has no say in it, whatever its scope.</summary>
    public static bool Contains(string action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return action.StartsWith("administer", StringComparison.Ordinal) || action is "approve" or "suspend" or "liftSuspension";
    }
}
