using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Abstractions;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Connect;

/// <summary>
/// Opens connections to the address that the egress policy has checked, while TLS verifies the name that was configured. Each has its
/// time-outs and an empty search path from its first byte on, so that no database's or role's setting comes before them.
/// </summary>
internal sealed class Connections(ProviderContext context, PostgreSqlConfiguration configuration) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<IPAddress, NpgsqlDataSource> _pools = new();
    private readonly X509Certificate2Collection? _roots =
        configuration.RootCertificate is { } pem ? PostgreSqlConfiguration.ReadCertificates(pem) : null;

    /// <summary>The database that <see cref="OpenAsync(CancellationToken)"/> connects to.</summary>
    public string Database => configuration.Database;

    /// <summary>Takes a connection to the configured database from the pool.</summary>
    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => OpenAsync(
        async address => await _pools.GetOrAdd(address, Pool).OpenConnectionAsync(cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <summary>Opens a connection to another database of the same server, which is closed when it is disposed.</summary>
    public Task<NpgsqlConnection> OpenAsync(string database, CancellationToken cancellationToken) => OpenAsync(
        async address =>
        {
            var source = Build(address, settings => (settings.Database, settings.Pooling) = (database, false));
            await using (source.ConfigureAwait(false)) return await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        },
        cancellationToken);

    /// <summary>Closes what is idle; what is in use is closed when it is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var pool in _pools.Values) await pool.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<NpgsqlConnection> OpenAsync(Func<IPAddress, Task<NpgsqlConnection>> open, CancellationToken cancellationToken)
    {
        var addresses = await context.Egress.ResolveAsync(configuration.Host, configuration.Port, cancellationToken).ConfigureAwait(false);
        if (configuration.IsLoopback && addresses.Any(address => !IPAddress.IsLoopback(address)))
            throw new ProviderException(ProviderFault.Misconfigured, "The host's name says loopback, and its address does not.", ProviderEffect.None);
        for (var i = 0; ; i++)
        {
            try
            {
                return await open(addresses[i]).ConfigureAwait(false);
            }
            catch (NpgsqlException e) when (e is not PostgresException && i < addresses.Count - 1)
            {
                // This address does not answer; the next one may. A server's own refusal is an answer.
            }
        }
    }

    private NpgsqlDataSource Pool(IPAddress address) => Build(address, settings =>
    {
        settings.Pooling = true;
        settings.MaxPoolSize = configuration.MaxConnections;
    });

    private NpgsqlDataSource Build(IPAddress address, Action<NpgsqlConnectionStringBuilder> adjust)
    {
        var builder = new NpgsqlDataSourceBuilder();
        var settings = builder.ConnectionStringBuilder;
        var statementTimeout = (int)configuration.CommandTimeout.TotalMilliseconds;
        settings.Host = address.ToString();
        settings.Port = configuration.Port;
        settings.Database = configuration.Database;
        settings.Username = configuration.Username;
        settings.ApplicationName = $"credbroker/{context.Name}";
        settings.SslMode = configuration.SslMode == SslMode.Disable ? Npgsql.SslMode.Disable : Npgsql.SslMode.VerifyFull;
        settings.GssEncryptionMode = GssEncryptionMode.Disable;
        // Only Faults reads it, and only where it names what keeps a role from being dropped.
        settings.IncludeErrorDetail = true;
        settings.Timeout = (int)configuration.ConnectTimeout.TotalSeconds;
        // The server gives up first, and says so: its answer is definite, ours would not be.
        settings.CommandTimeout = (int)configuration.CommandTimeout.TotalSeconds + 5;
        settings.Options = string.Create(
            CultureInfo.InvariantCulture,
            $"-c statement_timeout={statementTimeout} -c search_path=pg_catalog,pg_temp -c standard_conforming_strings=on -c client_min_messages=error -c timezone=UTC");
        // Never a password in the clear, whoever asks for it; a loopback server may trust the broker without one.
        settings.RequireAuth = configuration.IsLoopback ? "ScramSHA256,None" : "ScramSHA256";
        adjust(settings);

        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        if (_roots is not null) builder.UseRootCertificates(_roots);
        builder.UseSslClientAuthenticationOptionsCallback(tls => tls.TargetHost = configuration.Host);
        if (configuration.Password is { } password)
        {
            builder.UsePasswordProvider(
                _ => throw new NotSupportedException("Connections are opened asynchronously."),
                async (_, cancellationToken) => (await context.ResolveSecretAsync(password, cancellationToken).ConfigureAwait(false)).Reveal());
        }

        return builder.Build();
    }
}
