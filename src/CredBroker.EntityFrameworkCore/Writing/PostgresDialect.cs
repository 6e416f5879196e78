using System.Data;
using System.Data.Common;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using Npgsql;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>PostgreSQL: several nodes write, rows are locked in one order, and a race that is lost runs again.</summary>
internal sealed class PostgresDialect : Dialect
{
    // A node that freezes in the middle of a transaction holds rows that others need: the server ends its transaction, and nobody waits longer.
    private const string Limits = "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '15s'; SET statement_timeout = '30s'";

    private readonly string _connectionString;

    public PostgresDialect(string connectionString)
    {
        _connectionString = connectionString;
        ForUpdate = new SqlText("FOR UPDATE OF x");
        ForUpdateSkipLocked = new SqlText("FOR UPDATE OF x SKIP LOCKED");
        ForShare = new SqlText("FOR SHARE OF x");
    }

    // Beyond 64 subtransactions every look at a row costs more.
    public override int MaxBatch => 64;

    public override bool LocksRows => true;

    public override string Begin => "BEGIN ISOLATION LEVEL READ COMMITTED";

    public override bool KeepsCommands => false;

    public override async Task<DbConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using (var limits = new NpgsqlCommand(Limits, connection)) await limits.ExecuteNonQueryAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_catalog.current_setting('synchronous_commit'), pg_catalog.pg_is_in_recovery()", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (reader.GetString(0) is "off")
                throw new StoreUnavailableException("PostgreSQL has synchronous_commit off: what was answered could be lost. Switch it on for this user or database.", false);
            if (reader.GetBoolean(1)) throw new StoreUnavailableException("This PostgreSQL server is a standby, and cannot be written to.", false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    protected override bool IsDatabaseRace(Exception error) => error is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    public override bool IsFatal(Exception error, DbConnection connection) => connection.State != ConnectionState.Open || error is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } || (error is NpgsqlException and not PostgresException);

    public override bool IsFull(Exception error) => error is PostgresException { SqlState: PostgresErrorCodes.DiskFull };

    // Class 53 is about resources such as a full disk, 57 about an operator or a time-out; a lock's time-out is 55P03.
    public override bool IsUnavailable(Exception error) =>
        error is PostgresException { SqlState: var state } && (state == PostgresErrorCodes.LockNotAvailable || state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("57", StringComparison.Ordinal));

    protected override object ToParameter(Uid uid) => uid.Value;
}
