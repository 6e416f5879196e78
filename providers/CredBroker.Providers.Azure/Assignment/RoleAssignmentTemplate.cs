using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Assignment;

/// <summary>What sort of principal is given a role.</summary>
public enum PrincipalKind
{
    /// <summary>An application's service principal, or a managed identity.</summary>
    ServicePrincipal = 1,

    /// <summary>A person.</summary>
    User = 2,

    /// <summary>A group: its members may notice an end hours late.</summary>
    Group = 3,
}

/// <summary>Which role a principal is given, and where.</summary>
public sealed record RoleAssignmentTemplate
{
    /// <summary>The object id of a principal that exists.</summary>
    public required string Principal { get; init; }

    /// <summary>What it is.</summary>
    public PrincipalKind PrincipalKind { get; init; } = PrincipalKind.ServicePrincipal;

    /// <summary>The subscription, resource group or resource.</summary>
    public required string Scope { get; init; }

    /// <summary>The id of the role definition, a GUID.</summary>
    public required string Role { get; init; }

    /// <summary>Must be true: an assignment has no end of its own at Azure, so that a broker which is down for good leaves it in place.</summary>
    public required bool AllowWithoutExpiry { get; init; }

    /// <summary>How long after its removal the assignment is taken to count.</summary>
    public TimeSpan Settle { get; init; } = Templates.DefaultSettle;

    internal AssignmentTemplate Assignment => new() { Scope = Scope, Role = Role };
}

/// <summary>A role assignment for a principal that exists, and that proves itself by its own means: nothing secret is made.</summary>
public sealed class RoleAssignmentRoleKind : RoleKind<RoleAssignmentTemplate>
{
    // Each lease's mark stands in the assignment's description.
    internal const int MostReferences = 5;
    private const int LongestScope = 400;

    /// <inheritdoc/>
    public override string Name => "role-assignment";

    /// <inheritdoc/>
    public override string Description => "A role for a principal that exists, for as long as a lease wants it.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["assignment_id", "principal_id", "role_definition_id", "scope", "reference"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(RoleAssignmentTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(RoleAssignmentTemplate template, bool mayHavePlaceholders)
    {
        if (!Names.IsGuid(template.Principal)) yield return new("principal", "This is the object id of a principal, a GUID.");
        foreach (var error in Templates.Check(template.Assignment, mayHavePlaceholders)) yield return error;
        if (template.Scope.Length > LongestScope) yield return new("scope", $"A scope has at most {LongestScope} characters here.");
        if (!template.AllowWithoutExpiry) yield return new("allowWithoutExpiry", "An assignment has no end of its own at Azure: say true if that is accepted.");
        foreach (var error in Templates.CheckSettle(template.Settle)) yield return error;
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(RoleAssignmentTemplate template) => new(
        RevocabilityKind.DeniesWithin, template.Settle,
        "While another lease holds the same role for the same principal at the same scope, the assignment stays. It has no end of its own at Azure.");

    /// <summary>Azure has one assignment of a role to a principal at a scope: leases share it.</summary>
    protected override ExclusiveGroup? ExclusiveGroupOf(RoleAssignmentTemplate template) =>
        new($"{template.Scope}|{template.Role}|{template.Principal}".ToLowerInvariant(), MostReferences, GuardsIssue: true);

    /// <inheritdoc/>
    protected override bool CanMint(RoleAssignmentTemplate template) => Templates.CanMint([template.Assignment]);

    /// <inheritdoc/>
    protected override string DestinationOf(RoleAssignmentTemplate template) => template?.Scope ?? "";
}
