using System.Text.Json;
using System.Text.RegularExpressions;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>The policies that people copy are those that the tests run with.</summary>
public sealed class DocumentationTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Docs", "aws-sts.md"));

    [Test]
    public void Its_policies_are_those_that_the_tests_run_with()
    {
        var blocks = Regex.Matches(Page, "```json\n(.*?)```", RegexOptions.Singleline).Select(match => JsonElement.Parse(match.Groups[1].Value)).ToList();
        string[] expected =
        [
            SetUpTexts.BrokerTrust("123456789012", "broker.example/federation", "credbroker:<installation>:provider:<uid>", "<installation>:provider:<uid>"),
            SetUpTexts.BrokerPolicy("123456789012"),
            SetUpTexts.Trust("arn:aws:iam::123456789012:role/credbroker", "<installation>"),
        ];
        Assert.That(blocks, Has.Count.EqualTo(expected.Length));
        for (var i = 0; i < expected.Length; i++) Assert.That(JsonElement.DeepEquals(blocks[i], JsonElement.Parse(expected[i])), expected[i]);
    }

    [Test]
    public void Its_figures_are_those_of_the_code() =>
        Assert.That(Page, Does.Contain($"room is for {Sessions.DenyDocument.CapacityBeside(0)} names").And.Contain(Login.AmbientSettings.AllowVariable).And.Contain(Names.DenyPolicy));
}
