using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Tasks;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Leases;

/// <summary>A lease with what decides its effective state, as one query reads it.</summary>
internal sealed class SeenLease
{
    public required LeaseRow Lease { get; init; }
    public DateTimeOffset? TaskEndedAt { get; init; }
    public DateTimeOffset TaskDeadline { get; init; }
    public long Source { get; init; }
    public long Workload { get; init; }
    public long Provider { get; init; }
    public long Role { get; init; }

    public LeaseView ToView(DateTimeOffset now)
    {
        var lease = LeaseMapping.ToLease(Lease);
        return new LeaseView(lease, EffectiveState.Of(lease, Effective.EndOf(TaskEndedAt, TaskDeadline, now), [Source, Workload, Provider, Role], now));
    }
}

/// <summary>Questions about leases.</summary>
internal static class LeaseReads
{
    public static IQueryable<SeenLease> Seen(BrokerContext context, IQueryable<LeaseRow> leases, IQueryable<TaskRow> tasks) =>
        from lease in leases
        join task in tasks on lease.TaskId equals task.Id
        select new SeenLease
        {
            Lease = lease,
            TaskEndedAt = task.EndedAt,
            TaskDeadline = task.Deadline,
            Source = context.Gates.Where(gate => gate.Uid == lease.SourceUid).Select(gate => gate.Suspension).FirstOrDefault(),
            Workload = context.Gates.Where(gate => gate.Uid == lease.WorkloadUid).Select(gate => gate.Suspension).FirstOrDefault(),
            Provider = context.Gates.Where(gate => gate.Uid == lease.ProviderUid).Select(gate => gate.Suspension + (lease.Local && gate.QuarantinedAt != null && lease.ReservedAt <= gate.QuarantinedAt ? 1 : 0)).FirstOrDefault(),
            Role = context.Gates.Where(gate => gate.Uid == lease.RoleUid).Select(gate => gate.Suspension).FirstOrDefault(),
        };

    /// <summary>One lease, as <see cref="Seen"/> reads it: every issue, renewal and look asks for one, so its statement is kept.</summary>
    public static async Task<SeenLease?> FindAsync(SqlSession session, Uid id)
    {
        var (tables, columns) = (session.Tables, session.Tables.Leases);
        var found = await session.ReadAsync(
            $"""
            SELECT {columns.Selection}, t.ended_at, t.deadline,
                (SELECT g.suspension FROM {tables.Gates.Name} g WHERE g.uid = x.source_uid),
                (SELECT g.suspension FROM {tables.Gates.Name} g WHERE g.uid = x.workload_uid),
                (SELECT g.suspension + CASE WHEN x.local AND x.reserved_at <= g.quarantined_at THEN 1 ELSE 0 END FROM {tables.Gates.Name} g WHERE g.uid = x.provider_uid),
                (SELECT g.suspension FROM {tables.Gates.Name} g WHERE g.uid = x.role_uid)
            FROM {columns.Name} x JOIN {tables.Tasks.Name} t ON t.id = x.task_id WHERE x.id = {id}
            """,
            reader => new SeenLease
            {
                Lease = columns.Read(reader),
                TaskEndedAt = SqlValues.ToInstant(reader.GetValue(columns.Width)),
                TaskDeadline = SqlValues.ToInstant(reader.GetValue(columns.Width + 1))!.Value,
                Source = SqlValues.ToCount(reader.GetValue(columns.Width + 2)),
                Workload = SqlValues.ToCount(reader.GetValue(columns.Width + 3)),
                Provider = SqlValues.ToCount(reader.GetValue(columns.Width + 4)),
                Role = SqlValues.ToCount(reader.GetValue(columns.Width + 5)),
            });
        return found.FirstOrDefault();
    }

    public static IQueryable<SeenLease> Filter(BrokerContext context, LeaseQuery query, DateTimeOffset now)
    {
        var leases = context.Leases.AsQueryable();
        if (query.Task is { } task) leases = leases.Where(row => row.TaskId == task);
        if (query.Provider is { } provider) leases = leases.Where(row => row.ProviderUid == provider);
        if (query.Role is { } role) leases = leases.Where(row => row.RoleUid == role);
        if (query.Workload is { } workload) leases = leases.Where(row => row.WorkloadUid == workload);
        if (query.Source is { } source) leases = leases.Where(row => row.SourceUid == source);
        if (query.ExpiresBefore is { } before) leases = leases.Where(row => row.ExpiresAt < before);
        if (query.ExpiresAfter is { } after) leases = leases.Where(row => row.ExpiresAt > after);
        if (query.Failing is { } failing) leases = leases.Where(row => (row.State == LeaseState.Revoking && row.ErrorFault != null) == failing);
        if (query.States is { } states) leases = leases.Where(row => states.Contains(row.State));

        var tasks = context.Tasks.AsQueryable();
        if (query.VisibleTo is { } viewer) tasks = TaskReads.OwnedBy(tasks, viewer);
        var seen = Seen(context, leases, tasks);
        if (query.Live is not { } live) return seen;
        return seen.Where(row => live == (
            (row.Lease.State == LeaseState.Pending || row.Lease.State == LeaseState.Active)
            && row.TaskEndedAt == null && row.TaskDeadline > now && row.Lease.ExpiresAt > now
            && row.Source <= row.Lease.SourceSuspension && row.Workload <= row.Lease.WorkloadSuspension
            && row.Provider <= row.Lease.ProviderSuspension && row.Role <= row.Lease.RoleSuspension));
    }

    /// <summary>One look into the index for each provider and lane: nothing is counted.</summary>
    public static async Task<IReadOnlyList<ProviderDue>> NextDueAsync(BrokerContext context, CancellationToken cancellationToken)
    {
        var providers = await context.Registry.Where(row => row.Kind == ResourceKind.Provider).Select(row => new
        {
            row.Uid,
            Suspension = context.Leases.Where(lease => lease.ProviderUid == row.Uid && lease.Lane == Lane.Suspension && lease.GroupUid == null && lease.DueAt != null).Min(lease => lease.DueAt),
            End = context.Leases.Where(lease => lease.ProviderUid == row.Uid && lease.Lane == Lane.End && lease.GroupUid == null && lease.DueAt != null).Min(lease => lease.DueAt),
            Expiry = context.Leases.Where(lease => lease.ProviderUid == row.Uid && lease.Lane == Lane.Expiry && lease.GroupUid == null && lease.DueAt != null).Min(lease => lease.DueAt),
            Slow = context.Leases.Where(lease => lease.ProviderUid == row.Uid && lease.Lane == Lane.Slow && lease.GroupUid == null && lease.DueAt != null).Min(lease => lease.DueAt),
        }).ToListAsync(cancellationToken);
        return
        [
            .. from provider in providers
               let first = new[] { provider.Suspension, provider.End, provider.Expiry, provider.Slow }.Min()
               where first is not null
               orderby first
               select new ProviderDue(provider.Uid, first.Value),
        ];
    }
}
