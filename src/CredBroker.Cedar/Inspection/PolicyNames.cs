using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>Everything that a policy names: entities, texts and patterns, in scope and conditions. What it matches without naming it isn't here.</summary>
/// <param name="Entities">The entities, each once.</param>
/// <param name="Texts">The string literals, names of attributes and tags among them; each once.</param>
/// <param name="Patterns">The patterns of <c>like</c>.</param>
public sealed record PolicyNames(ImmutableArray<EntityUid> Entities, ImmutableArray<string> Texts, ImmutableArray<Pattern> Patterns)
{
    /// <summary>What a policy names.</summary>
    public static PolicyNames Of(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var entities = new HashSet<EntityUid>();
        var texts = new HashSet<string>(StringComparer.Ordinal);
        var patterns = new List<Pattern>();
        foreach (var scope in (EntityScope[])[policy.Principal, policy.Resource])
        {
            if (EntityOf(scope) is { } named) entities.Add(named);
        }

        foreach (var condition in policy.Conditions) Visit(condition.Body, entities, texts, patterns);
        return new PolicyNames([.. entities], [.. texts], [.. patterns]);
    }

    private static EntityUid? EntityOf(EntityScope scope) => scope switch
    {
        EntityScope.Equal equal => equal.Entity,
        EntityScope.In @in => @in.Entity,
        EntityScope.IsIn isIn => isIn.Entity,
        _ => null,
    };

    private static void Visit(Expr expr, HashSet<EntityUid> entities, HashSet<string> texts, List<Pattern> patterns)
    {
        if (expr is LiteralExpr { Value: EntityUid entity }) entities.Add(entity);
        if (expr is LiteralExpr { Value: CedarString text }) texts.Add(text.Value);
        if (expr is LikeExpr like) patterns.Add(like.Pattern);
        foreach (var part in expr.Parts) Visit(part, entities, texts, patterns);
    }
}
