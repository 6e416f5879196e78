using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts.LeaseRoles;

/// <summary>What a role of one lease is made with.</summary>
public sealed record LeaseRoleTemplate
{
    /// <summary>What the role may do.</summary>
    public IReadOnlyList<PolicyStatement> Statements { get; init; } = [];

    /// <summary>Managed policies to attach: at most 10.</summary>
    public IReadOnlyList<string> PolicyArns { get; init; } = [];

    /// <summary>Session tags of your own.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>Tags the session with its task, as <c>credbroker:task</c>.</summary>
    public bool TaskTag { get; init; } = true;

    /// <summary>Tags the session with its workload, as <c>credbroker:workload</c>.</summary>
    public bool WorkloadTag { get; init; } = true;

    /// <summary>The tags stay on sessions that this one opens.</summary>
    public bool TransitiveTags { get; init; }

    /// <summary>Lets the session assume other roles. What it opens there outlives its revocation.</summary>
    public bool AllowChaining { get; init; }

    /// <summary>How long a change of the role's policies may take to be in force everywhere: 10s to 15m.</summary>
    public TimeSpan Settle { get; init; } = TemplateRules.DefaultSettle;
}

/// <summary>A role that exists for one lease, and is deleted with everything on it when the lease ends.</summary>
public sealed class LeaseRoleKind : RoleKind<LeaseRoleTemplate>
{
    internal const string KindName = "role-per-lease";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A session of a role that is made for one lease, and deleted when it ends.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => SessionFields.Names;

    internal static IEnumerable<ValidationError> Check(LeaseRoleTemplate template, Func<string, string> plain)
    {
        if (template.Statements.Count == 0 && template.PolicyArns.Count == 0) yield return new("statements", "Write a statement or name a managed policy: such a role may do nothing by itself.");
        foreach (var error in TemplateRules.Check(template.Statements, template.PolicyArns, template.Tags, template.Settle, plain)) yield return error;
    }

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(LeaseRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return Check(template, TemplateRules.WithPlaceholders);
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(LeaseRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var chained = template.AllowChaining ? " Sessions of other roles that it opens live on for up to an hour each." : "";
        return new(RevocabilityKind.Deletes, template.Settle, $"Until then a region that lags may still let it in; what it set going goes on.{chained}");
    }

    /// <inheritdoc/>
    protected override bool CanMint(LeaseRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.AllowChaining || Guards.Mint(template.Statements);
    }
}
