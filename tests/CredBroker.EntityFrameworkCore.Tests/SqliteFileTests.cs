using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>What is particular to a database in one file.</summary>
public sealed class SqliteFileTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public async Task A_second_process_is_refused_and_the_next_one_not()
    {
        await using var database = new SqliteStoreDatabase();
        await using (await database.StartAsync(_time))
            Assert.That(() => database.StartAsync(_time), Throws.InstanceOf<StoreUnavailableException>().With.Message.Contains("another process"));
        await using var next = await database.StartAsync(_time);
    }

    [Test]
    public async Task A_migration_lock_that_a_kill_left_behind_stops_nobody()
    {
        await using var database = new SqliteStoreDatabase();
        await database.ExecuteAsync("""
            CREATE TABLE __EFMigrationsLock (Id INTEGER NOT NULL PRIMARY KEY, Timestamp TEXT NOT NULL);
            INSERT INTO __EFMigrationsLock VALUES (1, '2030-01-01 00:00:00');
            """);
        await using var node = await database.StartAsync(_time).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.That(await node.Registry.GenerationAsync(CancellationToken.None), Is.EqualTo(1));
    }

    [Test]
    public async Task Nobody_else_can_read_the_file()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no such modes.");
            return;
        }

        await using var database = new SqliteStoreDatabase();
        await using var node = await database.StartAsync(_time);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(database.Path)!))
            Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
    }

    [Test]
    public void A_store_without_database_or_wrapping_key_does_not_start()
    {
        var services = new Microsoft.Extensions.DependencyInjection.ServiceCollection();
        Assert.That(() => services.AddCredBrokerStore(_ => { }), Throws.InvalidOperationException.With.Message.Contains("UseSqlite"));
        Assert.That(() => services.AddCredBrokerStore(options => options.UseSqlite("x.db")), Throws.InvalidOperationException.With.Message.Contains("wrapping key"));
        Assert.That(
            () => services.AddCredBrokerStore(options => options.UseSqlite("x.db").WrappingKey = new byte[16]), Throws.InvalidOperationException.With.Message.Contains("32 bytes"));
    }

    [Test]
    public async Task A_migrated_database_has_nothing_pending()
    {
        await using var database = new SqliteStoreDatabase();
        await using var node = await database.StartAsync(_time);
        var broker = (BrokerDatabase)node.Services.GetService(typeof(BrokerDatabase))!;
        Assert.That(await broker.PendingMigrationsAsync(CancellationToken.None), Is.Empty);
        await broker.MigrateAsync(CancellationToken.None);
    }
}
