using CredBroker.TestSupport.Postgres;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>Looks for secrets in the broker's own database: every byte of its files, or every row of every table.</summary>
internal static class StoreSearch
{
    public static async Task<IReadOnlyList<string>> FindAsync(Workplace place, PostgresDatabase? store, SecretSearch search)
    {
        if (store is null)
        {
            var files = Directory.GetFiles(place.Folder, "credbroker.db*").Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)).ToList();
            Assert.That(files.Sum(file => new FileInfo(file).Length), Is.GreaterThan(100_000));
            return [.. files.SelectMany(file => search.FindIn(Path.GetFileName(file), File.ReadAllBytes(file)))];
        }

        var found = new List<string>();
        var tables = await store.ScalarAsync<string>("SELECT string_agg(format('%I.%I', table_schema, table_name), ',') FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')");
        foreach (var table in tables!.Split(','))
        {
            var rows = await store.ScalarAsync<string>($"SELECT string_agg(row_to_json(t)::text, ' ') FROM {table} t") ?? "";
            found.AddRange(search.FindIn(table, rows));
        }

        Assert.That(tables, Does.Contain("credbroker.leases"));
        return found;
    }
}
