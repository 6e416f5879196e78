using CredBroker.Abstractions;
using CredBroker.Providers.AwsSts.Canaries;
using CredBroker.Providers.AwsSts.Check;
using CredBroker.Providers.AwsSts.LeaseRoles;
using CredBroker.Providers.AwsSts.Login;
using CredBroker.Providers.AwsSts.Protocol;
using CredBroker.Providers.AwsSts.Sessions;

namespace CredBroker.Providers.AwsSts;

/// <summary>One account under one configuration. Each ability is a class of its own.</summary>
internal class AwsStsProvider : IProvider, IGroupRevokingProvider
{
    private readonly SessionIssue _sessionIssue;
    private readonly SessionRevocation _sessionRevocation;
    private readonly LeaseRoleIssue? _leaseRoleIssue;
    private readonly LeaseRoleRevocation _leaseRoleRevocation;
    private readonly TargetCheck _check;
    private readonly CanaryProbe _canaries;

    public AwsStsProvider(ProviderContext context, AwsStsConfiguration configuration, AmbientSettings ambient)
    {
        Api = new AwsApi(context, configuration, ambient);
        _sessionIssue = new SessionIssue(Api, context, configuration);
        _canaries = new CanaryProbe(Api, context, configuration);
        _sessionRevocation = new SessionRevocation(new Denials(Api, configuration, _canaries, context.Time), configuration, context.Time);
        _leaseRoleIssue = configuration.LeaseRoles is { } place ? new LeaseRoleIssue(Api, context, configuration, place) : null;
        _leaseRoleRevocation = new LeaseRoleRevocation(Api, configuration, context.Time);
        _check = new TargetCheck(Api, context, configuration);
    }

    protected AwsApi Api { get; }

    public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) => request.RoleKind switch
    {
        AssumeRoleKind.KindName => _sessionIssue.RunAsync(request, cancellationToken),
        LeaseRoleKind.KindName when _leaseRoleIssue is { } issue => issue.RunAsync(request, journal, cancellationToken),
        LeaseRoleKind.KindName => throw new ProviderException(ProviderFault.Misconfigured, "The provider's configuration does not say where roles may be made (leaseRoles).", ProviderEffect.None),
        _ => throw new ProviderException(ProviderFault.Misconfigured, "There is no such role kind.", ProviderEffect.None),
    };

    public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => request.RoleKind == LeaseRoleKind.KindName
        ? _leaseRoleRevocation.RunAsync(request, cancellationToken)
        : _sessionRevocation.RunAsync(request, cancellationToken);

    public Task<GroupRevokeOutcome> RevokeGroupAsync(GroupRevokeRequest request, CancellationToken cancellationToken) => _sessionRevocation.RunAsync(request, cancellationToken);

    public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => _check.RunAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        _canaries.Dispose();
        Api.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The same, where roles are made for leases: those can be listed.</summary>
internal sealed class ListingAwsStsProvider(ProviderContext context, AwsStsConfiguration configuration, AmbientSettings ambient)
    : AwsStsProvider(context, configuration, ambient), IListingProvider
{
    private readonly ProviderContext _context = context;
    private readonly LeaseRolesConfiguration _place = configuration.LeaseRoles!;

    // AWS lists roles and never sessions: the absence of an assumed role's session says nothing.
    public IReadOnlyCollection<string> ListedKinds { get; } = [LeaseRoleKind.KindName];

    public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => new LeaseRoleListing(Api, _context, _place).RunAsync(cancellationToken);
}
