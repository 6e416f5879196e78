using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Logins;

namespace CredBroker.Providers.PostgreSql;

/// <summary>Logins at a PostgreSQL server, 13 to 18.</summary>
public sealed class PostgreSqlProviderType : ProviderType<PostgreSqlConfiguration>
{
    /// <inheritdoc/>
    public override string Name => "postgresql";

    /// <inheritdoc/>
    public override string Description => "Logins at a PostgreSQL server, each with membership in groups, cut and dropped when they end.";

    /// <inheritdoc/>
    public override char NameSeparator => '_';

    /// <summary>
    /// The issuing statement checks the deadline by the server's clock when it begins and again before it commits, so that only the commit
    /// itself can come later: this leaves it time.
    /// </summary>
    public override TimeSpan LateEffect => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new LoginRoleKind()];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(PostgreSqlConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Validate();
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<SecretUse> SecretsOf(PostgreSqlConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Password is { } password ? [new SecretUse(password, configuration.Host.ToLowerInvariant())] : [];
    }

    /// <inheritdoc/>
    protected override IProvider Create(ProviderContext context, PostgreSqlConfiguration configuration) => new PostgreSqlProvider(context, configuration);
}
