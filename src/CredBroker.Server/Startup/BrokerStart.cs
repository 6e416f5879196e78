using CredBroker.Core.Clocks;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.Server.Configuration;

namespace CredBroker.Server.Startup;

/// <summary>What comes before the first request, in this order: database, keys, the operator's identity sources, manifests.</summary>
internal sealed partial class BrokerStart(BrokerDatabase database, BrokerLife life, KeyRing keys, Catalog catalog, OperatorSources sources, ManifestFolder manifests, Anchors anchors, ILogger<BrokerStart> logger)
{
    /// <summary>Takes the database and brings it up to date. A wrong wrapping key shows here, before anything is issued.</summary>
    public Task MigrateAsync(CancellationToken cancellationToken) => database.MigrateAsync(cancellationToken);

    /// <summary>What the process ends with: not 0 when a newer version of the database shut it out.</summary>
    public int ExitCode => database.ShutOut.IsCompleted ? 3 : 0;

    /// <summary>Everything.</summary>
    /// <exception cref="StartupException">The operator must mend something first.</exception>
    public async Task PrepareAsync(ConfigurationResult.Valid valid, CancellationToken cancellationToken)
    {
        var configuration = valid.Configuration;
        if (WrappingKeys.MayMake(configuration)) LogDevelopmentKey(logger, WrappingKeys.DevelopmentKeyFile(configuration));
        await MigrateAsync(cancellationToken);
        // How long nobody was there is known before anybody looks for lost heartbeats.
        await life.LookAsync(cancellationToken);
        await keys.EnsureAsync(cancellationToken);
        await catalog.RefreshAsync(cancellationToken);
        await sources.ApplyAsync(valid, cancellationToken);
        if (configuration.Manifests.Folder is { } folder) await manifests.ApplyAsync(folder, configuration.Manifests.Prune, configuration.Manifests.ExpectRevoked, cancellationToken);
        // Before anybody looks for what is due by time.
        await anchors.StartAsync(cancellationToken);
        LogPrepared(logger, valid.Installation.Id, valid.Installation.PublicUrl, valid.FileHash);
    }

    [LoggerMessage(EventId = 1502, Level = LogLevel.Warning, Message = "For development only: the wrapping key was made by the server and is kept in {File}, beside what it protects")]
    private static partial void LogDevelopmentKey(ILogger logger, string file);

    [LoggerMessage(EventId = 1503, Level = LogLevel.Information, Message = "Installation {Id} serves {PublicUrl}; configuration {Hash}")]
    private static partial void LogPrepared(ILogger logger, string id, string publicUrl, string hash);
}
