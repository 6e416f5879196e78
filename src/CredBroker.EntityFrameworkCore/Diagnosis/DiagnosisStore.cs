using CredBroker.Abstractions;
using CredBroker.Core.Diagnosis;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Quarantine;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Diagnosis;

/// <summary>What does not get done, as the database has it. Asked by people, not by the clock.</summary>
internal sealed class DiagnosisStore(ReadContexts contexts) : IDiagnosisStore
{
    public Task<UndoneWork> ReadAsync(DateTimeOffset before, CancellationToken cancellationToken) => contexts.ReadAsync(async context =>
    {
        var names = await context.Registry.Where(row => row.Kind == Core.Registry.ResourceKind.Provider).ToDictionaryAsync(row => row.Uid, row => row.Name, cancellationToken);
        var slow = await CountAsync(context.Leases.Where(lease => lease.State == LeaseState.Revoking && lease.Lane == Lane.Slow), cancellationToken);
        // What is taken, or failed, is due later: whatever is still due as it was has been seen by nobody.
        var untaken = await CountAsync(
            context.Leases.Where(lease => lease.DueAt < before
                && (lease.State == LeaseState.Revoking || !context.Gates.Any(gate => gate.Uid == lease.ProviderUid && gate.QuarantinedAt != null && lease.ReservedAt <= gate.QuarantinedAt))),
            cancellationToken);
        var some = await Holding.AnyAsync(context, cancellationToken);
        var far = before + TimeSpan.FromHours(1);
        return new UndoneWork
        {
            Slow = Named(slow, names),
            Untaken = Named(untaken, names),
            FanOutSince = await context.FanOuts.MinAsync(row => (DateTimeOffset?)row.CreatedAt, cancellationToken),
            OverdueTasks = await Holding.Tasks(context, some).LongCountAsync(row => row.EndedAt == null && row.Deadline < before, cancellationToken),
            StuckGroups = await context.Groups.Where(group => group.Until > far).OrderBy(group => group.Name).Select(group => group.Name).Take(20).ToListAsync(cancellationToken),
            MarkKeys = await context.Leases.Where(lease => lease.State <= LeaseState.Revoking && lease.MarkKeyId != "").GroupBy(lease => lease.MarkKeyId)
                .Select(group => new { group.Key, Count = group.LongCount() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken),
        };
    });

    private static Task<Dictionary<Uid, long>> CountAsync(IQueryable<LeaseRow> leases, CancellationToken cancellationToken) =>
        leases.GroupBy(lease => lease.ProviderUid).Select(group => new { group.Key, Count = group.LongCount() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);

    private static Dictionary<string, long> Named(Dictionary<Uid, long> counts, Dictionary<Uid, string> names) => counts
        .GroupBy(pair => names.GetValueOrDefault(pair.Key) ?? pair.Key.ToString()).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));
}
