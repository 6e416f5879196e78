using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.AppLease;

/// <summary>What an application with a password is made with.</summary>
public sealed record AppPasswordTemplate
{
    /// <summary>The roles that it is given, 1 to 5.</summary>
    public required IReadOnlyList<AssignmentTemplate> Assignments { get; init; }

    /// <summary>How long after their removal the assignments are taken to count: 10 minutes, or more where a service is known to be slower.</summary>
    public TimeSpan Settle { get; init; } = Templates.DefaultSettle;
}

/// <summary>An application of its own with a client secret, deleted for good when its lease ends.</summary>
public sealed class AppPasswordRoleKind : RoleKind<AppPasswordTemplate>
{
    /// <inheritdoc/>
    public override string Name => "app-password";

    /// <inheritdoc/>
    public override string Description => "An application made for the lease, with a client secret that ends with it and roles at some scopes.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["tenant_id", "client_id", "client_secret", "authority_host"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(AppPasswordTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(AppPasswordTemplate template, bool mayHavePlaceholders) =>
        Templates.Check(template.Assignments, mayHavePlaceholders).Concat(Templates.CheckSettle(template.Settle));

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(AppPasswordTemplate template) => new(
        RevocabilityKind.Deletes, template.Settle,
        "A token taken before lives for up to 24 hours. It has no role any more; whoever trusts a token without looking at roles does not notice.");

    /// <inheritdoc/>
    protected override bool CanMint(AppPasswordTemplate template) => Templates.CanMint(template.Assignments);

    /// <inheritdoc/>
    protected override string DestinationOf(AppPasswordTemplate template) => Templates.DestinationOf(template.Assignments);
}

/// <summary>What an application without a password is made with.</summary>
public sealed record AppFederatedTemplate
{
    /// <summary>The roles that it is given, 1 to 5.</summary>
    public required IReadOnlyList<AssignmentTemplate> Assignments { get; init; }

    /// <summary>Which service the token is for, such as <c>https://storage.azure.com</c> or <c>https://management.azure.com</c>.</summary>
    public required string Audience { get; init; }

    /// <summary>The longest life of a token that is handed out; the tenant, not the broker, says how long they live. 10 minutes to 24 hours.</summary>
    public TimeSpan MaxTokenLife { get; init; } = TimeSpan.FromMinutes(90);

    /// <summary>How long after their removal the assignments are taken to count.</summary>
    public TimeSpan Settle { get; init; } = Templates.DefaultSettle;
}

/// <summary>An application of its own without any secret: the broker takes a token for it, and hands out that.</summary>
public sealed partial class AppFederatedRoleKind : RoleKind<AppFederatedTemplate>
{
    /// <inheritdoc/>
    public override string Name => "app-federated";

    /// <inheritdoc/>
    public override string Description => "An access token of an application made for the lease, which has no secret at all.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["access_token", "token_type", "expires_on", "tenant_id", "client_id"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(AppFederatedTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(AppFederatedTemplate template, bool mayHavePlaceholders)
    {
        foreach (var error in Templates.Check(template.Assignments, mayHavePlaceholders)) yield return error;
        if (!AudiencePattern().IsMatch(template.Audience)) yield return new("audience", "This is the address of a service without a path, such as https://storage.azure.com, or api://<id>.");
        if (template.MaxTokenLife < TimeSpan.FromMinutes(10) || template.MaxTokenLife > TimeSpan.FromHours(24)) yield return new("maxTokenLife", "This must be between 10m and 24h.");
        foreach (var error in Templates.CheckSettle(template.Settle)) yield return error;
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(AppFederatedTemplate template) => new(
        RevocabilityKind.DeniesWithin, template.Settle,
        "The token itself cannot be revoked and lives until its expiry. It has no role any more; whoever trusts a token without looking at roles does not notice.");

    /// <inheritdoc/>
    protected override bool CanMint(AppFederatedTemplate template) => Templates.CanMint(template.Assignments);

    /// <inheritdoc/>
    protected override string DestinationOf(AppFederatedTemplate template) => Templates.DestinationOf(template.Assignments);

    [GeneratedRegex(@"\A(https://[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?|api://[A-Za-z0-9.-]{1,100})\z")]
    private static partial Regex AudiencePattern();
}
