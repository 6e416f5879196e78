using System.Text.RegularExpressions;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>Policies as the server evaluates them: deny by default, the most specific path wins.</summary>
internal sealed partial class Policies
{
    private const string DefaultText = """
        path "auth/token/lookup-self" { capabilities = ["read"] }
        path "auth/token/renew-self" { capabilities = ["update"] }
        path "auth/token/revoke-self" { capabilities = ["update"] }
        path "sys/capabilities-self" { capabilities = ["update"] }
        path "sys/leases/lookup" { capabilities = ["update"] }
        path "sys/leases/renew" { capabilities = ["update"] }
        path "sys/wrapping/wrap" { capabilities = ["update"] }
        path "sys/wrapping/lookup" { capabilities = ["update"] }
        path "sys/wrapping/unwrap" { capabilities = ["update"] }
        """;

    private readonly Dictionary<string, IReadOnlyList<Rule>> _policies = new(StringComparer.Ordinal) { ["default"] = Parse(DefaultText) };

    public bool Exists(string name) => name == "root" || _policies.ContainsKey(name);

    public void Write(string name, string text) => _policies[name] = Parse(text);

    /// <summary>What these policies allow on a path: sorted, <c>deny</c> for nothing.</summary>
    public IReadOnlyList<string> Capabilities(IEnumerable<string> policies, string path)
    {
        var names = policies.ToList();
        if (names.Contains("root")) return ["root"];
        var rules = names.Where(_policies.ContainsKey).SelectMany(name => _policies[name]).Where(rule => rule.Matches(path)).ToList();
        if (rules.Count == 0) return ["deny"];
        var best = rules.Max(rule => rule.Weight);
        string[] granted = [.. rules.Where(rule => rule.Weight == best).SelectMany(rule => rule.Capabilities).Distinct().Order(StringComparer.Ordinal)];
        return granted.Contains("deny") ? ["deny"] : granted;
    }

    public bool HasAnyUnder(IEnumerable<string> policies, string prefix) =>
        policies.Any(name => name == "root" || (_policies.TryGetValue(name, out var rules) && rules.Any(rule => rule.Path.StartsWith(prefix, StringComparison.Ordinal))));

    private static IReadOnlyList<Rule> Parse(string text) =>
        [.. PathPattern().Matches(text).Select(match => new Rule(match.Groups["path"].Value, [.. WordPattern().Matches(match.Groups["list"].Value).Select(word => word.Groups[1].Value)]))];

    private sealed record Rule(string Path, IReadOnlyList<string> Capabilities)
    {
        private readonly Regex _pattern = new(
            $@"\A{Regex.Escape(Path.TrimEnd('*')).Replace(@"\+", "[^/]+", StringComparison.Ordinal)}{(Path.EndsWith('*') ? ".*" : "")}\z", RegexOptions.CultureInvariant);

        public (int Exact, int Literal) Weight { get; } =
            (Path.IndexOfAny(['*', '+']) < 0 ? 1 : 0, Path.IndexOfAny(['*', '+']) is >= 0 and var wild ? wild : Path.Length);

        public bool Matches(string path) => _pattern.IsMatch(path) || _pattern.IsMatch(path.TrimEnd('/'));
    }

    [GeneratedRegex("""path\s+"(?<path>[^"]*)"\s*\{\s*capabilities\s*=\s*\[(?<list>[^\]]*)\]\s*\}""")]
    private static partial Regex PathPattern();

    [GeneratedRegex("\"([a-z]+)\"")]
    private static partial Regex WordPattern();
}
