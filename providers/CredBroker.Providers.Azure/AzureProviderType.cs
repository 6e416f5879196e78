using CredBroker.Abstractions;
using CredBroker.Providers.Azure.AppLease;
using CredBroker.Providers.Azure.Assignment;
using CredBroker.Providers.Azure.KeyVault;
using CredBroker.Providers.Azure.SharedApp;

namespace CredBroker.Providers.Azure;

/// <summary>Microsoft Azure: Entra ID, role assignments and key vaults of one tenant.</summary>
public sealed class AzureProviderType : ProviderType<AzureConfiguration>
{
    /// <inheritdoc/>
    public override string Name => "azure";

    /// <inheritdoc/>
    public override string Description => "Applications, passwords, tokens, role assignments and key vault secrets in one Microsoft Entra tenant.";

    /// <summary>
    /// Azure promises no bound: a call may be finished after its caller has gone. Its front ends give up on a request within two minutes, and everything is
    /// looked for again after that.
    /// </summary>
    public override TimeSpan LateEffect => TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public override IReadOnlyList<RoleKind> RoleKinds { get; } =
    [
        new AppPasswordRoleKind(), new AppFederatedRoleKind(), new SharedAppPasswordRoleKind(), new RoleAssignmentRoleKind(), new SecretWriteRoleKind(), new SecretReadRoleKind(),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(AzureConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Validate();
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<SecretUse> SecretsOf(AzureConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Credential.Secret is { } secret ? [new SecretUse(secret, Connect.AzureAddresses.Of(configuration).Authority.Host)] : [];
    }

    /// <summary>Microsoft's own token endpoints cannot be changed; a stand-in's can, and what it catches must be worth nothing at Microsoft's.</summary>
    protected override string AssertionHostOf(AzureConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Endpoints is null ? "" : new Uri(configuration.Endpoints.Authority).Host.ToLowerInvariant();
    }

    /// <inheritdoc/>
    protected override IProvider Create(ProviderContext context, AzureConfiguration configuration) => new AzureProvider(context, configuration);
}
