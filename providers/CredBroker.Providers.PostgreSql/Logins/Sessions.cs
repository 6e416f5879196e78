using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>
/// Ends sessions by the oid of the role that logged in: it stays theirs when they SET ROLE to a group, and when the role is dropped, while
/// the name in pg_stat_activity does not.
/// </summary>
internal static class Sessions
{
    private const int Looks = 100;

    /// <summary>Ends every session of the role, and looks until there is none.</summary>
    public static Task<long> EndAsync(NpgsqlConnection connection, long oid, CancellationToken cancellationToken) =>
        EndAsync(connection, oid, "", cancellationToken);

    /// <summary>The same for a role that no longer exists; the sessions of another that has got its oid since are left alone.</summary>
    public static Task<long> EndOrphansAsync(NpgsqlConnection connection, long oid, CancellationToken cancellationToken) =>
        EndAsync(connection, oid, " AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid::int8 = $1)", cancellationToken);

    private static async Task<long> EndAsync(NpgsqlConnection connection, long oid, string further, CancellationToken cancellationToken)
    {
        long first = 0;
        for (var look = 0; look < Looks; look++)
        {
            var found = (await connection.QueryAsync(
                $"SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid)) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid::int8 = $1{further}",
                row => row.GetInt64(0), cancellationToken, oid).ConfigureAwait(false))[0];
            if (look == 0) first = found;
            if (found == 0) return first;
            // The server waits, not we: a session needs a moment to end.
            await connection.ExecuteAsync($"SELECT pg_catalog.pg_sleep({(look < 10 ? "0.005" : "0.05")})", cancellationToken).ConfigureAwait(false);
        }

        throw new ProviderException(ProviderFault.Credential, "The login is switched off, and a session of it does not end although it was told to.");
    }
}
