using System.Linq.Expressions;
using CredBroker.Abstractions;
using CredBroker.Core;

namespace CredBroker.EntityFrameworkCore.Hosting;

/// <summary>Pages by key: what is inserted meanwhile moves nothing.</summary>
internal static class Paging
{
    public const int LargestPage = 1000;

    /// <summary>What comes after the page's key, in the order of ids, and one more to see whether there is a next page.</summary>
    public static IQueryable<T> After<T>(this IQueryable<T> rows, PageRequest page, Expression<Func<T, Uid>> id)
    {
        if (page.After is { } text)
        {
            var after = Uid.Parse(text);
            var body = Expression.GreaterThan(id.Body, Expression.Property(Expression.Constant(new Holder(after)), nameof(Holder.Value)));
            rows = rows.Where(Expression.Lambda<Func<T, bool>>(body, id.Parameters));
        }

        return rows.OrderBy(id).Take(SizeOf(page) + 1);
    }

    public static int SizeOf(PageRequest page) => Math.Clamp(page.Size, 1, LargestPage);

    public static Page<TOut> ToPage<TRow, TOut>(IReadOnlyList<TRow> rows, PageRequest page, Func<TRow, string> key, Func<TRow, TOut> map)
    {
        var size = SizeOf(page);
        var items = rows.Take(size).ToList();
        return new Page<TOut>([.. items.Select(map)], rows.Count > size ? key(items[^1]) : null);
    }

    // A property of a constant becomes a parameter of the query, as a captured variable does.
    private sealed record Holder(Uid Value);
}
