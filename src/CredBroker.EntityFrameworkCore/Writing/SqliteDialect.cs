using System.Data;
using System.Data.Common;
using CredBroker.Abstractions;
using Microsoft.Data.Sqlite;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>SQLite: one connection writes, so that nothing needs a lock and nothing waits for one.</summary>
internal sealed class SqliteDialect(string connectionString, Action takeFile) : Dialect
{
    private const int Busy = 5;
    private const int ReadOnly = 8;
    private const int CantOpen = 14;
    private const int Full = 13;
    private const int IoError = 10;
    private const int Corrupt = 11;

    public override int MaxBatch => 256;

    public override bool LocksRows => false;

    public override string Begin => "BEGIN IMMEDIATE";

    public override bool KeepsCommands => true;

    // What was deleted is overwritten in the file (secure_delete); the log still has it as it was before.
    public override FormattableString? Scrub => $"PRAGMA wal_checkpoint(TRUNCATE)";

    public override async Task<DbConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        takeFile();
        var connection = new SqliteConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            using var pragmas = connection.CreateCommand();
            // FULL: a commit that was answered survives a power cut. The log's file is cut back after it grew. What a savepoint may have to undo stays in memory
            // instead of a temporary file, and pages that every commit changes are copied back to the database once in a while, not every few commits.
            pragmas.CommandText =
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000; "
                + "PRAGMA wal_autocheckpoint=8000; PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;";
            await pragmas.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    protected override bool IsDatabaseRace(Exception error) => false;

    public override bool IsFatal(Exception error, DbConnection connection) =>
        connection.State != ConnectionState.Open || error is SqliteException { SqliteErrorCode: Full or IoError or Corrupt or ReadOnly or CantOpen };

    public override bool IsFull(Exception error) => error is SqliteException { SqliteErrorCode: Full };

    public override bool IsUnavailable(Exception error) => error is SqliteException { SqliteErrorCode: Busy };

    protected override object ToParameter(Uid uid) => uid.ToBytes();
}
