using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Tasks;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Audit;

/// <summary>The audit trail, in the database.</summary>
internal sealed class AuditLog(BrokerWriter writer, ReadContexts contexts) : IAuditLog
{
    public Task AppendAsync(AuditDraft draft, CancellationToken cancellationToken) => writer.WriteAsync(
        LockSet.None,
        session =>
        {
            session.Audit(draft);
            return Task.FromResult(true);
        },
        cancellationToken);

    public async Task<Page<AuditEvent>> ListAsync(AuditQuery query, PageRequest page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(page);
        var rows = await contexts.ReadAsync(async context =>
        {
            var path = query.Task is { } task ? await context.Tasks.Where(row => row.Id == task).Select(row => row.Path).FirstOrDefaultAsync(cancellationToken) : null;
            return await Full(context, After(Filter(context, query, path), page)).ToListAsync(cancellationToken);
        });
        return Paging.ToPage(rows, page, row => KeyOf(row.Event), row => row.ToEvent());
    }

    public async Task<AuditEvent?> FindAsync(Uid writer, long sequence, CancellationToken cancellationToken)
    {
        var found = await contexts.ReadAsync(context =>
            Full(context, context.AuditEvents.Where(row => row.Writer == writer && row.Sequence == sequence)).FirstOrDefaultAsync(cancellationToken));
        return found?.ToEvent();
    }

    private static IQueryable<FullEvent> Full(BrokerContext context, IQueryable<AuditRow> rows) =>
        from row in rows
        select new FullEvent { Event = row, Texts = context.AuditTexts.Where(text => text.Writer == row.Writer && text.Sequence == row.Sequence).ToList() };

    private static IQueryable<AuditRow> Filter(BrokerContext context, AuditQuery query, string? path)
    {
        var rows = context.AuditEvents.AsQueryable();
        if (path is not null)
        {
            var tree = TaskReads.UnderOrAt(context.Tasks, path);
            rows = rows.Where(row => tree.Any(task => task.Id == row.TaskId));
        }

        else if (query.Task is { } forgotten)
        {
            // Its tree is gone, or never was: what was said of the task itself is still there.
            rows = rows.Where(row => row.TaskId == forgotten);
        }

        if (query.Lease is { } lease) rows = rows.Where(row => row.LeaseId == lease);
        if (query.Decision is { } decision) rows = rows.Where(row => row.DecisionId == decision);
        if (query.Types is { } types) rows = rows.Where(row => types.Contains(row.Type));
        if (query.By is { } by) rows = rows.Where(row => row.ByName == by);
        if (query.From is { } from) rows = rows.Where(row => row.At >= from);
        if (query.To is { } to) rows = rows.Where(row => row.At < to);
        return rows;
    }

    private static IQueryable<AuditRow> After(IQueryable<AuditRow> rows, PageRequest page)
    {
        if (page.After is { } key)
        {
            var (at, writer, sequence) = Parse(key);
            rows = rows.Where(row => row.At > at || (row.At == at && (row.Writer > writer || (row.Writer == writer && row.Sequence > sequence))));
        }

        return rows.OrderBy(row => row.At).ThenBy(row => row.Writer).ThenBy(row => row.Sequence).Take(Paging.SizeOf(page) + 1);
    }

    private static string KeyOf(AuditRow row) => string.Create(CultureInfo.InvariantCulture, $"{row.At.ToMicros()}-{row.Writer}-{row.Sequence}");

    private static (DateTimeOffset At, Uid Writer, long Sequence) Parse(string key)
    {
        var parts = key.Split('-');
        if (parts.Length != 3) throw new FormatException("This is not the key of a page of events.");
        return (Instants.FromMicros(long.Parse(parts[0], CultureInfo.InvariantCulture)), Uid.Parse(parts[1]), long.Parse(parts[2], CultureInfo.InvariantCulture));
    }
}

/// <summary>An event with its texts, which are stored apart.</summary>
internal sealed class FullEvent
{
    public required AuditRow Event { get; init; }
    public required List<AuditTextRow> Texts { get; init; }

    public AuditEvent ToEvent() => AuditMapping.ToEvent(Event, Texts);
}
