using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Manifests;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Cli.Administration;

/// <summary>The five standard methods of an administered kind, with messages of any kind.</summary>
internal abstract class AdminApi(BrokerClient client)
{
    // Everything is replaced: what a manifest leaves out is not set.
    protected static FieldMask All { get; } = new() { Paths = { "*" } };

    protected BrokerClient Client { get; } = client;

    /// <summary>The API of a kind; <paramref name="expectRevoked"/>: how many live leases a change of policies may revoke.</summary>
    public static AdminApi For(ResourceKind kind, BrokerClient client, long expectRevoked = 0) => kind.Name switch
    {
        nameof(IdentitySource) => new SourceApi(client),
        nameof(Provider) => new ProviderApi(client),
        nameof(Role) => new RoleApi(client),
        nameof(Hook) => new HookApi(client),
        _ => new PolicySetApi(client, expectRevoked),
    };

    public abstract Task<IMessage> GetAsync(string name, CancellationToken ct);

    /// <summary>One page; of roles, those of the provider <paramref name="parent"/>.</summary>
    public abstract Task<(IEnumerable<IMessage> Items, string Next)> ListAsync(string parent, string pageToken, int pageSize, CancellationToken ct);

    public abstract Task<IMessage> CreateAsync(IMessage resource, bool reuseName, CancellationToken ct);

    public abstract Task<IMessage> UpdateAsync(IMessage resource, string etag, CancellationToken ct);

    public abstract Task DeleteAsync(string name, string etag, bool force, CancellationToken ct);

    private static string Id(IMessage resource) => ResourceKind.IdOf(ResourceKind.NameOf(resource));

    private sealed class SourceApi(BrokerClient client) : AdminApi(client)
    {
        public override async Task<IMessage> GetAsync(string name, CancellationToken ct) => await Client.IdentitySources.GetIdentitySourceAsync(new() { Name = name }, cancellationToken: ct);

        public override async Task<(IEnumerable<IMessage> Items, string Next)> ListAsync(string parent, string pageToken, int pageSize, CancellationToken ct)
        {
            var page = await Client.IdentitySources.ListIdentitySourcesAsync(new() { PageToken = pageToken, PageSize = pageSize }, cancellationToken: ct);
            return (page.IdentitySources, page.NextPageToken);
        }

        public override async Task<IMessage> CreateAsync(IMessage resource, bool reuseName, CancellationToken ct) =>
            await Client.IdentitySources.CreateIdentitySourceAsync(new() { IdentitySourceId = Id(resource), IdentitySource = (IdentitySource)resource, ReuseName = reuseName }, cancellationToken: ct);

        public override async Task<IMessage> UpdateAsync(IMessage resource, string etag, CancellationToken ct) =>
            await Client.IdentitySources.UpdateIdentitySourceAsync(new() { IdentitySource = new IdentitySource((IdentitySource)resource) { Etag = etag }, UpdateMask = All }, cancellationToken: ct);

        public override async Task DeleteAsync(string name, string etag, bool force, CancellationToken ct) =>
            await Client.IdentitySources.DeleteIdentitySourceAsync(new() { Name = name, Etag = etag }, cancellationToken: ct);
    }

    private sealed class ProviderApi(BrokerClient client) : AdminApi(client)
    {
        public override async Task<IMessage> GetAsync(string name, CancellationToken ct) => await Client.Providers.GetProviderAsync(new() { Name = name }, cancellationToken: ct);

        public override async Task<(IEnumerable<IMessage> Items, string Next)> ListAsync(string parent, string pageToken, int pageSize, CancellationToken ct)
        {
            var page = await Client.Providers.ListProvidersAsync(new() { PageToken = pageToken, PageSize = pageSize }, cancellationToken: ct);
            return (page.Providers, page.NextPageToken);
        }

        public override async Task<IMessage> CreateAsync(IMessage resource, bool reuseName, CancellationToken ct) =>
            await Client.Providers.CreateProviderAsync(new() { ProviderId = Id(resource), Provider = (Provider)resource, ReuseName = reuseName }, cancellationToken: ct);

        public override async Task<IMessage> UpdateAsync(IMessage resource, string etag, CancellationToken ct) =>
            await Client.Providers.UpdateProviderAsync(new() { Provider = new Provider((Provider)resource) { Etag = etag }, UpdateMask = All }, cancellationToken: ct);

        public override async Task DeleteAsync(string name, string etag, bool force, CancellationToken ct) =>
            await Client.Providers.DeleteProviderAsync(new() { Name = name, Etag = etag, Force = force }, cancellationToken: ct);
    }

    private sealed class RoleApi(BrokerClient client) : AdminApi(client)
    {
        public override async Task<IMessage> GetAsync(string name, CancellationToken ct) => await Client.Roles.GetRoleAsync(new() { Name = name }, cancellationToken: ct);

        public override async Task<(IEnumerable<IMessage> Items, string Next)> ListAsync(string parent, string pageToken, int pageSize, CancellationToken ct)
        {
            var page = await Client.Roles.ListRolesAsync(new() { Parent = parent, PageToken = pageToken, PageSize = pageSize }, cancellationToken: ct);
            return (page.Roles, page.NextPageToken);
        }

        public override async Task<IMessage> CreateAsync(IMessage resource, bool reuseName, CancellationToken ct) => await Client.Roles.CreateRoleAsync(
            new() { Parent = ResourceKind.ParentOf(ResourceKind.NameOf(resource)), RoleId = Id(resource), Role = (Role)resource, ReuseName = reuseName }, cancellationToken: ct);

        public override async Task<IMessage> UpdateAsync(IMessage resource, string etag, CancellationToken ct) =>
            await Client.Roles.UpdateRoleAsync(new() { Role = new Role((Role)resource) { Etag = etag }, UpdateMask = All }, cancellationToken: ct);

        public override async Task DeleteAsync(string name, string etag, bool force, CancellationToken ct) =>
            await Client.Roles.DeleteRoleAsync(new() { Name = name, Etag = etag }, cancellationToken: ct);
    }

    private sealed class HookApi(BrokerClient client) : AdminApi(client)
    {
        public override async Task<IMessage> GetAsync(string name, CancellationToken ct) => await Client.Hooks.GetHookAsync(new() { Name = name }, cancellationToken: ct);

        public override async Task<(IEnumerable<IMessage> Items, string Next)> ListAsync(string parent, string pageToken, int pageSize, CancellationToken ct)
        {
            var page = await Client.Hooks.ListHooksAsync(new() { PageToken = pageToken, PageSize = pageSize }, cancellationToken: ct);
            return (page.Hooks, page.NextPageToken);
        }

        public override async Task<IMessage> CreateAsync(IMessage resource, bool reuseName, CancellationToken ct) =>
            await Client.Hooks.CreateHookAsync(new() { HookId = Id(resource), Hook = (Hook)resource, ReuseName = reuseName }, cancellationToken: ct);

        public override async Task<IMessage> UpdateAsync(IMessage resource, string etag, CancellationToken ct) =>
            await Client.Hooks.UpdateHookAsync(new() { Hook = new Hook((Hook)resource) { Etag = etag }, UpdateMask = All }, cancellationToken: ct);

        public override async Task DeleteAsync(string name, string etag, bool force, CancellationToken ct) =>
            await Client.Hooks.DeleteHookAsync(new() { Name = name, Etag = etag }, cancellationToken: ct);
    }

    private sealed class PolicySetApi(BrokerClient client, long expectRevoked) : AdminApi(client)
    {
        public override async Task<IMessage> GetAsync(string name, CancellationToken ct) => await Client.PolicySets.GetPolicySetAsync(new() { Name = name }, cancellationToken: ct);

        public override async Task<(IEnumerable<IMessage> Items, string Next)> ListAsync(string parent, string pageToken, int pageSize, CancellationToken ct)
        {
            // A page of large texts must fit into one message.
            var page = await Client.PolicySets.ListPolicySetsAsync(new() { PageToken = pageToken, PageSize = Math.Min(pageSize, 5) }, cancellationToken: ct);
            return (page.PolicySets, page.NextPageToken);
        }

        public override async Task<IMessage> CreateAsync(IMessage resource, bool reuseName, CancellationToken ct) =>
            await Client.PolicySets.CreatePolicySetAsync(new() { PolicySetId = Id(resource), PolicySet = (PolicySet)resource, ReuseName = reuseName, ExpectRevoked = expectRevoked }, cancellationToken: ct);

        public override async Task<IMessage> UpdateAsync(IMessage resource, string etag, CancellationToken ct) =>
            await Client.PolicySets.UpdatePolicySetAsync(new() { PolicySet = new PolicySet((PolicySet)resource) { Etag = etag }, UpdateMask = All, ExpectRevoked = expectRevoked }, cancellationToken: ct);

        public override async Task DeleteAsync(string name, string etag, bool force, CancellationToken ct) =>
            await Client.PolicySets.DeletePolicySetAsync(new() { Name = name, Etag = etag, ExpectRevoked = expectRevoked }, cancellationToken: ct);
    }
}
