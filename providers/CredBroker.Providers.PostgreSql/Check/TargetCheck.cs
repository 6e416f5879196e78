using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Check;

/// <summary>Asks the server who it is and what the broker's login lacks there. It only reads.</summary>
internal sealed class TargetCheck(Connections connections, PostgreSqlConfiguration configuration)
{
    public Task<ProviderHealth> RunAsync(CancellationToken cancellationToken) => Faults.TranslateAsync(async _ =>
    {
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var server = await Server.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            var login = await BrokerLogin.AskAsync(connection, cancellationToken).ConfigureAwait(false);
            var findings = new List<HealthFinding> { OfVersion(server) };
            findings.AddRange(login.Findings(server));
            foreach (var group in configuration.Groups)
                findings.AddRange(await GroupCheck.RunAsync(connection, server, login, group, cancellationToken).ConfigureAwait(false));
            findings.AddRange(await OfDatabasesAsync(connection, login, cancellationToken).ConfigureAwait(false));
            return new ProviderHealth(server.Identity, findings);
        }
    });

    private static HealthFinding OfVersion(Server server)
    {
        var major = server.Version / 10000;
        return major switch
        {
            < 13 => new(FindingLevel.Missing, "version", $"PostgreSQL {major} is older than 13.", "Upgrade the server."),
            > 18 => new(FindingLevel.Warning, "version", $"PostgreSQL {major} is newer than what this broker was made for (13 to 18)."),
            _ => new(FindingLevel.Ok, "version", $"PostgreSQL {major}."),
        };
    }

    // Whatever a login made must be dropped where it is: in a database that the broker cannot enter, it stays and keeps the role.
    private static async Task<IReadOnlyList<HealthFinding>> OfDatabasesAsync(NpgsqlConnection connection, BrokerLogin login, CancellationToken cancellationToken)
    {
        var closed = await connection.QueryAsync(
            """
            SELECT pg_catalog.quote_ident(d.datname) FROM pg_catalog.pg_database d
            WHERE d.datallowconn AND NOT pg_catalog.has_database_privilege(d.oid, 'CONNECT') ORDER BY d.datname
            """,
            row => row.GetString(0), cancellationToken).ConfigureAwait(false);
        return
        [
            .. closed.Select(database => new HealthFinding(
                FindingLevel.Warning, $"CONNECT on {database}", "What a login owns in this database could not be dropped.", $"GRANT CONNECT ON DATABASE {database} TO {login.Quoted};")),
        ];
    }
}
