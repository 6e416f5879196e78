using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Logging;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>
/// The oldest version that may use the database. A version that adds to the schema leaves it where it is, and those before go on; one that takes something away raises it in the same
/// transaction. Whoever is below writes nothing from that commit on, and reads nothing as soon as it knows.
/// </summary>
internal sealed partial class SchemaFloor(string[] migrations, ILogger<SchemaFloor> logger)
{
    private readonly TaskCompletionSource _fallen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The newest migration that this version knows.</summary>
    public string Newest => migrations[^1];

    /// <summary>Completes when this version has become too old.</summary>
    public Task Over => _fallen.Task;

    /// <summary>Whether this version brings what is asked of it.</summary>
    public bool Allows(string oldest) => oldest.Length == 0 || migrations.Contains(oldest, StringComparer.Ordinal);

    /// <summary>Refuses what the version is known to be too old for.</summary>
    /// <exception cref="StoreUnavailableException">It is.</exception>
    public void Demand()
    {
        if (_fallen.Task.IsCompleted) throw TooOld();
    }

    /// <summary>Asks the database.</summary>
    /// <exception cref="StoreUnavailableException">This version is too old for it.</exception>
    public async Task CheckAsync(SqlSession session)
    {
        var oldest = await session.ReadAsync($"SELECT x.oldest_migration FROM {session.Tables.SchemaFloor.Name} x", static reader => reader.GetString(0));
        if (!oldest.TrueForAll(Allows)) throw Fallen();
    }

    /// <summary>This version has become too old: from now on nothing is read either.</summary>
    public StoreUnavailableException Fallen()
    {
        if (_fallen.TrySetResult()) LogFallen(logger, Newest);
        return TooOld();
    }

    private StoreUnavailableException TooOld() => new(
        $"The database was changed by a newer version of CredBroker, for which this one (up to {Newest}) is too old. It writes and reads nothing any more: upgrade this server.", outcomeUnknown: false);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The database was changed by a newer version of CredBroker, for which this one (up to {Newest}) is too old: it writes and reads nothing any more. Upgrade this server")]
    private static partial void LogFallen(ILogger logger, string newest);
}

/// <summary>What a migration says that takes away something that earlier versions need.</summary>
public static class SchemaFloorMigrations
{
    /// <summary>
    /// Shuts out every version that does not know <paramref name="migration"/>, from this migration's commit on. To be called before anything is taken away: it waits for what such a version is
    /// writing, and lets none begin meanwhile.
    /// </summary>
    public static void ShutOutVersionsBefore(this MigrationBuilder builder, string migration)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(migration);
        var (schema, name) = (builder.ActiveProvider!.Contains("Sqlite", StringComparison.Ordinal) ? "" : "credbroker.", migration.Replace("'", "''", StringComparison.Ordinal));
        if (schema.Length > 0) builder.Sql($"LOCK TABLE {schema}writers IN SHARE ROW EXCLUSIVE MODE");
        builder.Sql($"UPDATE {schema}schema_floor SET oldest_migration = '{name}'");
        builder.Sql($"UPDATE {schema}writers SET retired = true WHERE migration < '{name}'");
    }
}
