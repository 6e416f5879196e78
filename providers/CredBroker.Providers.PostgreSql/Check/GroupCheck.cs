using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Check;

/// <summary>Whether a group can be given, and whether it should be.</summary>
internal static class GroupCheck
{
    public static async Task<IReadOnlyList<HealthFinding>> RunAsync(
        NpgsqlConnection connection, Server server, BrokerLogin login, string group, CancellationToken cancellationToken)
    {
        var quoted = Identifier.Quote(group);
        var exists = await AskAsync(connection, "SELECT true FROM pg_catalog.pg_roles r WHERE r.rolname = $1::name", group, cancellationToken).ConfigureAwait(false);
        if (exists.Count == 0) return [new(FindingLevel.Missing, $"group {group}", "There is no such role.", $"CREATE ROLE {quoted} NOLOGIN;")];

        var findings = new List<HealthFinding>();
        if (server.HasMembershipOptions && !login.IsSuperuser) findings.Add(await OfAdminAsync(connection, login, group, cancellationToken).ConfigureAwait(false));
        findings.AddRange(await OfPowerAsync(connection, group, cancellationToken).ConfigureAwait(false));
        findings.AddRange(await OfCreateAsync(connection, group, cancellationToken).ConfigureAwait(false));
        return findings.Count > 0 ? findings : [new(FindingLevel.Ok, $"group {group}", "It can be given.")];
    }

    private static async Task<HealthFinding> OfAdminAsync(NpgsqlConnection connection, BrokerLogin login, string group, CancellationToken cancellationToken)
    {
        var has = await connection.QueryAsync(
            "SELECT pg_catalog.pg_has_role($1::name, 'MEMBER WITH ADMIN OPTION')", row => row.GetBoolean(0), cancellationToken, group).ConfigureAwait(false);
        return has[0]
            ? new(FindingLevel.Ok, $"ADMIN on {group}", "The login may give this group.")
            : new(
                FindingLevel.Missing, $"ADMIN on {group}", "The login may not give this group; it need not have the group's own rights for that.",
                $"GRANT {Identifier.Quote(group)} TO {login.Quoted} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;");
    }

    private static async Task<IEnumerable<HealthFinding>> OfPowerAsync(NpgsqlConnection connection, string group, CancellationToken cancellationToken)
    {
        var powers = await connection.QueryAsync(
            $"{GroupRules.Reach(Identifier.Literal(group))} SELECT pg_catalog.quote_ident(rolname) FROM reach WHERE {GroupRules.IsTooPowerful} ORDER BY 1",
            row => row.GetString(0), cancellationToken).ConfigureAwait(false);
        return powers.Select(power => new HealthFinding(
            FindingLevel.Missing, $"group {group}", $"It is, or reaches, {power}, which is privileged or predefined: it will not be given.",
            power == group ? "Use a group without attributes." : $"REVOKE {power} FROM {Identifier.Quote(group)};"));
    }

    // Who can create can leave something behind that others run: what is made after SET ROLE belongs to the group, and outlives the login.
    private static async Task<IEnumerable<HealthFinding>> OfCreateAsync(NpgsqlConnection connection, string group, CancellationToken cancellationToken)
    {
        var schemas = await AskAsync(
            connection,
            """
            SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
            WHERE pg_catalog.has_schema_privilege($1::name, n.oid, 'CREATE') AND n.nspname NOT LIKE 'pg\_%' ORDER BY 1
            """,
            group, cancellationToken).ConfigureAwait(false);
        var created = schemas.Select(schema => new HealthFinding(
            FindingLevel.Warning, $"group {group}", $"It may create in schema {schema}: what a login makes as this group outlives the login.",
            $"REVOKE CREATE ON SCHEMA {schema} FROM {Identifier.Quote(group)}; -- or FROM PUBLIC, if it comes from there"));
        var database = await AskAsync(
            connection,
            "SELECT pg_catalog.quote_ident(pg_catalog.current_database()) WHERE pg_catalog.has_database_privilege($1::name, pg_catalog.current_database(), 'CREATE')",
            group, cancellationToken).ConfigureAwait(false);
        return created.Concat(database.Select(name => new HealthFinding(
            FindingLevel.Warning, $"group {group}", $"It may create schemas in database {name}.", $"REVOKE CREATE ON DATABASE {name} FROM {Identifier.Quote(group)};")));
    }

    private static Task<IReadOnlyList<string>> AskAsync(NpgsqlConnection connection, string sql, string group, CancellationToken cancellationToken) =>
        connection.QueryAsync(sql, row => row.GetValue(0).ToString()!, cancellationToken, group);
}
