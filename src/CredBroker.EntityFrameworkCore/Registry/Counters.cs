using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Writing;

namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>The counters. They change only together with what they count, under locks that the batch took in the order of their keys.</summary>
internal static class Counters
{
    public static async Task<Dictionary<string, long>> ReadAsync(WriteSession session, IEnumerable<string> keys)
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

    public static async Task AddAsync(WriteSession session, IEnumerable<string> keys, long by)
    {
        foreach (var key in keys.Order(StringComparer.Ordinal))
        {
            if (by < 0)
            {
                // Taking away only ever concerns a row that is there; an insert of less than nothing would fail its check before it met the conflict.
                await session.ExecuteAsync($"UPDATE {session.Tables.Counters.Name} SET value = value + {by} WHERE key = {key}");
                continue;
            }

            await session.ExecuteAsync(
                $"INSERT INTO {session.Tables.Counters.Name} AS x (key, value) VALUES ({key}, {by}) ON CONFLICT (key) DO UPDATE SET value = x.value + excluded.value");
        }
    }
}
