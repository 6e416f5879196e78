using CredBroker.Abstractions;
using CredBroker.EntityFrameworkCore.Model;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>Takes the locks of a batch, each kind in a statement of its own and in the order of its keys, before anything is read under them.</summary>
internal static class BatchLocks
{
    public static async Task TakeAsync(WriteSession session, IReadOnlyList<LockSet> sets)
    {
        var exclusive = sets.Any(set => set.Exclusive);
        var roots = new HashSet<Uid>();
        var gates = new HashSet<Uid>(sets.SelectMany(set => set.Gates));
        var counters = new HashSet<string>(sets.SelectMany(set => set.Counters), StringComparer.Ordinal);
        await AddLeasesAsync(session, sets, roots, gates, counters);
        await AddRootsAsync(session, [.. sets.SelectMany(set => set.Tasks)], roots);
        var lockText = exclusive ? session.Dialect.ForUpdate : session.Dialect.ForShare;
        if (roots.Count > 0)
            await session.CountAsync($"SELECT x.id FROM {session.Tables.Tasks.Name} x WHERE x.id IN {SqlList.Of(roots)} ORDER BY x.id {lockText}");
        if (gates.Count > 0) await LockGatesAsync(session, gates, lockText);
        if (counters.Count > 0) await LockCountersAsync(session, counters);
        await LockGroupsAsync(session, [.. sets.SelectMany(set => set.Groups)], [.. sets.Select(set => set.NewGroup).OfType<GroupRow>().DistinctBy(group => group.Uid)]);
    }

    /// <summary>Locks groups, in the order of their ids; those that are new get a row first.</summary>
    private static async Task LockGroupsAsync(WriteSession session, IReadOnlyList<Uid> known, IReadOnlyList<GroupRow> mayBeNew)
    {
        if (known.Count + mayBeNew.Count == 0) return;
        var all = known.Concat(mayBeNew.Select(group => group.Uid)).ToHashSet();
        for (var round = 0; ; round++)
        {
            var found = await session.UidsAsync($"SELECT x.uid FROM {session.Tables.Groups.Name} x WHERE x.uid IN {SqlList.Of(all)} ORDER BY x.uid {session.Dialect.ForUpdate}");
            var missing = mayBeNew.Where(group => !found.Contains(group.Uid)).OrderBy(group => group.Uid).ToList();
            if (missing.Count == 0) return;
            foreach (var group in missing) await session.InsertIfNewAsync(session.Tables.Groups, group);
        }
    }

    /// <summary>Locks gates; those that have no row get one first.</summary>
    private static async Task LockGatesAsync(WriteSession session, HashSet<Uid> gates, SqlText lockText)
    {
        for (var found = -1; found != gates.Count;)
        {
            if (found >= 0) await EnsureGatesAsync(session, gates);
            found = await session.CountAsync($"SELECT x.uid FROM {session.Tables.Gates.Name} x WHERE x.uid IN {SqlList.Of(gates)} ORDER BY x.uid {lockText}");
        }
    }

    /// <summary>Gives a row to each gate that has none.</summary>
    public static async Task EnsureGatesAsync(WriteSession session, IEnumerable<Uid> gates)
    {
        foreach (var gate in gates.Order())
            await session.InsertIfNewAsync(session.Tables.Gates, new GateRow { Uid = gate });
    }

    private static async Task LockCountersAsync(WriteSession session, HashSet<string> counters)
    {
        for (var found = -1; found != counters.Count;)
        {
            if (found >= 0)
            {
                foreach (var key in counters.Order(StringComparer.Ordinal)) await session.InsertIfNewAsync(session.Tables.Counters, new CounterRow { Key = key });
            }

            found = await session.CountAsync(
                $"SELECT x.key FROM {session.Tables.Counters.Name} x WHERE x.key IN {SqlList.Of(counters)} ORDER BY x.key COLLATE \"C\" {session.Dialect.ForUpdate}");
        }
    }

    // The path and the gates of a lease never change: they are read without a lock, to know which locks to take.
    private static async Task AddLeasesAsync(WriteSession session, IReadOnlyList<LockSet> sets, HashSet<Uid> roots, HashSet<Uid> gates, HashSet<string> counters)
    {
        var wanted = sets.Where(set => set.Lease is not null).ToLookup(set => set.Lease!.Value);
        if (wanted.Count == 0) return;
        foreach (var row in await session.ListAsync(session.Tables.Leases, $"WHERE x.id IN {SqlList.Of(wanted.Select(group => group.Key))}"))
        {
            var lease = LeaseMapping.ToLease(row);
            roots.Add(Uid.Parse(lease.TaskPath[..Uid.Length]));
            if (wanted[row.Id].Any(set => set.LeaseGates)) gates.UnionWith(lease.Gates.All.Select(gate => gate.Uid));
            if (wanted[row.Id].Any(set => set.LeaseCounters)) counters.UnionWith(lease.QuotaKeys);
        }
    }

    private static async Task AddRootsAsync(WriteSession session, IReadOnlyList<Uid> tasks, HashSet<Uid> roots)
    {
        if (tasks.Count == 0) return;
        roots.UnionWith(await session.UidsAsync($"SELECT x.root_id FROM {session.Tables.Tasks.Name} x WHERE x.id IN {SqlList.Of(tasks.Distinct())}"));
    }
}
