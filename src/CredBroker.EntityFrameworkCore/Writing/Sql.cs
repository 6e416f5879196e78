using System.Globalization;
using System.Text;

namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>A part of a statement that is no parameter: a table's name, a lock.</summary>
internal sealed record SqlText(string Text)
{
    public override string ToString() => Text;
}

/// <summary>Values that become a parenthesised list of parameters. An empty one matches nothing.</summary>
internal sealed record SqlList(IReadOnlyList<object> Values)
{
    public static SqlList Of<T>(IEnumerable<T> values)
        where T : notnull => new([.. values.Select(value => (object)value)]);
}

/// <summary>A statement: the text with parameters <c>@p0…</c>, and their values. Whatever is interpolated is a parameter, unless it is a <see cref="SqlText"/>.</summary>
internal sealed record SqlStatement(string Text, IReadOnlyList<object?> Values, bool HasList)
{
    /// <param name="sql">The statement.</param>
    /// <param name="prefix">What it begins with, without parameters.</param>
    /// <param name="first">The number of its first parameter: where it follows others.</param>
    public static SqlStatement Of(FormattableString sql, string prefix = "", int first = 0)
    {
        var values = new List<object?>();
        var hasList = false;
        var places = new object[sql.ArgumentCount];
        for (var i = 0; i < places.Length; i++)
        {
            switch (sql.GetArgument(i))
            {
                case SqlText text:
                    places[i] = text.Text;
                    break;
                case SqlList list:
                    hasList = true;
                    places[i] = ListOf(list, values, first);
                    break;
                case var value:
                    places[i] = Place(first + values.Count);
                    values.Add(value);
                    break;
            }
        }

        return new SqlStatement(prefix + string.Format(CultureInfo.InvariantCulture, sql.Format, places), values, hasList);
    }

    /// <summary>Several as one, each with parameters that follow those of the one before.</summary>
    public static SqlStatement Join(IReadOnlyList<SqlStatement> statements) =>
        new(string.Join(';', statements.Select(statement => statement.Text)), [.. statements.SelectMany(statement => statement.Values)], statements.Any(statement => statement.HasList));

    public static string Place(int index) => "@p" + index.ToString(CultureInfo.InvariantCulture);

    private static string ListOf(SqlList list, List<object?> values, int first)
    {
        if (list.Values.Count == 0) return "(NULL)";
        var text = new StringBuilder("(");
        foreach (var value in list.Values)
        {
            if (text.Length > 1) text.Append(',');
            text.Append(Place(first + values.Count));
            values.Add(value);
        }

        return text.Append(')').ToString();
    }
}
