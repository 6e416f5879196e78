namespace CredBroker.Cedar.Tests.Inspection;

internal sealed class PolicyNamesTests
{
    [TestCase("permit(principal == User::\"ci/a\", action, resource in Db::\"orders\");", "Db::\"orders\" User::\"ci/a\"", "")]
    [TestCase("permit(principal is User in Team::\"t\", action, resource);", "Team::\"t\"", "")]
    [TestCase("permit(principal, action, resource) when { principal in [User::\"a\", User::\"b\"] };", "User::\"a\" User::\"b\"", "")]
    [TestCase("permit(principal, action, resource) when { principal is User in Team::\"t\" };", "Team::\"t\"", "")]
    [TestCase("forbid(principal, action, resource) unless { !(if context.x then principal.hasTag(\"ci/ref\") else {a: \"b\"}.a == \"c\") };", "", "b c ci/ref")]
    [TestCase("permit(principal, action, resource) when { ip(\"10.0.0.1\").isLoopback() && context.y like \"a*\" };", "", "10.0.0.1 a*")]
    [TestCase("permit(principal, action in [Action::\"view\"], resource);", "", "")]
    public void Finds_every_entity_and_text(string text, string entities, string texts)
    {
        var names = PolicyNames.Of(PolicySet.Parse(text).OrThrow().Policies[0]);
        Assert.That(string.Join(' ', names.Entities.Select(entity => entity.ToString()).Order(StringComparer.Ordinal)), Is.EqualTo(entities));
        Assert.That(string.Join(' ', names.Texts.Concat(names.Patterns.Select(pattern => string.Join('*', pattern.Pieces))).Order(StringComparer.Ordinal)), Is.EqualTo(texts));
    }
}
