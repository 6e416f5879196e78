using System.Data.Common;
using CredBroker.Abstractions;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>A connection with the statements that it has run: what runs again is not prepared again.</summary>
internal class SqlSession(DbConnection connection, Dialect dialect, Tables tables) : IAsyncDisposable
{
    // A lease has eight counters in a deep tree; lists of more values are rare, and of any length.
    private const int MostKept = 32;
    private readonly Dictionary<string, DbCommand> _kept = new(StringComparer.Ordinal);

    public Dialect Dialect => dialect;

    public Tables Tables => tables;

    public DbConnection Connection => connection;

    /// <summary>The rows of a table, alias <c>x</c>.</summary>
    public Task<List<T>> ListAsync<T>(RowTable<T> table, FormattableString tail)
        where T : class, new() =>
        ReadAsync(SqlStatement.Of(tail, table.Select), table.Read);

    /// <summary>The one row, or null.</summary>
    public async Task<T?> FindAsync<T>(RowTable<T> table, FormattableString tail)
        where T : class, new() => (await ListAsync(table, tail)).FirstOrDefault();

    public Task<List<Uid>> UidsAsync(FormattableString sql) => ReadAsync(SqlStatement.Of(sql), static reader => SqlValues.ToUid(reader.GetValue(0)));

    public Task<List<T>> ReadAsync<T>(FormattableString sql, Func<DbDataReader, T> read) => ReadAsync(SqlStatement.Of(sql), read);

    /// <summary>How many rows a statement answers.</summary>
    public async Task<int> CountAsync(FormattableString sql) => (await ReadAsync(SqlStatement.Of(sql), static _ => true)).Count;

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _kept.Values) await command.DisposeAsync();
        _kept.Clear();
        await connection.DisposeAsync();
    }

    protected async Task<int> RunAsync(SqlStatement statement)
    {
        var (command, kept) = Command(statement);
        try
        {
            return await command.ExecuteNonQueryAsync();
        }
        finally
        {
            if (!kept) await command.DisposeAsync();
        }
    }

    /// <summary>Reads what several statements that were joined to one answer, the rows of each with its own reader.</summary>
    public async Task ReadAsync(SqlStatement statement, IReadOnlyList<Action<DbDataReader>> readers)
    {
        var (command, kept) = Command(statement);
        try
        {
            await using var reader = await command.ExecuteReaderAsync();
            foreach (var read in readers)
            {
                while (await reader.ReadAsync()) read(reader);
                await reader.NextResultAsync();
            }
        }
        finally
        {
            if (!kept) await command.DisposeAsync();
        }
    }

    private async Task<List<T>> ReadAsync<T>(SqlStatement statement, Func<DbDataReader, T> read)
    {
        var rows = new List<T>();
        await ReadAsync(statement, [reader => rows.Add(read(reader))]);
        return rows;
    }

    private (DbCommand Command, bool Kept) Command(SqlStatement statement)
    {
        if (!_kept.TryGetValue(statement.Text, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = statement.Text;
            for (var i = 0; i < statement.Values.Count; i++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = SqlStatement.Place(i);
                command.Parameters.Add(parameter);
            }

            // A list's length is part of its text: a long one is not kept.
            if (Keeps(statement)) _kept.Add(statement.Text, command);
        }

        for (var i = 0; i < statement.Values.Count; i++) command.Parameters[i].Value = dialect.ToParameter(statement.Values[i]);
        return (command, Keeps(statement));
    }

    private bool Keeps(SqlStatement statement) => dialect.KeepsCommands && (!statement.HasList || statement.Values.Count <= MostKept);
}
