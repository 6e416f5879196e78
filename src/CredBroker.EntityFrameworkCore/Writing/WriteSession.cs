using System.Data.Common;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.EntityFrameworkCore.Registry;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>
/// The open transaction as an intention sees it. Nothing that it does is seen by anybody before the batch commits, and all of it is undone
/// when the intention throws.
/// </summary>
internal sealed class WriteSession(DbConnection connection, Dialect dialect, Tables tables) : SqlSession(connection, dialect, tables)
{
    private readonly List<(AuditDraft Draft, DateTimeOffset At)> _audit = [];

    /// <summary>The store's time: no earlier than anything that was committed.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>What the batch adds to counters. See <see cref="Registry.Counters"/>.</summary>
    public PendingCounters Counters { get; } = new();

    /// <summary>Whether anything was written since <see cref="Reset"/>.</summary>
    public bool Wrote { get; private set; }

    /// <summary>Whether there is work for whoever revokes.</summary>
    public bool MadeWork { get; set; }

    /// <summary>Whether something was erased that must not be found in the database's files either.</summary>
    public bool Erased { get; set; }

    /// <summary>The epoch that begins with this batch, where one does.</summary>
    public Uid? NewEpoch { get; set; }

    /// <summary>What is told when the batch commits.</summary>
    public IReadOnlyList<(AuditDraft Draft, DateTimeOffset At)> Drafts => _audit;

    /// <summary>Tells of what this intention does. The event gets its place when the batch commits.</summary>
    public void Audit(AuditDraft draft) => _audit.Add((draft, Now));

    /// <summary>Forgets everything of the last batch.</summary>
    public void Reset()
    {
        _audit.Clear();
        Counters.Clear();
        Wrote = false;
        MadeWork = false;
        Erased = false;
        NewEpoch = null;
    }

    /// <summary>Where an intention begins.</summary>
    public (int Events, int Counted, bool Wrote, bool MadeWork, Uid? NewEpoch) Mark() => (_audit.Count, Counters.Mark, Wrote, MadeWork, NewEpoch);

    /// <summary>Forgets what an intention did since.</summary>
    public void Return((int Events, int Counted, bool Wrote, bool MadeWork, Uid? NewEpoch) mark)
    {
        _audit.RemoveRange(mark.Events, _audit.Count - mark.Events);
        Counters.Return(mark.Counted);
        (_, _, Wrote, MadeWork, NewEpoch) = mark;
    }

    /// <summary>Adds to a counter, which is written before the batch commits.</summary>
    public void Count(string key, long by)
    {
        Wrote = true;
        Counters.Add(key, by);
    }

    public Task<int> ExecuteAsync(FormattableString sql)
    {
        Wrote = true;
        return RunAsync(SqlStatement.Of(sql));
    }

    /// <summary>Runs a statement of transaction control.</summary>
    public Task ControlAsync(string sql) => RunAsync(new SqlStatement(sql, [], false));

    /// <summary>Inserts a row.</summary>
    public Task InsertAsync<T>(RowTable<T> table, T row)
        where T : class, new() => InsertAsync(table, [row]);

    /// <summary>Inserts rows.</summary>
    public async Task InsertAsync<T>(RowTable<T> table, IReadOnlyList<T> rows)
        where T : class, new()
    {
        // A kept command is faster than a long statement; over a network it is the other way round.
        var size = Dialect.KeepsCommands ? 1 : 100;
        foreach (var chunk in rows.Chunk(size)) await InsertAsync(table, chunk, "");
    }

    /// <summary>Inserts a row unless one with its key, or another unique value of it, is there. Says whether it did.</summary>
    public async Task<bool> InsertIfNewAsync<T>(RowTable<T> table, T row)
        where T : class, new() => await InsertAsync(table, [row], " ON CONFLICT DO NOTHING") == 1;

    /// <summary>Inserts rows; where they are there already, does what is said after ON CONFLICT. The present row is <c>x</c>.</summary>
    public async Task UpsertAsync<T>(RowTable<T> table, IReadOnlyList<T> rows, string conflict)
        where T : class, new()
    {
        if (rows.Count > 0) await InsertAsync(table, rows, " ON CONFLICT " + conflict);
    }

    /// <summary>Changes some columns of the rows that a condition selects.</summary>
    public async Task<int> UpdateAsync<T>(RowTable<T> table, T row, IEnumerable<string> properties, FormattableString where)
        where T : class, new()
    {
        var values = new List<object>();
        var text = new StringBuilder($"UPDATE {table.Name} SET ");
        foreach (var (column, value) in table.Assignments(row, properties))
        {
            text.Append(values.Count == 0 ? "" : ", ").Append(column).Append(" = {").Append(values.Count).Append('}');
            values.Add(value!);
        }

        var condition = where.GetArguments().Select(argument => argument!).ToArray();
        var places = condition.Select((_, i) => (object)("{" + (values.Count + i) + "}")).ToArray();
        text.Append(" WHERE ").Append(string.Format(System.Globalization.CultureInfo.InvariantCulture, where.Format, places));
        return await ExecuteAsync(System.Runtime.CompilerServices.FormattableStringFactory.Create(text.ToString(), [.. values, .. condition]));
    }

    private Task<int> InsertAsync<T>(RowTable<T> table, IReadOnlyList<T> rows, string conflict)
        where T : class, new()
    {
        Wrote = true;
        var values = rows.SelectMany(table.Values).ToList();
        return RunAsync(new SqlStatement(table.InsertOf(rows.Count) + conflict, values, HasList: rows.Count > 1));
    }
}
