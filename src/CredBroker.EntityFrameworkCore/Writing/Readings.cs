using System.Data.Common;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>Several readings on one way over the network. What each answers is there once all have run.</summary>
internal sealed class Readings(SqlSession session)
{
    private readonly List<SqlStatement> _statements = [];
    private readonly List<Action<DbDataReader>> _readers = [];
    private int _values;

    /// <summary>The rows of a table, alias <c>x</c>.</summary>
    public IReadOnlyList<T> Rows<T>(RowTable<T> table, FormattableString tail)
        where T : class, new() => Add(SqlStatement.Of(tail, table.Select, _values), table.Read);

    /// <summary>What a statement answers.</summary>
    public IReadOnlyList<T> Of<T>(FormattableString sql, Func<DbDataReader, T> read) => Add(SqlStatement.Of(sql, first: _values), read);

    /// <summary>Runs them, in their order.</summary>
    public Task RunAsync() => session.ReadAsync(SqlStatement.Join(_statements), _readers);

    private List<T> Add<T>(SqlStatement statement, Func<DbDataReader, T> read)
    {
        var rows = new List<T>();
        _values += statement.Values.Count;
        _statements.Add(statement);
        _readers.Add(reader => rows.Add(read(reader)));
        return rows;
    }
}
