using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>What a scoped token is made with.</summary>
public sealed record ScopedTokenTemplate
{
    /// <summary>Its policies, and no more: 1 to 20. Not <c>default</c>, which would let whoever holds it renew it.</summary>
    public required IReadOnlyList<string> Policies { get; init; }

    /// <summary>The token role that it is made through; the first of the provider's configuration if it is left out.</summary>
    public string? TokenRole { get; init; }

    /// <summary>
    /// Hands out a wrapping token instead, good for one unwrapping within this time, 5 s to 1 h: the broker never sees the token itself, and a second unwrapping fails.
    /// </summary>
    public TimeSpan? WrapFor { get; init; }
}

/// <summary>A token of its own for a task.</summary>
public sealed class ScopedTokenRoleKind : RoleKind<ScopedTokenTemplate>
{
    /// <summary>The role kind's name.</summary>
    internal const string KindName = "scoped-token";

    /// <inheritdoc/>
    public override string Name => KindName;

    /// <inheritdoc/>
    public override string Description => "A token with policies of its own, or one that wraps it.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> CredentialFields => ["token", "wrapped", "address", "namespace"];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(ScopedTokenTemplate template) => Check(template, mayHavePlaceholders: true);

    internal static IEnumerable<ValidationError> Check(ScopedTokenTemplate template, bool mayHavePlaceholders)
    {
        foreach (var error in TemplateRules.Policies(template.Policies, template.TokenRole, mayHavePlaceholders)) yield return error;
        if (template.WrapFor is { } wrap && (wrap < TimeSpan.FromSeconds(5) || wrap > TimeSpan.FromHours(1))) yield return new("wrapFor", "This must be between 5s and 1h.");
    }

    /// <inheritdoc/>
    protected override Revocability RevocabilityOf(ScopedTokenTemplate template) => new(
        RevocabilityKind.Deletes, TimeSpan.Zero, "What was read with it stays known; leases that it took out are queued for revocation at the target, not proven.");

    /// <summary>Its policies may let it take out leases and make tokens, and only the target knows them.</summary>
    protected override bool CanMint(ScopedTokenTemplate template) => true;
}
