namespace CredBroker.Cedar.Tests.Policies;

internal sealed class PolicyParserTests
{
    [Test]
    public void Reads_annotations_scope_and_conditions_with_their_places()
    {
        const string Text = """
            // a comment
            @id("first") @max_ttl("10m")
            permit(principal is User in Team::"core", action in [Action::"read", Action::"list"], resource == Doc::"d",)
            when { context.n > 1 }
            unless { resource has secret };
            forbid(principal, action, resource);
            """;
        var set = PolicySet.Parse(Text, "a.cedar").OrThrow();
        var first = set.Policies[0];
        Assert.That(set.Policies.Select(p => p.Id), Is.EqualTo(new[] { "policy0", "policy1" }));
        Assert.That(first.Location.ToString(), Is.EqualTo("a.cedar:2:1"));
        Assert.That(first.FindAnnotation("max_ttl"), Is.EqualTo(new Annotation("max_ttl", "10m", new SourceLocation("a.cedar", 2, 14))));
        Assert.That(first.Conditions.Select(c => c.IsUnless), Is.EqualTo(new[] { false, true }));
        Assert.That(first.Conditions[0].Body.Location, Is.EqualTo(new SourceLocation("a.cedar", 4, 8)));
        Assert.That(first.Text, Does.StartWith("@id(").And.EndsWith("secret };"));
        Assert.That(set.Policies[1].Effect, Is.EqualTo(Effect.Forbid));
    }

    [Test]
    public void Reports_several_errors_of_one_text_and_gives_no_set()
    {
        const string Text = """
            permit(principal, action, resource) when { 1 + };
            permit(principal, action, resource);
            permit(principal, actions, resource);
            allow(principal, action, resource);
            """;
        var parsed = PolicySet.Parse(Text, "b.cedar");
        Assert.That(parsed.IsValid, Is.False);
        Assert.That(parsed.Errors.Select(e => e.ToString()), Is.EqualTo(new[]
        {
            "b.cedar:1:48: expected an expression, found '}'",
            "b.cedar:3:19: expected 'action', found 'actions'",
            "b.cedar:4:1: expected 'permit' or 'forbid', found 'allow'",
        }));
        Assert.That(() => parsed.OrThrow(), Throws.TypeOf<CedarSyntaxException>());
    }

    [Test]
    public void Keeps_templates_apart()
    {
        var set = PolicySet.Parse("permit(principal == ?principal, action, resource in ?resource); permit(principal, action, resource);").OrThrow();
        Assert.That(set.Templates.Single().IsTemplate, Is.True);
        Assert.That(set.Policies.Single().Id, Is.EqualTo("policy1"));
    }

    [Test]
    public void Combines_sets_of_different_prefixes_only()
    {
        var (a, b) = (PolicySet.Parse("permit(principal, action, resource);", idPrefix: "a").OrThrow(), PolicySet.Parse("permit(principal, action, resource);", idPrefix: "b").OrThrow());
        Assert.That(PolicySet.Combine(a, b).Policies.Select(p => p.Id), Is.EqualTo(new[] { "a0", "b0" }));
        Assert.That(() => PolicySet.Combine(a, a), Throws.ArgumentException);
    }

    [TestCase("permit(principal, action, resource)")]
    [TestCase("permit(action, principal, resource);")]
    [TestCase("permit(principal, action);")]
    [TestCase("@a @a permit(principal, action, resource);")]
    [TestCase("@a(1) permit(principal, action, resource);")]
    [TestCase("permit(principal == ?resource, action, resource);")]
    [TestCase("permit(principal == ?other, action, resource);")]
    [TestCase("permit(principal in [User::\"a\"], action, resource);")]
    [TestCase("permit(principal == User, action, resource);")]
    [TestCase("permit(principal, action == User::\"a\", resource);")]
    [TestCase("permit(principal, action is Action, resource);")]
    [TestCase("permit(principal, action, resource) when {};")]
    [TestCase("permit(principal, action, resource) if { true };")]
    [TestCase("permit(principal == in::\"a\", action, resource);")]
    public void Refuses_policies(string text) => Assert.That(PolicySet.Parse(text).Errors, Is.Not.Empty);

    [TestCase("principal == ?principal")]
    [TestCase("1 < 2 < 3")]
    [TestCase("1 == 2 == 3")]
    [TestCase("principal has a has b")]
    [TestCase("1 = 1")]
    [TestCase("!!!!!true")]
    [TestCase("-----1 == 1")]
    [TestCase("!-1")]
    [TestCase("4 / 2 == 2")]
    [TestCase("4 % 2 == 0")]
    [TestCase("9223372036854775808 == 1")]
    [TestCase("-9223372036854775809 == 1")]
    [TestCase("99999999999999999999999999999999999999999999 == 1")]
    [TestCase("foo")]
    [TestCase("foo(1)")]
    [TestCase("principal.foo()")]
    [TestCase("isIpv4(1)")]
    [TestCase("\"1.2.3.4\".ip()")]
    [TestCase("[1].contains(1, 2)")]
    [TestCase("[1].contains()")]
    [TestCase("[1].isEmpty(1)")]
    [TestCase("{a: 1, a: 2} == 1")]
    [TestCase("{if: 1} == 1")]
    [TestCase("principal.if")]
    [TestCase("principal[a]")]
    [TestCase("[,] == 1")]
    [TestCase("\"a\" like principal")]
    [TestCase("principal has 1")]
    [TestCase("principal is 1")]
    [TestCase("true &&")]
    [TestCase("(true")]
    [TestCase("\"unclosed")]
    [TestCase("\"\\q\" == 1")]
    [TestCase("\"\\x80\" == 1")]
    [TestCase("\"\\u{110000}\" == 1")]
    [TestCase("\"\\u{d800}\" == 1")]
    [TestCase("\"\\*\" == 1")]
    [TestCase("true # false")]
    [TestCase("1 + if true then 1 else 2 == 2")]
    public void Refuses_expressions(string expression) =>
        Assert.That(PolicySet.Parse($"permit(principal, action, resource) when {{ {expression} }};").Errors, Is.Not.Empty);

    [TestCase("\"\\n\\r\\t\\\\\\0\\'\\\"\\x41\\u{1F600}\" == \"\\u{a}\\u{0d}\\u{9}\\u{5c}\\u{0}'\\u{22}A\\u{1_f600}\"")]
    [TestCase("if true then true else if false then false else true")]
    [TestCase("{a: 1, b: 2,} == {b: 2, a: 1} && [1, 2,] == [2, 1]")]
    [TestCase("true // comment }\n && true")]
    public void Accepts_expressions(string expression) =>
        Assert.That(CredBroker.Cedar.Tests.Expressions.Evaluate.Condition(expression), Is.True);
}
