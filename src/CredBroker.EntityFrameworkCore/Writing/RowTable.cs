using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Reflection;
using CredBroker.Abstractions;
using CredBroker.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>
/// A table of EF's model for the writer's own statements: names and columns come from the model, so that there is one mapping and not two.
/// </summary>
internal sealed class RowTable<T>
    where T : class, new()
{
    private readonly (PropertyInfo Property, Type Type)[] _columns;
    private readonly Dictionary<string, string> _names;
    private readonly ConcurrentDictionary<int, string> _inserts = new();

    public RowTable(IModel model)
    {
        var entity = model.FindEntityType(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T).Name} is not in the model.");
        var properties = entity.GetProperties().ToArray();
        _columns = [.. properties.Select(property => (property.PropertyInfo!, Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType))];
        _names = properties.ToDictionary(property => property.Name, property => property.GetColumnName());
        Name = new SqlText(entity.GetSchema() is { } schema ? $"{schema}.{entity.GetTableName()}" : entity.GetTableName()!);
        Selection = new SqlText(string.Join(", ", properties.Select(property => "x." + property.GetColumnName())));
        Columns = string.Join(", ", _names.Values);
        Select = $"SELECT {Selection} FROM {Name} x ";
    }

    /// <summary>The table's name, with its schema.</summary>
    public SqlText Name { get; }

    /// <summary>All columns, of the alias <c>x</c>.</summary>
    public SqlText Selection { get; }

    /// <summary>Selects all columns, as alias <c>x</c>.</summary>
    public string Select { get; }

    /// <summary>All columns, in the order of <see cref="Values"/>.</summary>
    public string Columns { get; }

    /// <summary>How many columns there are: where a statement that selects more goes on after <see cref="Selection"/>.</summary>
    public int Width => _columns.Length;

    /// <summary>The statement that inserts so many rows, whose values follow each other as <see cref="Values"/> gives them. The present row is <c>x</c>.</summary>
    public string InsertOf(int rows) => _inserts.GetOrAdd(rows, count =>
    {
        var places = Enumerable.Range(0, count).Select(row => "(" + string.Join(", ", _columns.Select((_, i) => SqlStatement.Place((row * _columns.Length) + i))) + ")");
        return $"INSERT INTO {Name} AS x ({Columns}) VALUES {string.Join(", ", places)}";
    });

    /// <summary>The row's values.</summary>
    public object?[] Values(T row) => [.. _columns.Select(column => column.Property.GetValue(row))];

    /// <summary>The assignments of some columns, as they appear after SET.</summary>
    public IEnumerable<(string Column, object? Value)> Assignments(T row, IEnumerable<string> properties) =>
        properties.Select(name => (_names[name], typeof(T).GetProperty(name)!.GetValue(row)));

    /// <summary>Reads a row that was selected by <see cref="Selection"/>.</summary>
    public T Read(DbDataReader reader)
    {
        var row = new T();
        for (var i = 0; i < _columns.Length; i++)
        {
            var value = reader.GetValue(i);
            if (value is not DBNull) _columns[i].Property.SetValue(row, Convert(value, _columns[i].Type));
        }

        return row;
    }

    private static object Convert(object value, Type type)
    {
        if (type == typeof(Uid)) return SqlValues.ToUid(value);
        if (type == typeof(DateTimeOffset)) return Instants.FromMicros((long)value);
        if (type == typeof(TimeSpan)) return TimeSpan.FromMicroseconds((long)value);
        if (type.IsEnum) return Enum.ToObject(type, value);
        return type.IsInstanceOfType(value) ? value : System.Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
    }
}

/// <summary>What came back from a database, as what it is.</summary>
internal static class SqlValues
{
    public static Uid ToUid(object value) => value switch
    {
        byte[] bytes => Uid.FromBytes(bytes),
        Guid guid => new Uid(guid),
        _ => throw new InvalidOperationException($"{value.GetType().Name} is no id."),
    };

    /// <summary>A number; none where there is no row.</summary>
    public static long ToCount(object value) => value is DBNull ? 0 : Convert.ToInt64(value, CultureInfo.InvariantCulture);

    public static DateTimeOffset? ToInstant(object value) => value is long micros ? Instants.FromMicros(micros) : null;
}
