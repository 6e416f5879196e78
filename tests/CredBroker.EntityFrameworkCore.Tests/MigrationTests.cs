using CredBroker.EntityFrameworkCore.Hosting;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>The migrations make what the model says.</summary>
public sealed class MigrationTests
{
    [Test]
    public void Sqlite_has_a_migration_for_every_change_of_the_model()
    {
        using var context = new SqliteDesignTime().CreateDbContext([]);
        Assert.That(context.Database.HasPendingModelChanges(), Is.False);
    }

    [Test]
    public void Postgres_has_a_migration_for_every_change_of_the_model()
    {
        using var context = new PostgresDesignTime().CreateDbContext([]);
        Assert.That(context.Database.HasPendingModelChanges(), Is.False);
    }
}
