using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Workloads;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Workloads;

/// <summary>The workloads that were seen, in the database.</summary>
internal sealed class WorkloadStore(BrokerWriter writer, ReadContexts contexts, TimeProvider time) : IWorkloadStore
{
    private static readonly TimeSpan SeenWithin = TimeSpan.FromHours(1);

    public async Task<Workload> SeeAsync(Workload seen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        var known = await contexts.ReadAsync(context =>
            context.Workloads.FirstOrDefaultAsync(row => row.SourceUid == seen.SourceUid && row.Subject == seen.Subject && row.ReplacedAt == null, cancellationToken));
        // Most calls are by somebody who was seen before, with the same token's claims: they cost no write.
        if (known is not null && IsCurrent(known, seen)) return WorkloadMapping.ToWorkload(known) with { RefusedStableIds = null };
        return await writer.WriteAsync(LockSet.None, session => Seeing.SeeAsync(session, seen), cancellationToken);
    }

    public Task<Workload?> AcceptAsync(Uid workload, Actor by, CancellationToken cancellationToken) =>
        writer.WriteAsync(LockSet.None, session => Seeing.AcceptAsync(session, workload, Uid.New(time), by), cancellationToken);

    public async Task<Workload?> FindAsync(Uid workload, CancellationToken cancellationToken)
    {
        var found = await contexts.ReadAsync(context => context.Workloads.FirstOrDefaultAsync(row => row.Uid == workload, cancellationToken));
        return found is null ? null : WorkloadMapping.ToWorkload(found);
    }

    public async Task<IReadOnlyDictionary<Uid, Workload>> FindAllAsync(IReadOnlyCollection<Uid> workloads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(workloads);
        if (workloads.Count == 0) return new Dictionary<Uid, Workload>();
        var found = await contexts.ReadAsync(context => context.Workloads.Where(row => workloads.Contains(row.Uid)).ToListAsync(cancellationToken));
        return found.ToDictionary(row => row.Uid, WorkloadMapping.ToWorkload);
    }

    public async Task<Page<Workload>> ListAsync(Uid? source, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(page);
        var found = await contexts.ReadAsync(context =>
            context.Workloads.Where(row => source == null || row.SourceUid == source).After(page, row => row.Uid).ToListAsync(cancellationToken));
        return Paging.ToPage(found, page, row => row.Uid.ToString(), WorkloadMapping.ToWorkload);
    }

    private static bool IsCurrent(WorkloadRow known, Workload seen)
    {
        var row = WorkloadMapping.ToRow(seen);
        return known.StableIds == row.StableIds && known.Attributes == row.Attributes && known.Teams == row.Teams && known.Instance == row.Instance
            && known.SourceName == row.SourceName && seen.LastSeenAt - known.LastSeenAt < SeenWithin;
    }
}
