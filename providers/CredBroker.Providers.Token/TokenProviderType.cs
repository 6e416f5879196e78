using CredBroker.Abstractions;

namespace CredBroker.Providers.Token;

/// <summary>The token provider's configuration.</summary>
public sealed record TokenConfiguration
{
    /// <summary>The audiences that roles of this provider may name; empty for every one that is not reserved.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];
}

/// <summary>
/// Tokens that the broker signs itself. Nothing exists outside its own store before the answer, so there is nothing to be unsure of: such a
/// lease is active as soon as it is reserved, and dead as soon as the broker says so.
/// </summary>
public sealed class TokenProviderType : ProviderType<TokenConfiguration>
{
    /// <inheritdoc/>
    public override string Name => "token";

    /// <inheritdoc/>
    public override string Description => "Signed tokens (JWT) for one audience, which the broker itself vouches for.";

    /// <inheritdoc/>
    public override bool Local => true;

    /// <inheritdoc/>
    public override TimeSpan LateEffect => TimeSpan.Zero;

    /// <inheritdoc/>
    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new JwtRoleKind()];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(TokenConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration.Audiences.Count > 100) yield return new("audiences", "Name at most 100 audiences.");
        for (var i = 0; i < configuration.Audiences.Count; i++)
            if (!JwtRoleKind.IsAudience(configuration.Audiences[i])) yield return new($"audiences[{i}]", JwtRoleKind.AudienceRule);
    }

    /// <inheritdoc/>
    protected override IProvider Create(ProviderContext context, TokenConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(context);
        var signer = context.TokenSigner ?? throw new ArgumentException("The token provider needs the signer of lease tokens.", nameof(context));
        return new TokenProvider(context.Time, signer, configuration);
    }
}
