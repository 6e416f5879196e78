using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Policies;

namespace CredBroker.Providers.AwsSts.Sessions;

/// <summary>What a session is opened with.</summary>
public sealed record AssumeRoleTemplate
{
    /// <summary>The role, which the provider's configuration names.</summary>
    public required string RoleArn { get; init; }

    /// <summary>What the session may do: the intersection of this and of what the role may do. Left out: all that the role may.</summary>
    public IReadOnlyList<PolicyStatement> Statements { get; init; } = [];

    /// <summary>Managed policies that narrow the session, together with the statements: at most 10.</summary>
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

    /// <summary>How many characters other inline policies of the role take: they share 10,240 with the deny document.</summary>
    public int OtherInlineCharacters { get; init; }

    /// <summary>How long a change of the role's policies may take to be in force everywhere: 10s to 15m.</summary>
    public TimeSpan Settle { get; init; } = TemplateRules.DefaultSettle;
}

/// <summary>A session of a role that many leases share, denied by its name when its lease ends.</summary>
public sealed class AssumeRoleKind : RoleKind<AssumeRoleTemplate>
{
    internal const string KindName = "assume-role";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A session of a role, narrowed by a session policy and denied by name when it ends.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => SessionFields.Names;

    internal static IEnumerable<ValidationError> Check(AssumeRoleTemplate template, Func<string, string> plain)
    {
        if (!AwsSts.RoleArn.TryParse(plain(template.RoleArn), out _)) yield return new("roleArn", AwsSts.RoleArn.Rule);
        foreach (var error in TemplateRules.Check(template.Statements, template.PolicyArns, template.Tags, template.Settle, plain)) yield return error;
        if (DenyDocument.CapacityBeside(template.OtherInlineCharacters) < 1 || template.OtherInlineCharacters < 0)
            yield return new("otherInlineCharacters", "This must be between 0 and what leaves room for one name.");
    }

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(AssumeRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return Check(template, TemplateRules.WithPlaceholders);
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(AssumeRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var chained = template.AllowChaining ? " Sessions of other roles that it opened live on for up to an hour each." : "";
        return new(
            RevocabilityKind.DeniesWithin, template.Settle,
            $"Until then a region that lags may still let it in; what it set going (presigned URLs aside, which die with it) goes on.{chained}");
    }

    /// <inheritdoc/>
    protected override string DestinationOf(AssumeRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.RoleArn;
    }

    /// <inheritdoc/>
    protected override bool CanMint(AssumeRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.AllowChaining || Guards.Mint(template.Statements);
    }

    /// <inheritdoc/>
    protected override ExclusiveGroup? ExclusiveGroupOf(AssumeRoleTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return new ExclusiveGroup(template.RoleArn, DenyDocument.CapacityBeside(template.OtherInlineCharacters));
    }
}
