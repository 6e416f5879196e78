using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;

namespace CredBroker.Providers.PostgreSql;

/// <summary>How the connection is protected.</summary>
public enum SslMode
{
    /// <summary>TLS, and the certificate must be valid for the host's name.</summary>
    VerifyFull = 1,

    /// <summary>No TLS: to a loopback address only.</summary>
    Disable = 2,
}

/// <summary>
/// A connection to one PostgreSQL server. Its fields are the only ones: a connection string could switch off what is required here.
/// </summary>
public sealed record PostgreSqlConfiguration
{
    /// <summary>One host name or address.</summary>
    public required string Host { get; init; }

    /// <summary>The port, 1 to 65535.</summary>
    public int Port { get; init; } = 5432;

    /// <summary>The database that the broker connects to, and that credentials are for unless their role names another.</summary>
    public required string Database { get; init; }

    /// <summary>The broker's own login: with CREATEROLE, and not a superuser.</summary>
    public required string Username { get; init; }

    /// <summary>The secret source with its password; may be left out for a loopback address that needs none.</summary>
    public SecretRef? Password { get; init; }

    /// <summary>How the connection is protected.</summary>
    public SslMode SslMode { get; init; } = SslMode.VerifyFull;

    /// <summary>The certificates, in PEM, of the authorities to trust instead of the system's.</summary>
    public string? RootCertificate { get; init; }

    /// <summary>The groups whose membership roles of this provider may give. Nothing else is ever granted.</summary>
    public required IReadOnlyList<string> Groups { get; init; }

    /// <summary>How long connecting may take: 1 s to 60 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a statement may take at the server: 1 s to 60 s.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many connections the broker keeps at most: 1 to 100.</summary>
    public int MaxConnections { get; init; } = 20;

    internal bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    internal IEnumerable<ValidationError> Validate()
    {
        if (!IsHost(Host)) yield return new("host", "This must be one host name or address, without a port, a path or a list.");
        if (Port is < 1 or > 65535) yield return new("port", "A port is between 1 and 65535.");
        if (!Identifier.IsName(Database)) yield return new("database", Identifier.Rule);
        if (!Identifier.IsName(Username)) yield return new("username", Identifier.Rule);
        if (Password is null && !IsLoopback) yield return new("password", "A password is required unless the host is a loopback address.");
        if (Password is { Source: var source } && !Identifier.IsName(source)) yield return new("password.source", "This names a secret source of the operator's file.");
        if (SslMode == SslMode.Disable && !IsLoopback) yield return new("sslMode", "Only a loopback address may be used without TLS.");
        if (RootCertificate is not null && ReadCertificates(RootCertificate).Count == 0)
            yield return new("rootCertificate", "This holds no certificate in PEM.");
        foreach (var error in ValidateGroups()) yield return error;
        if (!IsBetween(ConnectTimeout, 1, 60)) yield return new("connectTimeout", "This must be between 1s and 60s.");
        if (!IsBetween(CommandTimeout, 1, 60)) yield return new("commandTimeout", "This must be between 1s and 60s.");
        if (MaxConnections is < 1 or > 100) yield return new("maxConnections", "This must be between 1 and 100.");
    }

    internal static X509Certificate2Collection ReadCertificates(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            return [];
        }

        return certificates;
    }

    private IEnumerable<ValidationError> ValidateGroups()
    {
        if (Groups.Count is 0 or > 100) yield return new("groups", "Name 1 to 100 groups.");
        for (var i = 0; i < Groups.Count; i++)
        {
            if (Identifier.WhyNotGroup(Groups[i]) is { } reason) yield return new($"groups[{i}]", reason);
            else if (Groups[i] == Username) yield return new($"groups[{i}]", "The broker's own login must not be given to anyone.");
        }
    }

    private static bool IsHost(string host) =>
        host.Length <= 253 && !host.Contains(',', StringComparison.Ordinal) && !host.StartsWith('[')
        && Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;

    private static bool IsBetween(TimeSpan value, int from, int to) => value >= TimeSpan.FromSeconds(from) && value <= TimeSpan.FromSeconds(to);
}
