using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Check;
using CredBroker.Providers.PostgreSql.Connect;
using CredBroker.Providers.PostgreSql.Logins;

namespace CredBroker.Providers.PostgreSql;

/// <summary>One server under one configuration. Each ability is a class of its own.</summary>
internal sealed class PostgreSqlProvider : IProvider, IRenewingProvider, IListingProvider, IProbingProvider, IAnchoringProvider
{
    private readonly Connections _connections;
    private readonly LoginIssue _issue;
    private readonly LoginRevocation _revocation;
    private readonly LoginRenewal _renewal;
    private readonly LoginListing _listing;
    private readonly TargetCheck _check;
    private readonly AnchorRole _anchor;

    public PostgreSqlProvider(ProviderContext context, PostgreSqlConfiguration configuration)
    {
        _connections = new Connections(context, configuration);
        _issue = new LoginIssue(_connections, configuration);
        _revocation = new LoginRevocation(_connections);
        _renewal = new LoginRenewal(_connections);
        _listing = new LoginListing(_connections, context.InstallationId);
        _check = new TargetCheck(_connections, configuration);
        _anchor = new AnchorRole(_connections, context.InstallationId, context.ProviderUid);
    }

    public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) =>
        _issue.RunAsync(request, cancellationToken);

    public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => _revocation.RunAsync(request, cancellationToken);

    public Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken) => _renewal.RunAsync(request, cancellationToken);

    public IReadOnlyCollection<string> ListedKinds { get; } = [LoginRoleKind.KindName];

    public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => _listing.RunAsync(cancellationToken);

    public Task<ProbeOutcome> ProbeAsync(RevokeRequest credential, CancellationToken cancellationToken) => _revocation.ProbeAsync(credential, cancellationToken);

    public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => _check.RunAsync(cancellationToken);

    public Task<AnchorLook> ReadAnchorAsync(CancellationToken cancellationToken) => _anchor.ReadAsync(cancellationToken);

    public Task<bool> ReplaceAnchorAsync(string? seen, string next, CancellationToken cancellationToken) => _anchor.ReplaceAsync(seen, next, cancellationToken);

    public ValueTask DisposeAsync() => _connections.DisposeAsync();
}
