using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>The counters. They change only together with what they count, under locks that the batch took in the order of their keys.</summary>
internal static class Counters
{
    // So many rows in one statement, which stays prepared.
    private const int Together = 16;

    /// <summary>What is committed.</summary>
    public static async Task<Dictionary<string, long>> CommittedAsync(SqlSession session, IEnumerable<string> keys)
    {
        var rows = await session.ListAsync(session.Tables.Counters, $"WHERE x.key IN {SqlList.Of(keys)}");
        return rows.ToDictionary(row => row.Key, row => row.Value, StringComparer.Ordinal);
    }

    /// <summary>A counter as the batch leaves it so far.</summary>
    public static async Task<long> ValueAsync(WriteSession session, string key)
    {
        await ReadAsync(session, [key]);
        return session.Counters.ValueOf(key);
    }

    /// <summary>The first charge that would pass its limit; null if none would. <paramref name="spare"/> is what a supersede may exceed it by.</summary>
    public static async Task<QuotaCharge?> ExceededAsync(WriteSession session, IReadOnlyList<QuotaCharge> charges, int spare = 0)
    {
        await ReadAsync(session, [.. charges.Select(charge => charge.Key)]);
        return charges.FirstOrDefault(charge => session.Counters.ValueOf(charge.Key) + 1 > charge.Limit + spare);
    }

    /// <summary>Adds to counters, or takes away, each at most once.</summary>
    /// <exception cref="InvalidOperationException">More would be taken away than was ever added.</exception>
    public static async Task AddAsync(WriteSession session, IEnumerable<string> keys, long by)
    {
        var all = keys.ToList();
        if (by < 0)
        {
            // Here, and not by the database's check when all is written: what is wrong fails alone, and not with everything in its batch.
            await ReadAsync(session, all);
            if (all.Find(key => session.Counters.ValueOf(key) + by < 0) is { } wrong) throw new InvalidOperationException($"The counter {wrong} would fall below zero.");
        }

        foreach (var key in all) session.Count(key, by);
    }

    /// <summary>Writes what the batch has added, before it commits.</summary>
    public static async Task WriteAsync(WriteSession session)
    {
        var changes = session.Counters.Changes.ToList();
        foreach (var some in changes.Where(change => change.By > 0).Chunk(Together))
            await session.UpsertAsync(session.Tables.Counters, [.. some.Select(change => new CounterRow { Key = change.Key, Value = change.By })], "(key) DO UPDATE SET value = x.value + excluded.value");
        // What is taken away was added before: the rows are there, and their check stops what goes below zero.
        foreach (var same in changes.Where(change => change.By < 0).GroupBy(change => change.By))
        {
            foreach (var some in same.Chunk(Together))
                await session.ExecuteAsync($"UPDATE {session.Tables.Counters.Name} SET value = value + {same.Key} WHERE key IN {SqlList.Of(some.Select(change => change.Key))}");
        }
    }

    /// <summary>Reads, with other things, the counters that the batch does not know yet. What is answered takes them in once all is read.</summary>
    public static Action ReadWith(Readings readings, WriteSession session, IEnumerable<string> keys)
    {
        var unknown = keys.Where(key => !session.Counters.Knows(key)).ToList();
        if (unknown.Count == 0) return () => { };
        var rows = readings.Rows(session.Tables.Counters, $"WHERE x.key IN {SqlList.Of(unknown)}");
        return () =>
        {
            foreach (var key in unknown) session.Counters.Stored(key, rows.FirstOrDefault(row => row.Key == key)?.Value ?? 0);
        };
    }

    private static async Task ReadAsync(WriteSession session, IReadOnlyList<string> keys)
    {
        if (keys.All(session.Counters.Knows)) return;
        var readings = new Readings(session);
        var take = ReadWith(readings, session, keys);
        await readings.RunAsync();
        take();
    }
}
