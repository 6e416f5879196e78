using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>
/// What a login leaves behind: memberships, objects, direct grants, prepared transactions. All of it is dropped. Nothing is ever reassigned: a
/// SECURITY DEFINER function that becomes the broker's runs with the broker's rights for whoever calls it.
/// </summary>
internal sealed class LoginEstate(Connections connections, Server server, LoginRole role)
{
    private readonly string _name = Identifier.Quote(role.Name);

    /// <summary>Takes every membership: whatever acts in the login's name, or was made its member, has nothing any more.</summary>
    public static Task RevokeMembershipsAsync(NpgsqlConnection connection, LoginRole role, CancellationToken cancellationToken) => connection.ExecuteAsync(
        $"""
        DO $cb$
        DECLARE held record;
        BEGIN
          FOR held IN SELECT DISTINCT g.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
                      WHERE m.member = {role.Oid}::oid LOOP
            BEGIN
              EXECUTE pg_catalog.format('REVOKE %I FROM {Identifier.Quote(role.Name)}', held.rolname);
            EXCEPTION WHEN insufficient_privilege THEN
              RAISE DEBUG 'this membership ends only when the role is dropped';
            END;
          END LOOP;
        END $cb$
        """,
        cancellationToken);

    /// <summary>Drops what it owns, and what was granted to it, in each database that knows of it.</summary>
    public async Task DropAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var databases = await DatabasesAsync(connection, cancellationToken).ConfigureAwait(false);
        if (databases.Count == 0) return;
        var options = server.HasMembershipOptions ? " WITH INHERIT TRUE, SET TRUE" : "";
        await connection.ExecuteAsync($"GRANT {_name} TO CURRENT_USER{options}", cancellationToken).ConfigureAwait(false);
        foreach (var database in databases)
        {
            if (database == connections.Database)
            {
                await DropHereAsync(connection, cancellationToken).ConfigureAwait(false);
                continue;
            }

            var there = await connections.OpenAsync(database, cancellationToken).ConfigureAwait(false);
            await using (there.ConfigureAwait(false)) await DropHereAsync(there, cancellationToken).ConfigureAwait(false);
        }
    }

    // What belongs to no database (dbid 0) is reached from any of them.
    private Task<IReadOnlyList<string>> DatabasesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => connection.QueryAsync(
        """
        SELECT DISTINCT COALESCE(d.datname, pg_catalog.current_database())::text
        FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
        WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.refobjid::int8 = $1
        UNION
        SELECT p.database::text FROM pg_catalog.pg_prepared_xacts p WHERE p.owner = $2::name
        """,
        row => row.GetString(0), cancellationToken, role.Oid, role.Name);

    private async Task DropHereAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // A prepared transaction outlives its session and keeps its role from being dropped. Only its owner may end it.
        var prepared = await connection.QueryAsync(
            "SELECT pg_catalog.quote_literal(p.gid) FROM pg_catalog.pg_prepared_xacts p WHERE p.owner = $1::name AND p.database = pg_catalog.current_database()",
            row => row.GetString(0), cancellationToken, role.Name).ConfigureAwait(false);
        foreach (var literal in prepared)
        {
            await connection.ExecuteAsync($"SET ROLE {_name}", cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync($"ROLLBACK PREPARED {literal}", cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync("RESET ROLE", cancellationToken).ConfigureAwait(false);
        }

        await connection.ExecuteAsync($"DROP OWNED BY {_name}", cancellationToken).ConfigureAwait(false);
    }
}
