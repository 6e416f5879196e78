using CredBroker.Abstractions;
using CredBroker.Providers.Azure.AppLease;

namespace CredBroker.Providers.Azure.SharedApp;

/// <summary>Which application a password is added to.</summary>
public sealed record SharedAppPasswordTemplate
{
    /// <summary>The application's object id: one that the provider's configuration names.</summary>
    public required string Application { get; init; }
}

/// <summary>A client secret on an application that exists, which keeps its rights whatever happens to the secret.</summary>
public sealed class SharedAppPasswordRoleKind : RoleKind<SharedAppPasswordTemplate>
{
    // An application is one object of limited size; no figure is documented, and the portal becomes unusable long before.
    private const int MostPasswords = 50;

    /// <inheritdoc/>
    public override string Name => "shared-app-password";

    /// <inheritdoc/>
    public override string Description => "A client secret of an existing application, which ends with the lease.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["tenant_id", "client_id", "client_secret", "authority_host"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(SharedAppPasswordTemplate template) => Check(template);

    internal static IEnumerable<ValidationError> Check(SharedAppPasswordTemplate template)
    {
        if (!Names.IsGuid(template.Application)) yield return new("application", "This is the object id of an application, a GUID.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(SharedAppPasswordTemplate template) => new(
        RevocabilityKind.Deletes, AppIssue.LongestToken,
        "A token taken before lives for up to 24 hours with all rights of the application, which stay: until then the lease is settling.");

    /// <summary>Adding and removing passwords of one application at the same time loses some: it is done one by one.</summary>
    protected override ExclusiveGroup? ExclusiveGroupOf(SharedAppPasswordTemplate template) => new($"application/{template.Application.ToLowerInvariant()}", MostPasswords, GuardsIssue: true);

    /// <inheritdoc/>
    protected override string DestinationOf(SharedAppPasswordTemplate template) => template?.Application ?? "";
}
