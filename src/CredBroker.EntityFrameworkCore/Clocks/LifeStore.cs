using CredBroker.Abstractions;
using CredBroker.Core.Clocks;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Clocks;

/// <summary>The broker's sign of life, in the database: one row for all nodes.</summary>
internal sealed class LifeStore(BrokerWriter writer, ReadContexts contexts, ReferenceClock clock, SpaceWatch space) : IBrokerLife
{
    private static readonly string[] Columns = [nameof(LifeRow.AliveAt), nameof(LifeRow.DownFrom), nameof(LifeRow.DownTo), nameof(LifeRow.Cursor)];

    public async Task<LifeSign> BeatAsync(Func<TimeSpan, TimeSpan> graceOf, int batch, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        space.Look();
        await clock.MeasureAsync(cancellationToken);
        var (gap, life) = await writer.WriteAsync(Urgency.Settle, LockSet.None, BeatAsync, cancellationToken);
        if (life.DownFrom is null) return new LifeSign(gap, 0, More: false);
        // Looked for without the writer: whoever ended long ago is passed over here.
        var tasks = await NextAsync(life, batch, cancellationToken);
        var made = await writer.WriteAsync(Urgency.Renew, LockSet.None, session => MakeGoodAsync(session, life, tasks, graceOf, last: tasks.Count < batch), cancellationToken);
        return made with { Gap = gap };
    }

    /// <summary>Whether a heartbeat that is missing now is lost: the broker was there until now, and what it missed before is made good. Before the first sign of life it is.</summary>
    public static bool HeartbeatsCount(LifeRow? life, DateTimeOffset now) => life is null || (life.DownFrom is null && now - life.AliveAt <= BrokerLife.LongestGap);

    public static async Task<bool> HeartbeatsCountAsync(WriteSession session) => HeartbeatsCount(await session.FindAsync(session.Tables.Life, $"WHERE x.id = 1"), session.Now);

    private static async Task<(TimeSpan? Gap, LifeRow Life)> BeatAsync(WriteSession session)
    {
        var table = session.Tables.Life;
        if (await session.FindAsync(table, $"WHERE x.id = 1 {session.Dialect.ForUpdate}") is not { } life)
        {
            var first = new LifeRow { Id = 1, AliveAt = session.Now };
            await session.InsertIfNewAsync(table, first);
            return (null, first);
        }

        TimeSpan? gap = session.Now - life.AliveAt is var passed && passed > BrokerLife.LongestGap ? passed : null;
        // Another gap before the last one is made good: one long gap, looked through from the beginning.
        if (gap is not null) (life.DownFrom, life.DownTo, life.Cursor) = (life.DownFrom ?? life.AliveAt, session.Now, null);
        if (session.Now > life.AliveAt) life.AliveAt = session.Now;
        await session.UpdateAsync(table, life, Columns, $"id = 1");
        return (gap, life);
    }

    private Task<List<(Uid Task, DateTimeOffset Until, TimeSpan Interval)>> NextAsync(LifeRow life, int batch, CancellationToken cancellationToken) => contexts.ReadAsync(async context =>
    {
        var watched = context.Liveness.Where(row => row.Watched);
        if (life.Cursor is { } cursor) watched = watched.Where(row => row.TaskId > cursor);
        var rows = await watched.OrderBy(row => row.TaskId).Take(batch)
            .Join(context.Tasks, row => row.TaskId, task => task.Id, (row, task) => new { row.TaskId, row.AliveUntil, task.HeartbeatInterval }).OrderBy(row => row.TaskId).ToListAsync(cancellationToken);
        return rows.ConvertAll(row => (row.TaskId, row.AliveUntil, row.HeartbeatInterval ?? TimeSpan.Zero));
    });

    /// <summary>Who was alive when the gap began has a whole grace from its end, to find a node again.</summary>
    private static async Task<LifeSign> MakeGoodAsync(WriteSession session, LifeRow seen, IReadOnlyList<(Uid Task, DateTimeOffset Until, TimeSpan Interval)> tasks, Func<TimeSpan, TimeSpan> graceOf, bool last)
    {
        var life = await session.FindAsync(session.Tables.Life, $"WHERE x.id = 1 {session.Dialect.ForUpdate}");
        // Another node did this batch, or found another gap.
        if (life is null || life.DownTo != seen.DownTo || life.Cursor != seen.Cursor) return new LifeSign(null, 0, More: life?.DownFrom is not null);
        var revived = 0;
        foreach (var task in tasks.Where(task => task.Until > life.DownFrom))
        {
            var until = life.DownTo!.Value + graceOf(task.Interval);
            revived += await session.ExecuteAsync($"UPDATE {session.Tables.Liveness.Name} SET alive_until = {until} WHERE task_id = {task.Task} AND watched AND alive_until < {until}");
        }

        if (last) (life.DownFrom, life.DownTo, life.Cursor) = (null, null, null);
        else life.Cursor = tasks[^1].Task;
        await session.UpdateAsync(session.Tables.Life, life, Columns, $"id = 1");
        return new LifeSign(null, revived, !last);
    }
}
