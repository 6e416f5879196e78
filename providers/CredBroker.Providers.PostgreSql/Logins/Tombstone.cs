using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>
/// Takes the name of a login whose issuing call may still arrive, with a role that cannot log in. It waits for a transaction in flight that makes the
/// same name, and then finds it; a call that arrives later finds the name taken.
/// </summary>
internal static class Tombstone
{
    /// <summary>False when a transaction in flight holds the name for longer than a statement may take.</summary>
    public static async Task<bool> PutAsync(NpgsqlConnection connection, RevokeRequest request, CancellationToken cancellationToken)
    {
        var name = Identifier.Quote(request.ExternalName);
        try
        {
            await connection.ExecuteAsync(
                $"""
                DO $cb$
                BEGIN
                  EXECUTE pg_catalog.format('CREATE ROLE {name} NOLOGIN VALID UNTIL %L', pg_catalog.clock_timestamp());
                  COMMENT ON ROLE {name} IS {Identifier.Literal(request.Mark)};
                END $cb$
                """,
                cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
        {
            // The call has arrived: the login itself is what is revoked now.
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
