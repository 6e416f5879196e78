using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>The counters. They change only together with what they count, under locks that the batch took in the order of their keys.</summary>
internal static class Counters
{
    public static async Task<Dictionary<string, long>> ReadAsync(SqlSession session, IEnumerable<string> keys)
    {
        var rows = await session.ListAsync(session.Tables.Counters, $"WHERE x.key IN {SqlList.Of(keys)}");
        return rows.ToDictionary(row => row.Key, row => row.Value, StringComparer.Ordinal);
    }

    /// <summary>The first charge that would pass its limit; null if none would. <paramref name="spare"/> is what a supersede may exceed it by.</summary>
    public static async Task<QuotaCharge?> ExceededAsync(WriteSession session, IReadOnlyList<QuotaCharge> charges, int spare = 0)
    {
        if (charges.Count == 0) return null;
        var values = await ReadAsync(session, charges.Select(charge => charge.Key));
        return charges.FirstOrDefault(charge => values.GetValueOrDefault(charge.Key) + 1 > charge.Limit + spare);
    }

    /// <summary>Adds to counters, or takes away, each at most once.</summary>
    public static async Task AddAsync(WriteSession session, IEnumerable<string> keys, long by)
    {
        var ordered = keys.Order(StringComparer.Ordinal).ToList();
        // What is taken away was added before: the rows are there, and their check stops what goes below zero.
        if (by < 0) await session.ExecuteAsync($"UPDATE {session.Tables.Counters.Name} SET value = value + {by} WHERE key IN {SqlList.Of(ordered)}");
        else await session.UpsertAsync(session.Tables.Counters, [.. ordered.Select(key => new CounterRow { Key = key, Value = by })], "(key) DO UPDATE SET value = x.value + excluded.value");
    }
}
