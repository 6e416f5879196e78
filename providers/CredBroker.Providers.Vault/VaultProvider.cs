using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Check;
using CredBroker.Providers.Vault.Children;
using CredBroker.Providers.Vault.Roles;
using CredBroker.Providers.Vault.Session;

namespace CredBroker.Providers.Vault;

/// <summary>One cluster under one configuration. Each ability is a class of its own; listing is there only where the configuration says so.</summary>
internal class VaultProvider : IProvider, IRenewingProvider
{
    private readonly BrokerSessions _sessions;
    private readonly ChildListing _listing;
    private readonly ChildRevocation _revocation;
    private readonly ChildRenewal _renewal;
    private readonly ScopedTokenIssue _scopedToken;
    private readonly DynamicSecretIssue _dynamicSecret;
    private readonly KeyValueIssue _keyValue;
    private readonly TargetCheck _check;

    public VaultProvider(ProviderContext context, VaultConfiguration configuration)
    {
        _sessions = new BrokerSessions(context, configuration);
        var tokens = new ChildTokens(context, configuration, _sessions);
        _listing = new ChildListing(context, _sessions);
        _revocation = new ChildRevocation(context, configuration, _sessions, tokens, _listing);
        _renewal = new ChildRenewal(context, _sessions, tokens);
        _scopedToken = new ScopedTokenIssue(configuration, tokens);
        _dynamicSecret = new DynamicSecretIssue(context, _sessions, tokens, _renewal);
        _keyValue = new KeyValueIssue(_sessions, tokens);
        _check = new TargetCheck(configuration, _sessions);
    }

    public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) => request.RoleKind switch
    {
        ScopedTokenRoleKind.KindName => _scopedToken.RunAsync(request, journal, cancellationToken),
        DynamicSecretRoleKind.KindName => _dynamicSecret.RunAsync(request, journal, cancellationToken),
        KeyValueRoleKind.KindName => _keyValue.RunAsync(request, journal, cancellationToken),
        _ => throw new ProviderException(ProviderFault.NotSupported, "There is no such role kind.", ProviderEffect.None),
    };

    public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) =>
        _revocation.RunAsync(request, lasts: request.RoleKind == KeyValueRoleKind.KindName, cancellationToken);

    public Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken) => _renewal.RunAsync(request, cancellationToken);

    public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => _check.RunAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        _sessions.Dispose();
        return ValueTask.CompletedTask;
    }

    internal sealed class Listing(ProviderContext context, VaultConfiguration configuration) : VaultProvider(context, configuration), IListingProvider
    {
        // Tokens are listed. The lease of a dynamic secret can outlive its token, and a value that was read outlives everything.
        public IReadOnlyCollection<string> ListedKinds { get; } = [ScopedTokenRoleKind.KindName];

        public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => _listing.RunAsync(cancellationToken);
    }
}
