using CredBroker.Core;
using CredBroker.Core.Clocks;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Leases;
using CredBroker.EntityFrameworkCore.Model;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Revocation;

/// <summary>
/// Measures from the counters, the due index and indexes of what is pending and what is being revoked: what lives is never counted. The numbers are read one after another, and
/// may be a commit apart.
/// </summary>
internal sealed class BacklogStore(ReadContexts contexts, StoreTime clock) : IBacklogStore
{
    public Task<IReadOnlyList<ProviderBacklog>> ReadAsync(CancellationToken cancellationToken) =>
        contexts.ReadAsync(context => ReadAsync(context, cancellationToken));

    private async Task<IReadOnlyList<ProviderBacklog>> ReadAsync(BrokerContext context, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var providers = await context.Registry.Where(row => row.Kind == ResourceKind.Provider).Select(row => new
        {
            row.Uid,
            row.Name,
            Pending = context.Leases.Count(lease => lease.ProviderUid == row.Uid && lease.State == LeaseState.Pending),
        }).ToListAsync(cancellationToken);
        var keys = providers.Select(provider => $"provider:{provider.Uid}").ToList();
        var counters = await context.Counters.Where(row => keys.Contains(row.Key)).ToDictionaryAsync(row => row.Key, row => row.Value, cancellationToken);
        var dying = (await context.Leases.Where(row => row.State == LeaseState.Revoking).GroupBy(row => new { row.ProviderUid, row.ErrorFault })
            .Select(group => new { group.Key.ProviderUid, group.Key.ErrorFault, Count = group.LongCount(), Since = group.Min(row => row.RevokingAt) })
            .ToListAsync(cancellationToken)).ToLookup(group => group.ProviderUid);
        var due = (await LeaseReads.NextDueAsync(context, cancellationToken)).ToDictionary(next => next.Provider, next => next.At);
        // A reused name stands for both: whoever looks at a metric knows providers by their names.
        return
        [
            .. from provider in providers
               let unproven = counters.GetValueOrDefault($"provider:{provider.Uid}")
               where unproven > 0 || dying.Contains(provider.Uid)
               group (provider, unproven) by provider.Name into named
               let parts = named.SelectMany(one => dying[one.provider.Uid]).ToList()
               let revoking = parts.Sum(part => part.Count)
               select new ProviderBacklog
               {
                   Provider = named.Key,
                   Unproven = Math.Max(named.Sum(one => one.unproven), revoking),
                   Pending = named.Sum(one => (long)one.provider.Pending),
                   Revoking = revoking,
                   Failing = parts.Where(part => part.ErrorFault is not null).GroupBy(part => part.ErrorFault!.Value)
                       .ToDictionary(part => part.Key, part => part.Sum(one => one.Count)),
                   DueSince = named.Select(one => due.TryGetValue(one.provider.Uid, out var at) && at <= now ? at : (DateTimeOffset?)null).Min(),
                   DyingSince = parts.Min(part => part.Since),
               },
        ];
    }
}
