using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.KeyVault;

/// <summary>Into which vault a secret is written.</summary>
public sealed record SecretWriteTemplate
{
    /// <summary>The vault's address: one that the provider's configuration names.</summary>
    public required string Vault { get; init; }

    /// <summary>How many random bytes the value has, before it is written in base64url: 16 to 256.</summary>
    public int Bytes { get; init; } = 32;
}

/// <summary>A random value, written to a key vault for one lease: whoever may read the vault can check it there, until it ends.</summary>
public sealed class SecretWriteRoleKind : RoleKind<SecretWriteTemplate>
{
    /// <inheritdoc/>
    public override string Name => "keyvault-secret-write";

    /// <inheritdoc/>
    public override string Description => "A random secret in a key vault, made for the lease and disabled at its end.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["value", "vault", "name", "version"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(SecretWriteTemplate template) => Check(template);

    internal static IEnumerable<ValidationError> Check(SecretWriteTemplate template)
    {
        if (!VaultSecrets.IsAddress(template.Vault)) yield return new("vault", "This is the address of a vault that the provider's configuration names.");
        if (template.Bytes is < 16 or > 256) yield return new("bytes", "This must be between 16 and 256.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(SecretWriteTemplate template) => new(
        RevocabilityKind.Deletes, TimeSpan.Zero,
        "Who has read the value keeps it. The expiry date in the vault informs only. Whoever may write secrets there can undo the end.");

    /// <inheritdoc/>
    protected override string DestinationOf(SecretWriteTemplate template) => template?.Vault ?? "";
}

/// <summary>Which secret is read.</summary>
public sealed record SecretReadTemplate
{
    /// <summary>The vault's address: one that the provider's configuration names.</summary>
    public required string Vault { get; init; }

    /// <summary>The secret's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its version; the newest if it is left out.</summary>
    public string? Version { get; init; }
}

/// <summary>A secret that exists, read for a lease. Its value cannot be invalidated.</summary>
public sealed class SecretReadRoleKind : RoleKind<SecretReadTemplate>
{
    /// <inheritdoc/>
    public override string Name => "keyvault-secret-read";

    /// <inheritdoc/>
    public override string Description => "The value of an existing secret of a key vault, which cannot be invalidated.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["value", "vault", "name", "version"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(SecretReadTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(SecretReadTemplate template, bool mayHavePlaceholders)
    {
        if (!VaultSecrets.IsAddress(template.Vault)) yield return new("vault", "This is the address of a vault that the provider's configuration names.");
        if (!Names.IsSecretName(mayHavePlaceholders ? Templates.WithoutPlaceholders(template.Name) : template.Name)) yield return new("name", "This has 1 to 127 of the characters A-Z, a-z, 0-9 and -.");
        if (template.Version is { } version && !Names.IsVersion(version)) yield return new("version", "This has 32 hexadecimal digits.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(SecretReadTemplate template) => new(
        RevocabilityKind.ExpiresOnly, TimeSpan.Zero, "The value was read and cannot be invalidated: only rotating it ends it, and the lease's end does not.");

    /// <inheritdoc/>
    protected override string DestinationOf(SecretReadTemplate template) => template?.Vault ?? "";
}
