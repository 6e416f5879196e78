using System.Collections.Concurrent;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>What policies say of a request that is only partly known.</summary>
public enum PartialVerdict
{
    /// <summary>Denied, whatever the rest is.</summary>
    Denied,

    /// <summary>It depends on the rest.</summary>
    Depends,

    /// <summary>Permitted, whatever the rest is.</summary>
    Allowed,
}

/// <summary>What policies say of a request that is only partly known, and which decide.</summary>
/// <param name="Verdict">What they say.</param>
/// <param name="Policies">The policies that decide, or on which it depends, as <c>set/policy</c>.</param>
public sealed record PartialAnswer(PartialVerdict Verdict, IReadOnlyList<string> Policies);

/// <summary>All policy sets in force, for requests that are only partly known. The sets that have a say are taken as one: a forbid of any of them wins.</summary>
public sealed class PartialBook
{
    private readonly PolicyBook _book;
    private readonly ConcurrentDictionary<string, (Authorizer Exact, Authorizer ForAny)> _combined = new(StringComparer.Ordinal);

    internal PartialBook(PolicyBook book) => _book = book;

    /// <summary>Decides; <paramref name="forAnyParameters"/> where what a role's parameters decide over is not known either.</summary>
    public PartialAnswer Ask(PartialRequest request, EntityStore entities, PolicyScope scope, DateTimeOffset now, bool forAnyParameters)
    {
        var covering = _book.Sets.Where(set => set.Covers(scope)).Select(set => (Set: set, Lapsed: set.IsOverdue(now) && GrantingActions.Contains(scope.Action))).ToList();
        var (exact, forAny) = _combined.GetOrAdd(string.Join(' ', covering.Select(part => $"{part.Set.Name}:{part.Lapsed}")), _ => Combine(covering));
        var response = (forAnyParameters ? forAny : exact).IsAuthorized(request, entities);
        return response switch
        {
            PartialResponse.Deny deny => new PartialAnswer(PartialVerdict.Denied, NamesOf(deny.Determining)),
            // What is permitted for some parameters, or unless something fails, is not permitted for certain.
            PartialResponse.Allow allow => new PartialAnswer(forAnyParameters || allow.MayFail.Length > 0 ? PartialVerdict.Depends : PartialVerdict.Allowed, NamesOf(allow.Determining.Concat(allow.MayFail))),
            PartialResponse.Depends depends => new PartialAnswer(PartialVerdict.Depends, NamesOf(depends.On.Concat(depends.MayFail))),
            _ => throw new InvalidOperationException("The answer is none of the three."),
        };
    }

    private static (Authorizer Exact, Authorizer ForAny) Combine(IEnumerable<(CompiledPolicySet Set, bool Lapsed)> covering)
    {
        var combined = PolicySet.Combine(covering.Select(part => Parsed(part.Set, part.Lapsed)));
        return (new Authorizer(combined), new Authorizer(PolicyOptimism.Without(combined, PolicyBook.OfParameters)));
    }

    /// <summary>The set's policies under ids that begin with its name; of one whose review is overdue the forbids alone.</summary>
    private static PolicySet Parsed(CompiledPolicySet set, bool lapsed)
    {
        // As it was written: what is written out again may be nested deeper than a text may be.
        if (!lapsed && !set.IsUnreadable) return PolicySet.Parse(set.Text, set.Name, set.Name + "/policy").OrThrow();
        var policies = lapsed ? set.Policies.Where(policy => policy.Effect == Effect.Forbid) : set.Policies;
        var parsed = PolicySet.Parse(string.Join('\n', policies.Select(policy => policy.ToString())), set.Name, set.Name + "/policy");
        return parsed.IsValid ? parsed.Value : PolicySet.Parse("forbid (principal, action, resource);", set.Name, set.Name + "/policy").OrThrow();
    }

    private static IReadOnlyList<string> NamesOf(IEnumerable<Policy> policies) => [.. policies
        .Select(policy => policy.FindAnnotation(ReservedAnnotations.Id)?.Value is { } id ? $"{policy.Id.Split('/')[0]}/{id}" : policy.Id).Distinct()];
}
