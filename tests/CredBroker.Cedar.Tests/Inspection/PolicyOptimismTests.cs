namespace CredBroker.Cedar.Tests.Inspection;

internal sealed class PolicyOptimismTests
{
    [TestCase("context.params == 1", "")]
    [TestCase("context.a && context.params == 1 && context.b", "when { context.a } when { context.b }")]
    [TestCase("context.a || context.params == 1", "")]
    [TestCase("!(context.a || context.params == 1)", "unless { context.a }")]
    [TestCase("!(context.a && context.params == 1)", "")]
    [TestCase("!!(context.a && context.params == 1)", "when { context.a }")]
    [TestCase("if context.params == 1 then context.a else context.b", "")]
    [TestCase("context == {}", "")]
    public void A_permit_loses_what_depends_on_the_unknown(string condition, string left)
    {
        var set = PolicyOptimism.Without(PolicySet.Parse($"@id(\"x\") permit(principal, action, resource) when {{ {condition} }};").OrThrow(), "context.params");
        var expected = PolicySet.Parse($"@id(\"x\") permit(principal, action, resource) {left};").OrThrow();
        Assert.That(set.Policies.Select(policy => policy.ToString()), Is.EqualTo(expected.Policies.Select(policy => policy.ToString())));
    }

    [TestCase("when { context.a } unless { context.b || context.params == 1 }", "when { context.a } unless { context.b }")]
    [TestCase("unless { context.b && context.params == 1 }", "")]
    public void A_permit_loses_what_unless_says_of_it(string conditions, string left)
    {
        var set = PolicyOptimism.Without(PolicySet.Parse($"permit(principal, action, resource) {conditions};").OrThrow(), "context.params");
        Assert.That(set.Policies.Single().ToString(), Is.EqualTo(PolicySet.Parse($"permit(principal, action, resource) {left};").OrThrow().Policies[0].ToString()));
    }

    [Test]
    public void A_forbid_that_depends_on_the_unknown_is_left_out_and_all_else_stays()
    {
        var set = PolicySet.Parse("""
            forbid(principal, action, resource) when { context.params == 1 && context.a };
            forbid(principal, action, resource) when { context.a };
            permit(principal, action, resource) when { context.b };
            """).OrThrow();
        var optimistic = PolicyOptimism.Without(set, "context.params", "resource.canMint");
        Assert.That(optimistic.Policies, Is.EqualTo(new[] { set.Policies[1], set.Policies[2] }));
    }

    [Test]
    public void Whatever_is_permitted_for_some_value_is_permitted_for_the_unknown_one()
    {
        string[] conditions = ["context.p == 1", "context.a", "!context.a", "context.p == 2 && context.a", "context.p == 1 || context.a", "!(context.p == 1)", "!(context.p == 1 || context.a)", "if context.p == 1 then context.a else !context.a"];
        foreach (var permit in conditions)
        {
            foreach (var forbid in conditions)
            {
                foreach (var word in new[] { "when", "unless" })
                {
                    var set = PolicySet.Parse($"permit(principal, action, resource) {word} {{ {permit} }}; forbid(principal, action, resource) {word} {{ {forbid} }};").OrThrow();
                    var optimistic = PolicyOptimism.Without(set, "context.p");
                    foreach (var a in new[] { true, false })
                    {
                        var some = new long[] { 0, 1, 2 }.Any(value => Allows(set, a, value));
                        if (some) Assert.That(new long[] { 0, 1, 2 }.All(value => Allows(optimistic, a, value)), Is.True, $"{word}: {permit} / {forbid} with {a}");
                    }
                }
            }
        }
    }

    private static bool Allows(PolicySet set, bool a, long p) => new Authorizer(set).IsAuthorized(
        new Request(new EntityUid("U", "u"), new EntityUid("Action", "x"), new EntityUid("R", "r"), CedarRecord.Of(("a", a), ("p", p))), EntityStore.Create([])).Decision == Decision.Allow;
}
