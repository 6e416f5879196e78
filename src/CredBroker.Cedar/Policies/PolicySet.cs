using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Policies that decide together. Immutable; safe for use by many threads.</summary>
public sealed class PolicySet
{
    /// <summary>The set without policies: it denies everything.</summary>
    public static readonly PolicySet Empty = new([]);

    internal PolicySet(ImmutableArray<Policy> all)
    {
        Policies = [.. all.Where(p => !p.IsTemplate)];
        Templates = [.. all.Where(p => p.IsTemplate)];
    }

    /// <summary>The policies, in the order of the text.</summary>
    public ImmutableArray<Policy> Policies { get; }

    /// <summary>The policies with slots; they decide nothing.</summary>
    public ImmutableArray<Policy> Templates { get; }

    /// <summary>Reads policies from text.</summary>
    /// <param name="text">Cedar policies.</param>
    /// <param name="file">The name that errors and locations carry.</param>
    /// <param name="idPrefix">What ids start with, before the number.</param>
    /// <returns>The set; or all the errors that were found, and no set.</returns>
    public static Parsed<PolicySet> Parse(string text, string file = "", string idPrefix = "policy")
    {
        ArgumentNullException.ThrowIfNull(text);
        return new PolicyParser(text, file, idPrefix).Parse();
    }

    /// <summary>All policies of several sets.</summary>
    /// <exception cref="ArgumentException">Two policies have the same id.</exception>
    public static PolicySet Combine(params IEnumerable<PolicySet> sets)
    {
        ImmutableArray<Policy> all = [.. sets.SelectMany(s => s.Policies.Concat(s.Templates))];
        if (all.GroupBy(p => p.Id, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } repeated)
            throw new ArgumentException($"two policies have the id {Quoting.Quote(repeated.Key)}", nameof(sets));
        return new PolicySet(all);
    }
}
