using System.Collections.Concurrent;
using CredBroker.Abstractions;
using CredBroker.Core.Signing;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Identity;

/// <summary>The keys of all registered issuers, and the index of sources that tokens are matched with.</summary>
public sealed partial class IssuerKeyCache : IDisposable
{
    private readonly ConcurrentDictionary<KeyPlace, IssuerKeys> _places = new();
    private readonly IIdentitySourceCatalog _catalog;
    private readonly InstallationOptions _installation;
    private readonly KeyFetcher _fetcher;
    private readonly TimeProvider _time;
    private readonly ILogger<IssuerKeyCache> _logger;
    private SourceIndex? _index;

    /// <summary>Fetches nothing yet.</summary>
    public IssuerKeyCache(
        IIdentitySourceCatalog catalog, InstallationOptions installation, IEgress egress, TimeProvider time, ILogger<IssuerKeyCache> logger)
    {
        _catalog = catalog;
        _installation = installation;
        _fetcher = new KeyFetcher(egress, time);
        _time = time;
        _logger = logger;
    }

    /// <summary>
    /// Fetches the keys that are due, all at once, each on its own: a source that hangs holds up none. Called every few seconds by the
    /// background, never by a request.
    /// </summary>
    public async Task RefreshDueAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var index = Index();
        foreach (var gone in _places.Keys.Except(index.All.Select(source => source.Keys)).ToArray()) _places.TryRemove(gone, out _);
        await Task.WhenAll(index.All.Select(PlaceOf).Distinct().Where(place => place.IsDue(now)).Select(place => place.RefreshAsync(cancellationToken)));
    }

    /// <summary>Stops fetching.</summary>
    public void Dispose() => _fetcher.Dispose();

    internal ValueTask<KeyLookup> FindAsync(CompiledSource source, string keyId, string algorithm, CancellationToken cancellationToken) =>
        PlaceOf(source).FindAsync(keyId, algorithm, cancellationToken);

    /// <summary>The sources as they are now; prepared again when the catalog's list is another.</summary>
    internal SourceIndex Index()
    {
        var current = _catalog.Current;
        var index = Volatile.Read(ref _index);
        if (index is not null && ReferenceEquals(index.From, current)) return index;
        index = SourceIndex.Make(current, _installation, source => LogUnusable(_logger, source.Name));
        Volatile.Write(ref _index, index);
        return index;
    }

    private IssuerKeys PlaceOf(CompiledSource source) =>
        _places.GetOrAdd(source.Keys, place => new IssuerKeys(place, source.Preset.RefreshEvery, _fetcher, _time, _logger));

    [LoggerMessage(EventId = 1102, Level = LogLevel.Error, Message = "The identity source {Source} is not valid and vouches for nobody.")]
    private static partial void LogUnusable(ILogger logger, string source);
}
