using System.Diagnostics;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>Where the broker keeps what it knows.</summary>
public sealed class StoreOptions
{
    internal DatabaseKind? Kind { get; private set; }

    /// <summary>A path for SQLite, a connection string for PostgreSQL.</summary>
    internal string Where { get; private set; } = "";

    /// <summary>32 random bytes, the operator's, outside the database: what the key ring is wrapped with.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public byte[]? WrappingKey { get; set; }

    /// <summary>Earlier wrapping keys, which still unwrap.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public IReadOnlyList<byte[]> PreviousWrappingKeys { get; set; } = [];

    /// <summary>Keeps the key ring readable in the database when there is no wrapping key: for development on loopback alone, which whoever sets it must see to.</summary>
    public bool AllowReadableKeyRing { get; set; }

    /// <summary>
    /// A file of this node's own, outside the database and its backups, that notes what was committed: by it a backup that was restored is recognised. Empty for none.
    /// </summary>
    public string? WitnessFile { get; set; }

    /// <summary>How many changes may wait to be written before further ones are refused.</summary>
    public int QueueLength { get; set; } = 4096;

    /// <summary>Below so many free bytes beside the SQLite file nothing new is taken: what is left is kept back for ends and revocations.</summary>
    public long KeptBack { get; set; } = 256L * 1024 * 1024;

    /// <summary>Tells how many bytes are free in place of the disk: for tests.</summary>
    public Func<long>? FreeSpace { get; set; }

    /// <summary>Tells the database's time in place of the database: for tests, whose time is made. Null: PostgreSQL is asked, and beside SQLite this machine's clock is the store's.</summary>
    public Func<DateTimeOffset>? DatabaseTime { get; set; }

    /// <summary>Changes how migrations are found: for tests of versions that are not there yet.</summary>
    public Action<DbContextOptionsBuilder>? ForMigration { get; set; }

    /// <summary>An embedded database in one file, for one process. The file is made when it is missing, readable by this user alone.</summary>
    public StoreOptions UseSqlite(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        (Kind, Where) = (DatabaseKind.Sqlite, Path.GetFullPath(path));
        return this;
    }

    /// <summary>PostgreSQL 13 or newer, for one node or several.</summary>
    public StoreOptions UsePostgres(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        (Kind, Where) = (DatabaseKind.Postgres, connectionString);
        return this;
    }

    internal void Validate()
    {
        if (Kind is null) throw new InvalidOperationException("The store needs a database: call UseSqlite or UsePostgres.");
        if (WrappingKey is null && !AllowReadableKeyRing)
            throw new InvalidOperationException("The store needs a wrapping key of 32 random bytes. Only a development server on loopback may go without.");
        if (WrappingKey is { Length: not 32 } || PreviousWrappingKeys.Any(key => key.Length != 32)) throw new InvalidOperationException("A wrapping key is 32 bytes.");
        ArgumentOutOfRangeException.ThrowIfLessThan(QueueLength, 1);
    }
}

/// <summary>The databases that there are.</summary>
public enum DatabaseKind
{
    /// <summary>SQLite.</summary>
    Sqlite = 1,

    /// <summary>PostgreSQL.</summary>
    Postgres = 2,
}
