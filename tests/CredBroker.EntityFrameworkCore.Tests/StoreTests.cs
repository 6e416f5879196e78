using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.TestSupport.Stores;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>The suite on SQLite.</summary>
public sealed class SqliteStoreTests : StoreSuite
{
    public override DatabaseKind Kind => DatabaseKind.Sqlite;
}

/// <summary>The suite on PostgreSQL.</summary>
public sealed class PostgresStoreTests : StoreSuite
{
    public override DatabaseKind Kind => DatabaseKind.Postgres;
}

/// <summary>No database without the suite.</summary>
public sealed class SuiteCoverageTests
{
    [Test]
    public void Every_database_passes_the_suite()
    {
        var covered = typeof(SuiteCoverageTests).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(StoreSuite)) && !type.IsAbstract)
            .Select(type => ((StoreSuite)Activator.CreateInstance(type)!).Kind);
        Assert.That(covered, Is.EquivalentTo(Enum.GetValues<DatabaseKind>()));
    }
}
