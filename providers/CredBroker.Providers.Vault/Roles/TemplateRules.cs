using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>What the templates of all three role kinds have in common.</summary>
internal static class TemplateRules
{
    public static IEnumerable<ValidationError> Policies(IReadOnlyList<string> policies, string? tokenRole, bool mayHavePlaceholders)
    {
        if (policies.Count is 0 or > 20) yield return new("policies", "Name 1 to 20 policies.");
        for (var i = 0; i < policies.Count; i++)
        {
            var policy = Plain(policies[i], mayHavePlaceholders);
            if (!Names.IsSegment(policy)) yield return new($"policies[{i}]", Names.SegmentRule);
            else if (policy == "root") yield return new($"policies[{i}]", "The root policy is never given.");
            else if (policy == "default") yield return new($"policies[{i}]", "The default policy lets whoever holds the token renew it beyond its lease: name what it needs in a policy of its own.");
            else if (policies.Take(i).Contains(policies[i])) yield return new($"policies[{i}]", "This policy appears twice.");
            else if (policy.Any(char.IsAsciiLetterUpper)) yield return new($"policies[{i}]", "Policies have lower-case names at the target.");
        }

        if (tokenRole is not null && !Names.IsSegment(tokenRole)) yield return new("tokenRole", Names.SegmentRule);
    }

    public static IEnumerable<ValidationError> Path(string member, string path, bool mayHavePlaceholders)
    {
        if (!Names.IsPath(Plain(path, mayHavePlaceholders))) yield return new(member, $"{Names.PathRule} A placeholder is a whole segment.");
    }

    public static IEnumerable<ValidationError> Fields(IReadOnlyList<string> fields)
    {
        if (fields.Count is 0 or > 20) yield return new("fields", "Name 1 to 20 members of the answer.");
        for (var i = 0; i < fields.Count; i++)
        {
            if (!Names.IsSegment(fields[i])) yield return new($"fields[{i}]", Names.SegmentRule);
            else if (fields.Take(i).Contains(fields[i])) yield return new($"fields[{i}]", "This field appears twice.");
        }
    }

    /// <summary>Refuses a template that is not right now that its parameters are filled in.</summary>
    public static void Require(IEnumerable<ValidationError> errors)
    {
        if (errors.FirstOrDefault() is { } error) throw new ProviderException(ProviderFault.Misconfigured, $"{error.Path}: {error.Message}", ProviderEffect.None);
    }

    private static string Plain(string text, bool mayHavePlaceholders) => mayHavePlaceholders ? Names.WithoutPlaceholders(text) : text;
}
