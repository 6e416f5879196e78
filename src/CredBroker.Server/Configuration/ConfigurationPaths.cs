namespace CredBroker.Server.Configuration;

/// <summary>Relative paths are relative to the configuration file, wherever the server is started from.</summary>
internal static class ConfigurationPaths
{
    private const string DefaultDatabase = "credbroker.db";

    public static ServerConfiguration Resolve(ServerConfiguration configuration, string folder)
    {
        return configuration with
        {
            Installation = configuration.Installation with
            {
                WrappingKeyFile = At(configuration.Installation.WrappingKeyFile),
                PreviousWrappingKeyFiles = [.. configuration.Installation.PreviousWrappingKeyFiles.Select(file => At(file)!)],
            },
            Listen = configuration.Listen with
            {
                Tls = configuration.Listen.Tls is { } tls ? tls with { CertificateFile = At(tls.CertificateFile)!, KeyFile = At(tls.KeyFile)! } : null,
            },
            Storage = Resolve(configuration.Storage),
            Operator = configuration.Operator with
            {
                IdentitySources = [.. configuration.Operator.IdentitySources.Select(source => source with { Oidc = source.Oidc with { JwksFile = At(source.Oidc.JwksFile) } })],
            },
            SecretSources = [.. configuration.SecretSources.Select(source => source with { File = At(source.File) })],
            Manifests = configuration.Manifests with { Folder = At(configuration.Manifests.Folder) },
        };

        StorageConfiguration Resolve(StorageConfiguration storage) => storage switch
        {
            { Sqlite: null, Postgresql: null } => Resolve(storage with { Sqlite = new SqliteConfiguration { Path = Path.Combine(folder, DefaultDatabase) } }),
            _ => storage with
            {
                // Beside the database, which backups of the database alone leave where it is; better on another volume.
                WitnessFile = At(storage.WitnessFile) ?? (storage.Sqlite is { Path.Length: > 0 } file ? $"{At(file.Path)}.witness" : null),
                Sqlite = storage.Sqlite is { } sqlite ? sqlite with { Path = At(sqlite.Path)! } : null,
                Postgresql = storage.Postgresql is { } postgres
                    ? postgres with { PasswordFile = At(postgres.PasswordFile), RootCertificateFile = At(postgres.RootCertificateFile) }
                    : null,
            },
        };

        string? At(string? path) => path is null or "" ? path : Path.GetFullPath(path, folder);
    }
}
