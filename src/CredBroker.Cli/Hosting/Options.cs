using System.CommandLine;
using System.CommandLine.Parsing;
using CredBroker.Manifests;

namespace CredBroker.Cli.Hosting;

/// <summary>Makes options and arguments, and reads their values.</summary>
internal static class Options
{
    public static Option<string?> Text(string name, string description, string helpName = "text", bool required = false) =>
        new(name) { Description = description, HelpName = helpName, Required = required };

    public static Option<TimeSpan?> Duration(string name, string description) =>
        new(name) { Description = description, HelpName = "duration", CustomParser = result => ParseDuration(result) };

    public static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    public static Option<string[]> Pairs(string name, string description) =>
        new(name) { Description = description, HelpName = "key=value", Validators = { result => CheckPairs(result, name) } };

    public static Option<string[]> Many(string name, string description, string helpName) => new(name) { Description = description, HelpName = helpName };

    public static Option<int> Limit() => new("--limit")
    {
        Description = "Most to list.",
        HelpName = "number",
        DefaultValueFactory = _ => 500,
        Validators = { result => { if (result.GetValueOrDefault<int>() is < 1 or > 1_000_000) result.AddError("--limit is 1 to 1000000."); } },
    };

    public static Option<string?> Filter(string example) => new("--filter") { Description = $"Which to list, such as {example}.", HelpName = "filter" };

    public static Argument<string> Name(string description, string name = "name") => new(name) { Description = description };

    /// <summary>A name that is whole, or the last part of one.</summary>
    public static string Full(string collection, string name) => name.Contains('/', StringComparison.Ordinal) ? name : $"{collection}/{name}";

    public static Dictionary<string, string> ToPairs(string[]? given)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in (given ?? []).Select(Split))
        {
            if (!pairs.TryAdd(key, value)) throw new CliException(ExitCodes.Usage, $"'{key}' is given twice.");
        }

        return pairs;
    }

    /// <summary>A text in a filter of the contract, in quotes.</summary>
    public static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    public static TimeSpan ParseDuration(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (DurationText.TryParse(text, out var value) && value > TimeSpan.Zero) return value;
        result.AddError($"'{text}' is no duration such as 90s, 15m or 1h30m.");
        return default;
    }

    private static (string Key, string Value) Split(string pair)
    {
        var at = pair.IndexOf('=', StringComparison.Ordinal);
        return (pair[..at], pair[(at + 1)..]);
    }

    private static void CheckPairs(OptionResult result, string name)
    {
        foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1)) result.AddError($"{name} takes key=value, not '{token.Value}'.");
    }
}
