using System.Diagnostics.CodeAnalysis;
using CredBroker.Abstractions;
using CredBroker.Core.Identity;
using CredBroker.Core.Policies;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Registry;

/// <summary>A registered resource with its specification.</summary>
public sealed record Registered<TSpec>(RegistryEntry Entry, TSpec Spec)
{
    /// <summary>The immutable id.</summary>
    public Uid Uid => Entry.Uid;

    /// <summary>The name.</summary>
    public string Name => Entry.Name;
}

/// <summary>The registry as it was at one moment: immutable, and swapped whole.</summary>
public sealed class RegistrySnapshot
{
    private readonly RegistryContent _content;
    private readonly Dictionary<Uid, Registered<ProviderSpec>> _providersByUid;
    private readonly Dictionary<(Uid, string), Registered<RoleSpec>> _roles;

    /// <summary>Reads every specification and compiles the policies.</summary>
    public RegistrySnapshot(RegistryContent content, Func<IReadOnlyList<Registered<PolicySetSpec>>, PolicyBook> compile)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(compile);
        _content = content;
        _providersByUid = Read<ProviderSpec>(ResourceKind.Provider, deletedToo: true).ToDictionary(provider => provider.Uid);
        Providers = _providersByUid.Values.Where(Alive).ToDictionary(provider => provider.Name);
        Roles = [.. Read<RoleSpec>(ResourceKind.Role)];
        _roles = Roles.ToDictionary(role => (role.Entry.ParentUid!.Value, role.Name));
        Hooks = Read<HookSpec>(ResourceKind.Hook).ToDictionary(hook => hook.Name);
        PolicySets = [.. Read<PolicySetSpec>(ResourceKind.PolicySet)];
        IdentitySources =
        [
            .. Read<IdentitySourceSpec>(ResourceKind.IdentitySource)
                .Select(source => new RegisteredIdentitySource(source.Uid, source.Name, source.Entry.Version, source.Spec, source.Entry.ManagedBy == ManagedBy.Operator)),
        ];
        Policies = compile(PolicySets);
    }

    /// <summary>The generation of the whole.</summary>
    public long Generation => _content.Generation;

    /// <summary>The generation of the policies.</summary>
    public long PolicyVersion => _content.PolicyVersion;

    /// <summary>Whom the broker trusts.</summary>
    public IReadOnlyList<RegisteredIdentitySource> IdentitySources { get; }

    /// <summary>Providers by name.</summary>
    public IReadOnlyDictionary<string, Registered<ProviderSpec>> Providers { get; }

    /// <summary>All roles.</summary>
    public IReadOnlyList<Registered<RoleSpec>> Roles { get; }

    /// <summary>Hooks by name.</summary>
    public IReadOnlyDictionary<string, Registered<HookSpec>> Hooks { get; }

    /// <summary>The policy sets.</summary>
    public IReadOnlyList<Registered<PolicySetSpec>> PolicySets { get; }

    /// <summary>The policies, compiled.</summary>
    public PolicyBook Policies { get; }

    /// <summary>All entries that are not deleted.</summary>
    public IEnumerable<RegistryEntry> Entries => _content.Entries.Where(entry => entry.DeletedAt is null);

    /// <summary>An identity source by name.</summary>
    public RegisteredIdentitySource? FindSource(string name) => IdentitySources.FirstOrDefault(source => source.Name == name);

    /// <summary>The generation of an identity source; 0 for one that is not registered.</summary>
    public long SourceVersion(Uid source) => IdentitySources.FirstOrDefault(candidate => candidate.Uid == source)?.Version ?? 0;

    /// <summary>A provider by id, deleted ones with leases that are not proven dead included.</summary>
    public bool TryFindProvider(Uid uid, [NotNullWhen(true)] out Registered<ProviderSpec>? provider) => _providersByUid.TryGetValue(uid, out provider);

    /// <summary>A role by its provider and name.</summary>
    public bool TryFindRole(string provider, string role, [NotNullWhen(true)] out Registered<ProviderSpec>? foundProvider, [NotNullWhen(true)] out Registered<RoleSpec>? foundRole)
    {
        foundRole = null;
        return Providers.TryGetValue(provider, out foundProvider) && _roles.TryGetValue((foundProvider.Uid, role), out foundRole);
    }

    /// <summary>A live entry by kind, name and parent.</summary>
    public RegistryEntry? Find(ResourceKind kind, string name, Uid? parent = null) =>
        Entries.FirstOrDefault(entry => entry.Kind == kind && entry.Name == name && entry.ParentUid == parent);

    /// <summary>How often something was suspended, and whether it is now.</summary>
    public GateState GateOf(Uid uid) => _content.Gates.GetValueOrDefault(uid);

    /// <summary>What a decision under this snapshot depends on. To be noted before it is made: what changes meanwhile then shows when it is used.</summary>
    public Leases.GenerationCheck Generations(params IEnumerable<(Uid Uid, long Version)> entries) =>
        new(entries.ToDictionary(entry => entry.Uid, entry => entry.Version), PolicyVersion);

    private static bool Alive<TSpec>(Registered<TSpec> registered) => registered.Entry.DeletedAt is null;

    private IEnumerable<Registered<TSpec>> Read<TSpec>(ResourceKind kind, bool deletedToo = false)
        where TSpec : class =>
        _content.Entries
            .Where(entry => entry.Kind == kind && (deletedToo || entry.DeletedAt is null))
            .Select(entry => new Registered<TSpec>(entry, SpecJson.Read<TSpec>(entry.SpecJson)));
}

/// <summary>Who keeps a resource.</summary>
public static class ManagedBy
{
    /// <summary>The API.</summary>
    public const string Api = "api";

    /// <summary>The operator's own configuration file: nothing else can change it.</summary>
    public const string Operator = "operator";

    /// <summary>What a declarative folder's files are marked with, before the hash.</summary>
    public const string FilePrefix = "file:";
}

/// <summary>The present snapshot. It is only as fresh as its last refresh: Reserve re-reads the generations that it decided under.</summary>
public sealed partial class Catalog(IRegistryStore store, PolicyCompiler compiler, ILogger<Catalog> logger) : IIdentitySourceCatalog, IDisposable
{
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private RegistrySnapshot? _current;

    /// <summary>The present snapshot.</summary>
    public RegistrySnapshot Current => Volatile.Read(ref _current) ?? throw new InvalidOperationException("The registry was not loaded yet.");

    /// <summary>Whether there is a snapshot.</summary>
    public bool Loaded => Volatile.Read(ref _current) is not null;

    IReadOnlyList<RegisteredIdentitySource> IIdentitySourceCatalog.Current => Loaded ? Current.IdentitySources : [];

    /// <summary>Loads the registry if it has changed since.</summary>
    public Task<RegistrySnapshot> RefreshAsync(CancellationToken cancellationToken) => LoadAsync(always: false, cancellationToken);

    /// <summary>Loads the registry, changed or not: which deleted providers belong to it depends on leases.</summary>
    public Task<RegistrySnapshot> ReloadAsync(CancellationToken cancellationToken) => LoadAsync(always: true, cancellationToken);

    private async Task<RegistrySnapshot> LoadAsync(bool always, CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken);
        try
        {
            var generation = await store.GenerationAsync(cancellationToken);
            if (!always && _current is { } current && current.Generation == generation) return current;
            var snapshot = new RegistrySnapshot(await store.LoadAsync(cancellationToken), compiler.Compile);
            Volatile.Write(ref _current, snapshot);
            LogRefreshed(logger, snapshot.Generation);
            return snapshot;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _refreshing.Dispose();

    [LoggerMessage(Level = LogLevel.Debug, Message = "The registry is at generation {Generation}")]
    private static partial void LogRefreshed(ILogger logger, long generation);
}
