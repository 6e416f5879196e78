using System.Data.Common;
using CredBroker.Abstractions;
using CredBroker.Core;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>What differs between the databases for the writer: how to connect, how ids travel, which locks there are, and what an error means.</summary>
internal abstract class Dialect
{
    /// <summary>How many intentions one commit holds at most.</summary>
    public abstract int MaxBatch { get; }

    /// <summary>Whether rows must be locked. SQLite has one writer, which is ours.</summary>
    public abstract bool LocksRows { get; }

    public abstract string Begin { get; }

    /// <summary>What makes the files let go of what was erased, outside a transaction; it answers 0 when it could. Null where nothing can.</summary>
    public virtual FormattableString? Scrub => null;

    /// <summary>After a SELECT: nobody else may change the row until the commit.</summary>
    public SqlText ForUpdate { get; protected init; } = new("");

    /// <summary>The same for the alias <c>x</c>, passing over what somebody else holds.</summary>
    public SqlText ForUpdateSkipLocked { get; protected init; } = new("");

    /// <summary>After a SELECT: nobody may change the row, but others may hold it too.</summary>
    public SqlText ForShare { get; protected init; } = new("");

    /// <summary>Whether commands are kept with their prepared statements, or the driver does that.</summary>
    public abstract bool KeepsCommands { get; }

    /// <summary>Connects for writing.</summary>
    public abstract Task<DbConnection> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>Whether the transaction lost a race and may simply run again.</summary>
    public bool IsRace(Exception error) => error is LostRaceException || IsDatabaseRace(error);

    protected abstract bool IsDatabaseRace(Exception error);

    /// <summary>Whether an error leaves the connection, or the transaction as a whole, unusable.</summary>
    public abstract bool IsFatal(Exception error, DbConnection connection);

    /// <summary>Whether the database cannot take this now, and may later.</summary>
    public abstract bool IsUnavailable(Exception error);

    /// <summary>Whether the database has no room.</summary>
    public abstract bool IsFull(Exception error);

    /// <summary>A value as the driver wants it.</summary>
    public object ToParameter(object? value) => value switch
    {
        null => DBNull.Value,
        Uid uid => ToParameter(uid),
        DateTimeOffset instant => instant.ToMicros(),
        TimeSpan span => span.Ticks / TimeSpan.TicksPerMicrosecond,
        Enum named => Convert.ToInt32(named, System.Globalization.CultureInfo.InvariantCulture),
        _ => value,
    };

    protected abstract object ToParameter(Uid uid);
}

/// <summary>Somebody else wrote what this intention had read: it runs again.</summary>
internal sealed class LostRaceException() : Exception("Another transaction was faster.");
