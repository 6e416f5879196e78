using System.Net;
using CredBroker.Server.Configuration;
using Npgsql;

namespace CredBroker.Server.Hosting;

/// <summary>The connection string of the broker's own database, from its fields.</summary>
internal static class PostgreSqlConnection
{
    public static string StringOf(PostgreSqlConfiguration configuration, Func<string, string?> environment)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = configuration.Host,
            Port = configuration.Port,
            Database = configuration.Database,
            Username = configuration.Username,
            MaxPoolSize = configuration.MaxConnections,
            ApplicationName = "credbroker",
        };
        // Off this machine the server must prove its name, and never be handed the password itself.
        if (!IsLocal(configuration.Host))
        {
            settings.SslMode = SslMode.VerifyFull;
            settings.RequireAuth = "ScramSHA256";
        }

        if (configuration.RootCertificateFile is { } root) settings.RootCertificate = root;
        if (configuration.PasswordFile is { } file) settings.Password = PrivateFile.ReadText(file);
        else if (configuration.PasswordEnv is { } variable) settings.Password = environment(variable);
        return settings.ConnectionString;
    }

    private static bool IsLocal(string host) => host.StartsWith('/') || host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
