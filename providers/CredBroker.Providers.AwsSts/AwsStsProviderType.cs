using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.LeaseRoles;
using CredBroker.Providers.AwsSts.Login;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts;

/// <summary>Sessions of roles in an AWS account.</summary>
public sealed class AwsStsProviderType : ProviderType<AwsStsConfiguration>
{
    private readonly AmbientSettings _ambient;

    /// <summary>With the environment and the files of this process.</summary>
    public AwsStsProviderType()
        : this(AmbientSettings.OfProcess)
    {
    }

    internal AwsStsProviderType(AmbientSettings ambient) => _ambient = ambient;

    /// <inheritdoc/>
    public override string Name => "aws-sts";

    /// <inheritdoc/>
    public override string Description => "Sessions of roles in an AWS account, denied by name or with their role when they end.";

    /// <summary>AWS refuses a request that was signed longer ago: whatever is on its way then never arrives.</summary>
    public override TimeSpan LateEffect => TimeSpan.FromMinutes(15);

    /// <inheritdoc/>
    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new AssumeRoleKind(), new LeaseRoleKind()];

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(AwsStsConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Validate();
    }

    /// <summary>STS itself, whatever the region, needs no name: only another address does.</summary>
    protected override string AssertionHostOf(AwsStsConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration is { Credentials.WebIdentity: not null, StsEndpoint: { } endpoint } ? SecretUse.RecipientOf(new Uri(endpoint)) : "";
    }

    /// <inheritdoc/>
    protected override IProvider Create(ProviderContext context, AwsStsConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(configuration);
        // Sessions cannot be listed. Only where roles are made for leases is there something to find.
        return configuration.LeaseRoles is null
            ? new AwsStsProvider(context, configuration, _ambient)
            : new ListingAwsStsProvider(context, configuration, _ambient);
    }
}
