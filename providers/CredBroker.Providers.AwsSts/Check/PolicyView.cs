using System.Text.Json;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.AwsSts.Check;

/// <summary>A statement of somebody else's policy, as far as a check looks at it.</summary>
internal sealed record StatementView(bool Allows, bool Negated, IReadOnlyList<string> Actions, IReadOnlyList<string> Principals, IReadOnlyList<(string Operator, string Key, IReadOnlyList<string> Values)> Conditions)
{
    /// <summary>Whether it speaks of an action. A statement that says "all but" is taken to.</summary>
    public bool Speaks(string action) => Negated || Actions.Any(pattern => Wildcard.Matches(pattern, action));
}

/// <summary>Reads the policies of others, leniently: what cannot be read is not there.</summary>
internal static class PolicyView
{
    public static IReadOnlyList<StatementView> Read(string document)
    {
        try
        {
            using var json = JsonDocument.Parse(document, new JsonDocumentOptions { MaxDepth = 32 });
            var statements = json.RootElement.GetProperty("Statement");
            return [.. (statements.ValueKind == JsonValueKind.Array ? statements.EnumerateArray().ToArray() : [statements]).Select(ReadStatement)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return [];
        }
    }

    private static StatementView ReadStatement(JsonElement statement)
    {
        var negated = statement.TryGetProperty("NotAction", out _) || statement.TryGetProperty("NotPrincipal", out _);
        var actions = statement.TryGetProperty("Action", out var action) ? Strings(action) : [];
        var conditions = new List<(string, string, IReadOnlyList<string>)>();
        if (statement.TryGetProperty("Condition", out var condition))
        {
            foreach (var byOperator in condition.EnumerateObject())
                foreach (var byKey in byOperator.Value.EnumerateObject()) conditions.Add((byOperator.Name, byKey.Name, Strings(byKey.Value)));
        }

        return new StatementView(statement.GetProperty("Effect").GetString() == "Allow", negated, actions, PrincipalsOf(statement), conditions);
    }

    private static IReadOnlyList<string> PrincipalsOf(JsonElement statement)
    {
        if (!statement.TryGetProperty("Principal", out var principal)) return [];
        return principal.ValueKind == JsonValueKind.Object ? [.. principal.EnumerateObject().SelectMany(kind => Strings(kind.Value))] : Strings(principal);
    }

    private static IReadOnlyList<string> Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => [.. value.EnumerateArray().Select(item => item.ToString())],
        JsonValueKind.Undefined or JsonValueKind.Null => [],
        _ => [value.ToString()],
    };
}

/// <summary>IAM's patterns: <c>*</c> and <c>?</c>; actions have no case.</summary>
internal static class Wildcard
{
    public static bool Matches(string pattern, string text) => Regex.IsMatch(
        text, $@"\A{Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal)}\z",
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
}
