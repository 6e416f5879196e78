namespace CredBroker.Server.Configuration;

/// <summary>The database: one of the two.</summary>
public sealed record StorageConfiguration
{
    /// <summary>A file of this server's own.</summary>
    public SqliteConfiguration? Sqlite { get; init; }

    /// <summary>A file of this node's own that notes what was committed: by it a backup that was restored is recognised.</summary>
    public string? WitnessFile { get; init; }

    /// <summary>A server that several nodes may share.</summary>
    public PostgreSqlConfiguration? Postgresql { get; init; }
}

/// <summary>SQLite.</summary>
public sealed record SqliteConfiguration
{
    /// <summary>The file; it is made if it is not there. Its folder must be there.</summary>
    public string Path { get; init; } = "";

    /// <summary>Below so many free MiB beside the file nothing new is opened or issued.</summary>
    public int KeptBackMiB { get; init; } = 256;
}

/// <summary>PostgreSQL.</summary>
public sealed record PostgreSqlConfiguration
{
    /// <summary>The host, or the folder of its socket.</summary>
    public string Host { get; init; } = "";

    /// <summary>The port.</summary>
    public int Port { get; init; } = 5432;

    /// <summary>The database.</summary>
    public string Database { get; init; } = "";

    /// <summary>The role that the broker logs in with.</summary>
    public string Username { get; init; } = "";

    /// <summary>The file with its password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>The name of the environment variable with its password.</summary>
    public string? PasswordEnv { get; init; }

    /// <summary>Who signed the server's certificate, PEM; left out: the system's authorities.</summary>
    public string? RootCertificateFile { get; init; }

    /// <summary>The most connections of this node.</summary>
    public int MaxConnections { get; init; } = 20;
}
