using System.Text;
using System.Text.RegularExpressions;

namespace CredBroker.Core.Tests.Documentation;

/// <summary>The broker's schema as a page: its declarations in their order, with the comments that stand above them.</summary>
internal static partial class SchemaDocument
{
    public static string Render(string schema)
    {
        var page = new StringBuilder("# What policies can speak of\n\nGenerated from [`broker.cedarschema`](../../src/CredBroker.Contracts/Policy/broker.cedarschema): ")
            .Append("`CREDBROKER_UPDATE_DOCS=1 dotnet test tests/CredBroker.Core.Tests --filter SchemaDocument` writes it anew.\n");
        foreach (Match block in Blocks().Matches(schema))
        {
            var (comment, declaration) = (Comment(block.Groups["comment"].Value), block.Groups["declaration"].Value);
            if (block.Groups["section"].Success) page.Append($"\n## {block.Groups["section"].Value}\n");
            if (declaration.Length > 0) Declare(page, comment, declaration);
            else if (comment.Length > 0) page.Append($"\n{comment}\n");
        }

        return Regex.Replace(page.ToString(), "\n{3,}", "\n\n").TrimEnd() + "\n";
    }

    private static void Declare(StringBuilder page, string comment, string text)
    {
        var head = Head().Match(text);
        Assert.That(head.Success, text);
        var (kind, names) = (head.Groups["kind"].Value, head.Groups["names"].Value);
        page.Append($"\n### `{names}`\n\n");
        if (comment.Length > 0) page.Append($"{comment}\n\n");
        string[] facts = kind switch
        {
            "action" => [Fact("group", List(head, "in")), Fact("principal", Of(text, "principal")), Fact("resource", Of(text, "resource")), Fact("context", Of(text, "context"))],
            "entity" => [Fact("in", List(head, "in")), Fact("tags", Tags().Match(text).Groups[1].Value)],
            _ => [],
        };
        foreach (var fact in facts.Where(fact => fact.Length > 0)) page.Append($"- {fact}\n");
        if (kind == "action" || !text.Contains('{', StringComparison.Ordinal)) return;
        if (facts.Any(fact => fact.Length > 0)) page.Append('\n');
        page.Append("| attribute | type | |\n|---|---|---|\n");
        foreach (Match attribute in Attributes().Matches(text))
            page.Append($"| `{attribute.Groups[1].Value}` | `{attribute.Groups[3].Value}` | {(attribute.Groups[2].Length > 0 ? "may be absent: ask `has` first" : "")} |\n");
    }

    private static string Fact(string name, string value) => value.Length == 0 ? "" : $"{name}: {string.Join(", ", value.Split(',').Select(part => $"`{part.Trim()}`"))}";

    private static string List(Match head, string group) => head.Groups[group].Value.Trim('[', ']', ' ');

    private static string Of(string text, string part) => Regex.Match(text, $@"\b{part}: \[?([^\]\n]*?)\]?,\n").Groups[1].Value;

    private static string Comment(string lines) => string.Join('\n', lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimStart('/').Trim())).Trim();

    [GeneratedRegex(@"(?:// ---- (?<section>[^\n]+)\n\n?)?(?<comment>(?://(?! ----)[^\n]*\n)*)(?<declaration>(?:entity|type|action)\b[^;]*?(?:\{[^}]*\})?[^;{}]*;)?\n*", RegexOptions.ExplicitCapture)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"\A(?<kind>entity|type|action) (?<names>\w+(?:, \w+)*)(?: in (?<in>\[[^\]]*\]))?", RegexOptions.ExplicitCapture)]
    private static partial Regex Head();

    [GeneratedRegex(@"^  (\w+)(\?)?: ([^,\n]+),$", RegexOptions.Multiline)]
    private static partial Regex Attributes();

    [GeneratedRegex(@"tags (\w+);")]
    private static partial Regex Tags();
}
