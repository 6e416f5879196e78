using System.Text.RegularExpressions;
using CredBroker.Cli.Tests.Fakes;

namespace CredBroker.Cli.Tests.Policies;

/// <summary>The ten-minute guide, done as it says.</summary>
public sealed partial class GuideTests
{
    [Test]
    public async Task The_guide_gives_what_it_shows()
    {
        using var cli = new CliRun();
        var guide = await File.ReadAllTextAsync(Path.Combine(Root(), "docs", "policy", "README.md"));
        string[] Of(string language) => [.. Blocks().Matches(guide).Where(block => block.Groups[1].Value == language).Select(block => block.Groups[2].Value)];
        var cedar = Of("cedar").Single();
        var (manifest, table) = (Of("yaml")[0], Of("yaml")[1]);
        var file = cli.Write("orders/orders.cedar", cedar);
        cli.Write("orders/policy-set.yaml", manifest);
        cli.Write("orders/orders.test.yaml", table);

        var done = 0;
        foreach (var console in Of("console").Where(block => !block.StartsWith("$ credbroker apply", StringComparison.Ordinal) && !block.StartsWith("$ credbroker policy replay", StringComparison.Ordinal)))
        {
            var (command, shown) = (console[..console.IndexOf('\n', StringComparison.Ordinal)], console[(console.IndexOf('\n', StringComparison.Ordinal) + 1)..]);
            Assert.That(await SaidAsync(cli, command), Is.EqualTo(shown), command);
            done++;
        }

        Assert.That(done, Is.EqualTo(3));
        await File.WriteAllTextAsync(file, cedar.Replace("\"issue\",\n  resource ==", "\"isue\",\n  resource ==", StringComparison.Ordinal));
        Assert.That(await SaidAsync(cli, "$ credbroker policy check orders"), Does.StartWith(Of("text").Single()));
    }

    private static async Task<string> SaidAsync(CliRun cli, string command)
    {
        var args = Words().Matches(command).Skip(2).Select(word => word.Value.Trim('"')).Select(word => word.StartsWith("orders", StringComparison.Ordinal) ? Path.Combine(cli.Home, word) : word);
        var result = await cli.RunAsync([.. args]);
        return (result.Out + result.Error).Replace(cli.Home + "/", "", StringComparison.Ordinal);
    }

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));

    [GeneratedRegex(@"^```(\w+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex("\"[^\"]*\"|[^ ]+")]
    private static partial Regex Words();
}
