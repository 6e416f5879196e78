using System.Collections.Frozen;

namespace CredBroker.Cedar.Expressions;

/// <summary>The operators' names, in text and JSON alike.</summary>
internal static class BinaryOperators
{
    private static readonly FrozenDictionary<string, BinaryOperator> ByName =
        Enum.GetValues<BinaryOperator>().ToFrozenDictionary(NameOf, StringComparer.Ordinal);

    public static BinaryOperator? Find(string name) => ByName.TryGetValue(name, out var op) ? op : null;

    public static string NameOf(BinaryOperator op) => op switch
    {
        BinaryOperator.Equal => "==",
        BinaryOperator.NotEqual => "!=",
        BinaryOperator.Less => "<",
        BinaryOperator.LessOrEqual => "<=",
        BinaryOperator.Greater => ">",
        BinaryOperator.GreaterOrEqual => ">=",
        BinaryOperator.In => "in",
        BinaryOperator.Add => "+",
        BinaryOperator.Subtract => "-",
        BinaryOperator.Multiply => "*",
        BinaryOperator.Contains => "contains",
        BinaryOperator.ContainsAll => "containsAll",
        BinaryOperator.ContainsAny => "containsAny",
        BinaryOperator.HasTag => "hasTag",
        _ => "getTag",
    };
}
