using System.Text.Json;
using CredBroker.Core.Issuance;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Tests.Issuance;

public sealed class ParametersTests
{
    private static readonly RoleParameter Team = new() { Name = "team", Required = true };

    [TestCase("'; DROP ROLE postgres; --")]
    [TestCase("a\nb")]
    [TestCase("a\0b")]
    [TestCase("..")]
    [TestCase("a/../b")]
    [TestCase("*")]
    [TestCase("a?")]
    [TestCase("${aws:username}")]
    [TestCase("{{other}}")]
    [TestCase("\u202Eevil")]
    [TestCase("\u001b[31m")]
    [TestCase("a b")]
    [TestCase("e\u0301")]
    [TestCase("\ud800")]
    public void Refuses_hostile_values_whatever_the_pattern_says(string value)
    {
        foreach (var pattern in (string[])["", ".*", "(?s).*"])
        {
            var (_, errors) = Parameters.Canonicalise([Team with { Pattern = pattern }], new Dictionary<string, string> { ["team"] = value });
            Assert.That(errors, Is.Not.Empty, $"{value} with {pattern}");
        }
    }

    [Test]
    public void Refuses_a_value_of_ten_megabytes()
    {
        var (_, errors) = Parameters.Canonicalise([Team], new Dictionary<string, string> { ["team"] = new('a', 10 * 1024 * 1024) });
        Assert.That(errors, Has.Count.EqualTo(1));
        Assert.That(errors[0].Message, Has.Length.LessThan(200));
    }

    [Test]
    public void Anchors_the_whole_of_an_alternative()
    {
        var (_, errors) = Parameters.Canonicalise([Team with { Pattern = "red|blue" }], new Dictionary<string, string> { ["team"] = "redder" });
        Assert.That(errors, Is.Not.Empty);
    }

    [Test]
    public void Names_every_error_at_once()
    {
        var (_, errors) = Parameters.Canonicalise([Team, Team with { Name = "env", Values = ["test"] }], new Dictionary<string, string> { ["env"] = "prod", ["tema"] = "x" });
        Assert.That(errors.Select(error => error.Path), Is.EquivalentTo((string[])["parameters[tema]", "parameters[team]", "parameters[env]"]));
    }

    [Test]
    public void Refuses_patterns_that_backtrack()
    {
        Assert.That(Parameters.Check([Team with { Pattern = @"(a)\1" }], JsonSerializer.SerializeToElement(new { })), Is.Not.Empty);
    }

    [Test]
    public void Refuses_a_template_that_refers_to_what_is_not_declared()
    {
        Assert.That(Parameters.Check([Team], JsonSerializer.SerializeToElement(new { groups = new[] { "{{tema}}_ro" } })), Is.Not.Empty);
    }

    [Test]
    public void Fills_a_template_without_touching_what_is_no_placeholder()
    {
        var filled = Parameters.Fill(JsonSerializer.SerializeToElement(new { groups = new[] { "{{team}}_ro", "all" }, limit = 3 }), new Dictionary<string, string> { ["team"] = "blue" });
        Assert.That(filled.GetRawText(), Is.EqualTo("""{"groups":["blue_ro","all"],"limit":3}"""));
    }
}
