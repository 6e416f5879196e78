using CredBroker.Abstractions;
using CredBroker.Providers.Azure.AppLease;
using CredBroker.Providers.Azure.Arm;
using CredBroker.Providers.Azure.Assignment;
using CredBroker.Providers.Azure.Check;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Entra;
using CredBroker.Providers.Azure.Graph;
using CredBroker.Providers.Azure.KeyVault;
using CredBroker.Providers.Azure.SharedApp;

namespace CredBroker.Providers.Azure;

/// <summary>One tenant under one configuration. Each role kind is a class of its own.</summary>
internal sealed class AzureProvider : IProvider, IGroupRevokingProvider, IListingProvider
{
    private readonly AzureHttp _http;
    private readonly AppIssue _apps;
    private readonly AppRevocation _appRevocation;
    private readonly SharedAppPasswords _shared;
    private readonly SharedAssignments _assignments;
    private readonly VaultSecrets _secrets;
    private readonly AzureListing _listing;
    private readonly TargetCheck _check;

    public AzureProvider(ProviderContext context, AzureConfiguration configuration)
    {
        _http = new AzureHttp(context, configuration);
        var target = $"entra:{_http.Addresses.Authority.Authority}/{configuration.TenantId.ToLowerInvariant()}";
        var graph = new Applications(_http);
        var arm = new RoleAssignments(_http);
        var clients = new VaultClients(_http, context);
        _apps = new AppIssue(graph, arm, new LeaseTokens(_http, context, configuration), context, configuration, _http.Addresses, target);
        _appRevocation = new AppRevocation(graph, arm, configuration, target);
        _shared = new SharedAppPasswords(graph, context, configuration, _http.Addresses, target);
        _assignments = new SharedAssignments(arm, context, configuration, target);
        _secrets = new VaultSecrets(clients, context, configuration, target);
        _listing = new AzureListing(graph, arm, _secrets, configuration, context.InstallationId);
        _check = new TargetCheck(_http, graph, arm, clients, context, configuration, target);
    }

    public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) => request.RoleKind switch
    {
        "app-password" => _apps.WithPasswordAsync(request, journal, cancellationToken),
        "app-federated" => _apps.WithTokenAsync(request, journal, cancellationToken),
        "shared-app-password" => _shared.IssueAsync(request, journal, cancellationToken),
        "role-assignment" => _assignments.IssueAsync(request, journal, cancellationToken),
        "keyvault-secret-write" => _secrets.WriteAsync(request, journal, cancellationToken),
        "keyvault-secret-read" => _secrets.ReadAsync(request, journal, cancellationToken),
        _ => throw Unknown(request.RoleKind),
    };

    public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => request.RoleKind switch
    {
        "app-password" or "app-federated" => _appRevocation.RunAsync(request, cancellationToken),
        "shared-app-password" => _shared.RevokeAsync(request, cancellationToken),
        "role-assignment" => _assignments.RevokeAsync(request, cancellationToken),
        "keyvault-secret-write" => _secrets.RevokeWrittenAsync(request, cancellationToken),
        "keyvault-secret-read" => _secrets.RevokeReadAsync(request, cancellationToken),
        _ => throw Unknown(request.RoleKind),
    };

    /// <summary>
    /// One after the other, under the group's claim: Azure keeps no list of the dead, each is taken out by itself. What concerns the target ends it for all;
    /// those that were done by then keep their outcome.
    /// </summary>
    public async Task<GroupRevokeOutcome> RevokeGroupAsync(GroupRevokeRequest request, CancellationToken cancellationToken)
    {
        var outcomes = new Dictionary<Uid, RevokeOutcome>();
        var failures = new Dictionary<Uid, ProviderException>();
        foreach (var due in request.Due)
        {
            try
            {
                outcomes[due.LeaseId] = await RevokeAsync(due, cancellationToken).ConfigureAwait(false);
            }
            catch (ProviderException e) when (e.Fault is ProviderFault.Credential or ProviderFault.TargetMismatch)
            {
                failures[due.LeaseId] = e;
            }
            catch (ProviderException) when (outcomes.Count + failures.Count > 0)
            {
                break;
            }
        }

        return new GroupRevokeOutcome(outcomes) { Failures = failures };
    }

    public IReadOnlyCollection<string> ListedKinds => _listing.Kinds;

    public IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken) => _listing.RunAsync(cancellationToken);

    public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => _check.RunAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        _http.Tokens.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ProviderException Unknown(string kind) => new(ProviderFault.Misconfigured, $"This provider has no role kind {Faults.Clean(kind)}.", ProviderEffect.None);
}
