using CredBroker.AspNetCore.Mapping;
using CredBroker.Core;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Manifests;
using CredBroker.Manifests.Planning;
using Google.Protobuf;
using ResourceKind = CredBroker.Manifests.ResourceKind;

namespace CredBroker.Server.Startup;

/// <summary>The broker's own registry as a place where manifests are applied: the same mapping and the same rules as the API's.</summary>
internal sealed class RegistryShelves(RegistryService registry, Catalog catalog, ProviderTypes types)
{
    public IManifestTarget For(RegistryAuthor author, long expectRevoked = 0) => new Target(new Dictionary<ResourceKind, Shelf>
    {
        [ResourceKind.IdentitySource] = Make(author, expectRevoked, SourceMapping.IdentitySources),
        [ResourceKind.Provider] = Make(author, expectRevoked, ProviderMapping.Providers),
        [ResourceKind.Role] = Make(author, expectRevoked, ProviderMapping.RolesOf(catalog, types)),
        [ResourceKind.Hook] = Make(author, expectRevoked, RuleMapping.Hooks),
        [ResourceKind.PolicySet] = Make(author, expectRevoked, RuleMapping.PolicySets),
    });

    private Shelf<TSpec, TProto> Make<TSpec, TProto>(RegistryAuthor author, long expectRevoked, ResourceMapping<TSpec, TProto> mapping)
        where TSpec : class
        where TProto : class, IMessage<TProto>, IDeepCloneable<TProto> => new(registry, catalog, author, expectRevoked, mapping);

    private sealed class Target(IReadOnlyDictionary<ResourceKind, Shelf> shelves) : IManifestTarget
    {
        public Task<IMessage?> GetAsync(ResourceKind kind, string name, CancellationToken cancellationToken) => Task.FromResult(shelves[kind].Get(name));

        public Task<IReadOnlyList<IMessage>> ListAsync(ResourceKind kind, CancellationToken cancellationToken) => Task.FromResult(shelves[kind].List());

        public Task CreateAsync(Manifest manifest, CancellationToken cancellationToken) => shelves[manifest.Kind].CreateAsync(manifest, cancellationToken);

        public Task UpdateAsync(Manifest manifest, string etag, CancellationToken cancellationToken) => shelves[manifest.Kind].UpdateAsync(manifest, etag, cancellationToken);

        public Task DeleteAsync(ResourceKind kind, string name, string etag, CancellationToken cancellationToken) => shelves[kind].DeleteAsync(name, etag, cancellationToken);
    }
}

/// <summary>The resources of one kind.</summary>
internal abstract class Shelf
{
    public abstract IMessage? Get(string name);

    public abstract IReadOnlyList<IMessage> List();

    public abstract Task CreateAsync(Manifest manifest, CancellationToken cancellationToken);

    public abstract Task UpdateAsync(Manifest manifest, string etag, CancellationToken cancellationToken);

    public abstract Task DeleteAsync(string name, string etag, CancellationToken cancellationToken);
}

internal sealed class Shelf<TSpec, TProto>(RegistryService registry, Catalog catalog, RegistryAuthor author, long expectRevoked, ResourceMapping<TSpec, TProto> mapping) : Shelf
    where TSpec : class
    where TProto : class, IMessage<TProto>, IDeepCloneable<TProto>
{
    public override IMessage? Get(string name) => Find(name) is { } entry ? Show(entry) : null;

    public override IReadOnlyList<IMessage> List() => [.. catalog.Current.Entries.Where(entry => entry.Kind == mapping.Type.Kind).Select(Show)];

    public override async Task CreateAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        var (id, above) = Parse(manifest.Name);
        Demand(await registry.CreateAsync(author, mapping.Type, id, above, mapping.ToSpec((TProto)manifest.Resource), new ChangeOptions { ExpectedRevocations = expectRevoked }, cancellationToken), manifest);
    }

    public override async Task UpdateAsync(Manifest manifest, string etag, CancellationToken cancellationToken)
    {
        var (id, above) = Parse(manifest.Name);
        Demand(await registry.UpdateAsync(author, mapping.Type, id, above, mapping.ToSpec((TProto)manifest.Resource), OptionsFor(manifest.Name, etag), cancellationToken), manifest);
    }

    public override async Task DeleteAsync(string name, string etag, CancellationToken cancellationToken)
    {
        var (id, above) = Parse(name);
        var deleted = await registry.DeleteAsync(author, mapping.Type, id, above, OptionsFor(name, etag), cancellationToken);
        if (deleted is Result<Abstractions.Uid>.Refused { Error: var error }) throw new StartupException($"{name} cannot be pruned: {error.Message}");
    }

    private ChangeOptions OptionsFor(string name, string etag) =>
        new() { ExpectedRevocations = expectRevoked, ExpectedVersion = Find(name) is { } entry && Administered.EtagOf(entry) == etag ? entry.Version : 0 };

    private RegistryEntry? Find(string name)
    {
        var (id, above) = Parse(name);
        if (above is null) return catalog.Current.Find(mapping.Type.Kind, id);
        return catalog.Current.Providers.TryGetValue(above, out var provider) ? catalog.Current.Find(mapping.Type.Kind, id, provider.Uid) : null;
    }

    private IMessage Show(RegistryEntry entry)
    {
        var above = entry.ParentUid is { } parent && catalog.Current.TryFindProvider(parent, out var provider) ? provider.Name : null;
        return mapping.ToProto(new Registered<TSpec>(entry, SpecJson.Read<TSpec>(entry.SpecJson))).WithEntry(mapping.Type.NameOf(entry.Name, above), entry);
    }

    private static (string Id, string? Above) Parse(string name) => name.Split('/') is [_, var above, _, var id] ? (id, above) : (name.Split('/')[1], null);

    private static void Demand<T>(Result<T> result, Manifest manifest)
    {
        if (result is not Result<T>.Refused { Error: var error }) return;
        var lines = error.Reason == Reasons.LiveLeasesWouldDie ? [error.Message + " In a folder, that is manifests.expectRevoked. What was in force stays so."]
            : error.Violations.Count == 0 ? [error.Message] : error.Violations.Select(violation => $"{violation.Path}: {violation.Message}");
        throw new StartupException(string.Join('\n', lines.Select(line => SafeText.Line($"{manifest.Source}: {manifest.Name}: {line}"))));
    }
}
