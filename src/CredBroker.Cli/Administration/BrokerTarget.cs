using CredBroker.Client;
using CredBroker.Manifests;
using CredBroker.Manifests.Planning;
using Google.Protobuf;
using Grpc.Core;

namespace CredBroker.Cli.Administration;

/// <summary>A running broker as the place where manifests are applied.</summary>
internal sealed class BrokerTarget(BrokerClient client, bool reuseNames = false, long expectRevoked = 0) : IManifestTarget
{
    public async Task<IMessage?> GetAsync(ResourceKind kind, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await AdminApi.For(kind, client).GetAsync(name, cancellationToken);
        }
        catch (BrokerException fault) when (fault.Code == StatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<IMessage>> ListAsync(ResourceKind kind, CancellationToken cancellationToken)
    {
        if (kind.Child is null) return await ListAsync(kind, "", cancellationToken);
        var all = new List<IMessage>();
        foreach (var parent in await ListAsync(ResourceKind.Provider, "", cancellationToken)) all.AddRange(await ListAsync(kind, ResourceKind.NameOf(parent), cancellationToken));
        return all;
    }

    public Task CreateAsync(Manifest manifest, CancellationToken cancellationToken) =>
        AdminApi.For(manifest.Kind, client, expectRevoked).CreateAsync(manifest.Resource, reuseNames, cancellationToken);

    public Task UpdateAsync(Manifest manifest, string etag, CancellationToken cancellationToken) =>
        AdminApi.For(manifest.Kind, client, expectRevoked).UpdateAsync(manifest.Resource, etag, cancellationToken);

    public Task DeleteAsync(ResourceKind kind, string name, string etag, CancellationToken cancellationToken) =>
        AdminApi.For(kind, client, expectRevoked).DeleteAsync(name, etag, force: false, cancellationToken);

    private async Task<List<IMessage>> ListAsync(ResourceKind kind, string parent, CancellationToken cancellationToken)
    {
        var (api, all, token) = (AdminApi.For(kind, client), new List<IMessage>(), "");
        do
        {
            (var items, token) = await api.ListAsync(parent, token, 1000, cancellationToken);
            all.AddRange(items);
        }
        while (token.Length > 0);
        return all;
    }
}
