using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Check;

/// <summary>What the broker's own login may do.</summary>
internal sealed record BrokerLogin(string Quoted, bool IsSuperuser, bool CreatesRoles, bool SignalsBackends, bool RunsBlocks)
{
    public static async Task<BrokerLogin> AskAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => (await connection.QueryAsync(
        """
        SELECT pg_catalog.quote_ident(r.rolname), r.rolsuper, r.rolcreaterole,
               pg_catalog.pg_has_role(r.oid, 'pg_signal_backend', 'USAGE'), pg_catalog.has_language_privilege(r.oid, 'plpgsql', 'USAGE')
        FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER
        """,
        row => new BrokerLogin(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2), row.GetBoolean(3), row.GetBoolean(4)), cancellationToken).ConfigureAwait(false))[0];

    public IEnumerable<HealthFinding> Findings(Server server)
    {
        if (IsSuperuser)
            yield return new(FindingLevel.Warning, "SUPERUSER", "The broker's login is a superuser: whoever takes the broker takes the server.", $"ALTER ROLE {Quoted} NOSUPERUSER CREATEROLE;");
        yield return CreatesRoles || IsSuperuser
            ? new(FindingLevel.Ok, "CREATEROLE", "The login may make roles.")
            : new(FindingLevel.Missing, "CREATEROLE", "The login may not make roles.", $"ALTER ROLE {Quoted} CREATEROLE;");
        if (CreatesRoles && !IsSuperuser && !server.HasMembershipOptions)
            yield return new(FindingLevel.Warning, "CREATEROLE", "Before PostgreSQL 16, CREATEROLE is nearly a superuser: it can give itself any group, predefined ones too.", "Upgrade to PostgreSQL 16 or later.");
        yield return SignalsBackends
            ? new(FindingLevel.Ok, "pg_signal_backend", "The login may end sessions.")
            : new(FindingLevel.Missing, "pg_signal_backend", "The login may not end the sessions of others.", $"GRANT pg_signal_backend TO {Quoted};");
        if (!RunsBlocks)
            yield return new(FindingLevel.Missing, "USAGE on plpgsql", "The login may not run the statements that keep deadlines.", $"GRANT USAGE ON LANGUAGE plpgsql TO {Quoted};");
    }
}
