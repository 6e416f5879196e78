using System.Collections.Frozen;
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

    /// <summary>The policies, in the order of the text; those made from templates last.</summary>
    public ImmutableArray<Policy> Policies { get; }

    /// <summary>The policies with slots; they decide nothing until they are linked.</summary>
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

    /// <summary>Reads a policy set in Cedar's JSON format: <c>staticPolicies</c>, <c>templates</c> and <c>templateLinks</c>.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="file">The name that errors carry.</param>
    public static Parsed<PolicySet> ParseJson(string json, string file = "") => CedarJson.ParsePolicySet(json, file);

    /// <summary>All policies of several sets.</summary>
    /// <exception cref="ArgumentException">Two policies have the same id.</exception>
    public static PolicySet Combine(params IEnumerable<PolicySet> sets)
    {
        ImmutableArray<Policy> all = [.. sets.SelectMany(s => s.Policies.Concat(s.Templates))];
        return RepeatedId(all) is { } repeated
            ? throw new ArgumentException($"two policies have the id {Quoting.Quote(repeated)}", nameof(sets))
            : new PolicySet(all);
    }

    /// <summary>The set with the policies that come of filling in templates.</summary>
    /// <exception cref="ArgumentException">There is no such template, its slots are others, or the id is taken.</exception>
    public PolicySet Link(params IEnumerable<TemplateLink> links)
    {
        ArgumentNullException.ThrowIfNull(links);
        return TryLink(links, out var error) ?? throw new ArgumentException(error, nameof(links));
    }

    /// <summary>The set in Cedar's JSON format.</summary>
    public string ToJson() => CedarJson.WritePolicySet(this);

    /// <summary>The policies and templates as text, canonical, with all brackets. The text format has no ids and no links: policies made from templates are written out.</summary>
    public override string ToString() => string.Concat(Policies.Concat(Templates).Select(p => p.ToString()));

    internal PolicySet? TryLink(IEnumerable<TemplateLink> links, out string? error)
    {
        var templates = Templates.ToFrozenDictionary(t => t.Id, StringComparer.Ordinal);
        var all = Policies.Concat(Templates).ToList();
        foreach (var link in links)
        {
            if (!templates.TryGetValue(link.TemplateId, out var template))
            {
                error = $"there is no template {Quoting.Quote(link.TemplateId)}";
                return null;
            }
            if (link.Apply(template, out error) is not { } policy)
                return null;
            all.Add(policy);
        }
        error = RepeatedId(all) is { } repeated ? $"two policies have the id {Quoting.Quote(repeated)}" : null;
        return error is null ? new PolicySet([.. all]) : null;
    }

    private static string? RepeatedId(IEnumerable<Policy> policies) =>
        policies.GroupBy(p => p.Id, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;
}
