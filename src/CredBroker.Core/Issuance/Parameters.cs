using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Issuance;

/// <summary>
/// Parameters, brought into one canonical form once: the same characters go to policy, provider, decision and receipt. A value is one of a list,
/// or matches a grammar as a whole; it can never be a pattern, a path segment that climbs, or more than one word.
/// </summary>
public static partial class Parameters
{
    /// <summary>The longest value, in characters.</summary>
    public const int LongestValue = 256;

    // Building such an automaton costs far more than running it; the parameters of a role live as long as the registry's snapshot.
    private static readonly ConditionalWeakTable<RoleParameter, Regex> Compiled = [];

    private const string DefaultPattern = "[A-Za-z0-9._-]+";

    /// <summary>Every declared parameter with its value, in the order of names; or every error.</summary>
    public static (SortedDictionary<string, string> Values, IReadOnlyList<ValidationError> Errors) Canonicalise(
        IReadOnlyList<RoleParameter> declared, IReadOnlyDictionary<string, string> given)
    {
        ArgumentNullException.ThrowIfNull(declared);
        ArgumentNullException.ThrowIfNull(given);
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var errors = new List<ValidationError>();
        foreach (var name in given.Keys.Where(name => declared.All(parameter => parameter.Name != name)))
            errors.Add(new ValidationError($"parameters[{Printable(name)}]", declared.Count == 0 ? "This role takes no parameters." : $"There is no such parameter. There are: {string.Join(", ", declared.Select(parameter => parameter.Name))}."));
        foreach (var parameter in declared)
        {
            var value = given.GetValueOrDefault(parameter.Name) ?? parameter.Default;
            if (value.Length == 0 && parameter.Required) errors.Add(new ValidationError($"parameters[{parameter.Name}]", "This parameter is required."));
            else if (value.Length > 0 && Refusal(parameter, value) is { } refusal) errors.Add(new ValidationError($"parameters[{parameter.Name}]", refusal));
            else values[parameter.Name] = value;
        }

        return (values, errors);
    }

    /// <summary>Every error of a role's declarations.</summary>
    public static IEnumerable<ValidationError> Check(IReadOnlyList<RoleParameter> declared, JsonElement template)
    {
        ArgumentNullException.ThrowIfNull(declared);
        for (var i = 0; i < declared.Count; i++)
        {
            var parameter = declared[i];
            if (!NamePattern().IsMatch(parameter.Name)) yield return new ValidationError($"parameters[{i}].name", "A name is a lower-case letter, then letters, digits and underscores, at most 63.");
            if (declared.Take(i).Any(other => other.Name == parameter.Name)) yield return new ValidationError($"parameters[{i}].name", "This name appears twice.");
            if (Compile(parameter.Pattern) is null) yield return new ValidationError($"parameters[{i}].pattern", "This is no regular expression without backtracking (no look-around, no back-references).");
            else if (parameter.Default.Length > 0 && Refusal(parameter, parameter.Default) is { } refusal) yield return new ValidationError($"parameters[{i}].default", refusal);
            foreach (var value in parameter.Values.Where(value => Unsafe(value))) yield return new ValidationError($"parameters[{i}].values", $"The value {Printable(value)} holds characters that no parameter may.");
        }

        foreach (var name in PlaceholdersOf(template).Where(name => declared.All(parameter => parameter.Name != name)))
            yield return new ValidationError("template", $"The template refers to {{{{{Printable(name)}}}}}, which is no parameter of the role.");
    }

    /// <summary>The template with its placeholders filled in.</summary>
    public static JsonElement Fill(JsonElement template, IReadOnlyDictionary<string, string> values)
    {
        var node = JsonNode.Parse(template.GetRawText());
        return JsonSerializer.SerializeToElement(Fill(node, values));
    }

    /// <summary>The parameters as one JSON text, names in order.</summary>
    public static string ToJson(SortedDictionary<string, string> values) => JsonSerializer.Serialize(values);

    private static JsonNode? Fill(JsonNode? node, IReadOnlyDictionary<string, string> values) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Fill(member.Value, values)))),
        JsonArray items => new JsonArray([.. items.Select(item => Fill(item, values))]),
        JsonValue value when value.GetValueKind() == JsonValueKind.String =>
            JsonValue.Create(Placeholder().Replace(value.GetValue<string>(), match => values.GetValueOrDefault(match.Groups[1].Value, ""))),
        _ => node?.DeepClone(),
    };

    private static IEnumerable<string> PlaceholdersOf(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(member => PlaceholdersOf(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(PlaceholdersOf),
        JsonValueKind.String => Placeholder().Matches(json.GetString()!).Select(match => match.Groups[1].Value),
        _ => [],
    };

    private static string? Refusal(RoleParameter parameter, string value)
    {
        if (value.Length > LongestValue) return $"A value has at most {LongestValue} characters.";
        if (Unsafe(value)) return "A value is visible ASCII without quotes, wildcards, braces, $ and shell signs, and has no . or .. as a segment.";
        if (parameter.Values.Count > 0) return parameter.Values.Contains(value) ? null : $"This must be one of {string.Join(", ", parameter.Values)}.";
        return Compiled.GetValue(parameter, static declared => Compile(declared.Pattern)!).IsMatch(value) ? null : $"This must match {(parameter.Pattern.Length == 0 ? DefaultPattern : parameter.Pattern)} as a whole.";
    }

    // What never gets through, whatever a pattern says: it could end a literal, climb a path or become a wildcard at a target. Visible ASCII only, so
    // that a value has one spelling and looks like what it is.
    private static bool Unsafe(string value) =>
        value.Any(character => character is < '!' or > '~' || "*?${}'\"`\\<>;|&".Contains(character, StringComparison.Ordinal))
        || value.Split('/').Any(segment => segment is "." or "..");

    private static Regex? Compile(string pattern)
    {
        try
        {
            return new Regex($@"\A(?:{(pattern.Length == 0 ? DefaultPattern : pattern)})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private static string Printable(string text) => new([.. text.Take(64).Select(character => char.IsAsciiLetterOrDigit(character) || "._-/".Contains(character, StringComparison.Ordinal) ? character : '?')]);

    [GeneratedRegex(@"\{\{([^{}]*)\}\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\A[a-z][a-zA-Z0-9_]{0,62}\z")]
    private static partial Regex NamePattern();
}
