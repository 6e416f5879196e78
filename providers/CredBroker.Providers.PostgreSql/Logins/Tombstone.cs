using CredBroker.Abstractions;
using CredBroker.Providers.PostgreSql.Connect;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>What came of asking for a login's name.</summary>
internal enum NameAnswer
{
    /// <summary>Nobody has it, and nobody had it in flight.</summary>
    Free,

    /// <summary>A role has it.</summary>
    Taken,

    /// <summary>A transaction in flight holds it for longer than a statement may take.</summary>
    InFlight,
}

/// <summary>
/// Takes the name of a login whose issuing call may still arrive, with a role that cannot log in. It waits for a transaction in flight that makes the
/// same name, and then finds it; a call that arrives later finds the name taken.
/// </summary>
internal static class Tombstone
{
    // A name in use is not looked for but tried: what no snapshot shows yet, a unique index does.
    private const string TriedErrorCode = "CB004";

    /// <summary>
    /// Takes the name. Whoever was held up until the attempt is over, or nothing can arrive any more, leaves it free: the lease may be proven dead by
    /// then, and nobody would drop the role.
    /// </summary>
    public static Task<NameAnswer> PutAsync(NpgsqlConnection connection, RevokeRequest request, DateTimeOffset arrival, CancellationToken cancellationToken)
    {
        var name = Identifier.Quote(request.ExternalName);
        var until = arrival < request.Deadline ? arrival : request.Deadline;
        var late = $"IF pg_catalog.clock_timestamp() >= {Identifier.Literal(until)}::timestamptz THEN RAISE EXCEPTION 'it is too late' USING ERRCODE = '{Faults.DeadlinePassed}'; END IF;";
        return AskAsync(
            connection,
            $"""
            DO $cb$
            BEGIN
              {late}
              EXECUTE pg_catalog.format('CREATE ROLE {name} NOLOGIN VALID UNTIL %L', pg_catalog.clock_timestamp());
              COMMENT ON ROLE {name} IS {Identifier.Literal(request.Mark)};
              {late}
            END $cb$
            """,
            NameAnswer.Taken,
            cancellationToken);
    }

    /// <summary>Tries whether the name is free, and leaves it so.</summary>
    public static Task<NameAnswer> TryAsync(NpgsqlConnection connection, RevokeRequest request, CancellationToken cancellationToken) => AskAsync(
        connection,
        $"""
        DO $cb$
        BEGIN
          CREATE ROLE {Identifier.Quote(request.ExternalName)} NOLOGIN;
          RAISE EXCEPTION 'it is free' USING ERRCODE = '{TriedErrorCode}';
        EXCEPTION WHEN SQLSTATE '{TriedErrorCode}' THEN
          NULL;
        END $cb$
        """,
        NameAnswer.Free,
        cancellationToken);

    private static async Task<NameAnswer> AskAsync(NpgsqlConnection connection, string statement, NameAnswer done, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(statement, cancellationToken).ConfigureAwait(false);
            return done;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
        {
            // The call has arrived: the login itself is what is revoked now.
            return NameAnswer.Taken;
        }
        catch (PostgresException e) when (e.SqlState == Faults.DeadlinePassed)
        {
            return NameAnswer.Free;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            return NameAnswer.InFlight;
        }
    }
}
