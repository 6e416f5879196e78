using System.Globalization;
using CredBroker.Abstractions;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Connect;

/// <summary>What the server at the other end says of itself.</summary>
/// <param name="Identity">The cluster's system identifier with the database: the target that leases are pinned to.</param>
/// <param name="Now">Its clock, which decides about everything that is compared with an expiry or a deadline there.</param>
/// <param name="Version">Its version, such as 150018.</param>
internal sealed record Server(string Identity, DateTimeOffset Now, int Version)
{
    /// <summary>From 16 on, CREATEROLE no longer suffices: one needs ADMIN on what one grants, and memberships have options.</summary>
    public bool HasMembershipOptions => Version >= 160000;

    /// <exception cref="ProviderException">It is a standby, whose word about what exists proves nothing.</exception>
    public static async Task<Server> AskAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync(
            """
            SELECT s.system_identifier::text, pg_catalog.current_database()::text, pg_catalog.clock_timestamp(),
                   pg_catalog.current_setting('server_version_num')::int4, pg_catalog.pg_is_in_recovery()
            FROM pg_catalog.pg_control_system() s
            """,
            row => (System: row.GetString(0), Database: row.GetString(1), Now: Instant(row, 2), Version: row.GetInt32(3), Standby: row.GetBoolean(4)),
            cancellationToken).ConfigureAwait(false);
        var answer = rows[0];
        if (answer.Standby) throw new ProviderException(ProviderFault.TargetMismatch, "The server is a standby in recovery.", ProviderEffect.None);
        return new Server(string.Create(CultureInfo.InvariantCulture, $"postgresql:{answer.System}/{answer.Database}"), answer.Now, answer.Version);
    }

    public static DateTimeOffset Instant(NpgsqlDataReader row, int column) => new(row.GetDateTime(column));
}
