using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>What the conditions of a policy read, found without a schema and without evaluating: never too little, sometimes too much.</summary>
public static class PolicyReads
{
    /// <summary>
    /// The longest paths that the conditions read, each once. <c>has</c> reads what it asks for. A variable (or record) that is used as a whole
    /// is read whole, except where only the identity of principal, action or resource matters (<c>==</c>, <c>in</c>, <c>is</c>); scopes compare identities only.
    /// </summary>
    public static ImmutableArray<AttributePath> PathsOf(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var paths = new HashSet<AttributePath>();
        foreach (var condition in policy.Conditions)
            Visit(condition.Body, isIdentity: false, paths);
        return [.. paths.OrderBy(p => p.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>Whether the conditions read anything of what lies at the path (such as <c>context.declared</c>), or of what it lies in.</summary>
    public static bool Reads(Policy policy, string path)
    {
        var wanted = AttributePath.Of(path);
        return PathsOf(policy).Any(p => p.Overlaps(wanted));
    }

    /// <summary>Whether one condition reads anything of what lies at one of the paths.</summary>
    internal static bool Reads(Expr condition, ImmutableArray<AttributePath> paths)
    {
        var read = new HashSet<AttributePath>();
        Visit(condition, isIdentity: false, read);
        return read.Any(path => paths.Any(path.Overlaps));
    }

    private static void Visit(Expr expr, bool isIdentity, HashSet<AttributePath> paths)
    {
        if (PathOf(expr) is { } path)
        {
            if (!isIdentity || path.Root == Variable.Context || !path.Names.IsEmpty)
                paths.Add(path);
            return;
        }
        if (expr is HasExpr has && PathOf(has.Target) is { } target)
        {
            paths.Add(target with { Names = [.. target.Names, .. has.Path] });
            return;
        }
        var comparesIdentity = expr is IsExpr or BinaryExpr { Operator: BinaryOperator.Equal or BinaryOperator.NotEqual or BinaryOperator.In };
        foreach (var part in expr.Parts)
            Visit(part, comparesIdentity || (isIdentity && expr is SetExpr), paths);
    }

    private static AttributePath? PathOf(Expr expr)
    {
        var names = new Stack<string>();
        for (; expr is GetAttributeExpr access; expr = access.Target)
            names.Push(access.Name);
        return expr is VariableExpr root ? new AttributePath(root.Variable, [.. names]) : null;
    }
}
