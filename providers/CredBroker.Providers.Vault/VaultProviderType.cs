using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Roles;

namespace CredBroker.Providers.Vault;

/// <summary>Tokens, dynamic secrets and stored values of HashiCorp Vault or OpenBao.</summary>
public sealed class VaultProviderType : ProviderType<VaultConfiguration>
{
    /// <inheritdoc/>
    public override string Name => "vault";

    /// <inheritdoc/>
    public override string Description => "Tokens, dynamic secrets and stored values of HashiCorp Vault or OpenBao, each revoked with its token.";

    /// <summary>
    /// The server works on a request for 90 s at most (its max_request_duration), whoever still waits for it. A token that such a call makes late lives two
    /// minutes unless the broker renews it, and that it does only once the token is on record.
    /// </summary>
    public override TimeSpan LateEffect => TimeSpan.FromSeconds(90);

    /// <inheritdoc/>
    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new ScopedTokenRoleKind(), new DynamicSecretRoleKind(), new KeyValueRoleKind()];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(VaultConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Validate();
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<SecretUse> SecretsOf(VaultConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        // The authorities are sent nowhere; by being bound to the host they are believed about no other.
        SecretRef?[] secrets = [configuration.Auth.AppRole?.SecretId ?? configuration.Auth.Kubernetes?.Token, configuration.RootCertificate];
        return [.. secrets.OfType<SecretRef>().Select(secret => new SecretUse(secret, SecretUse.RecipientOf(configuration.BaseAddress)))];
    }

    /// <inheritdoc/>
    protected override string AssertionHostOf(VaultConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Auth.Jwt is null ? "" : SecretUse.RecipientOf(configuration.BaseAddress);
    }

    /// <inheritdoc/>
    protected override IProvider Create(ProviderContext context, VaultConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Listing ? new VaultProvider.Listing(context, configuration) : new VaultProvider(context, configuration);
    }
}
