using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Json;

internal sealed class PolicyJsonTests
{
    // What the official implementation writes for the text.
    private static IEnumerable<TestCaseData> Official()
    {
        yield return new TestCaseData("""permit(principal == A::"x", action == Action::"a", resource in X::"y");""",
            """{"effect":"permit","principal":{"op":"==","entity":{"type":"A","id":"x"}},"action":{"op":"==","entity":{"type":"Action","id":"a"}},"resource":{"op":"in","entity":{"type":"X","id":"y"}},"conditions":[]}""");
        yield return new TestCaseData("""permit(principal is A, action in Action::"a", resource) when { 1 > 2 && (2 >= 3 || a::b::"x" in principal.x["y z"])};""",
            """{"effect":"permit","principal":{"op":"is","entity_type":"A"},"action":{"op":"in","entity":{"type":"Action","id":"a"}},"resource":{"op":"All"},"conditions":[{"kind":"when","body":{"&&":{"left":{">":{"left":{"Value":1},"right":{"Value":2}}},"right":{"||":{"left":{">=":{"left":{"Value":2},"right":{"Value":3}}},"right":{"in":{"left":{"Value":{"__entity":{"type":"a::b","id":"x"}}},"right":{".":{"left":{".":{"left":{"Var":"principal"},"attr":"x"}},"attr":"y z"}}}}}}}}}]}""");
        yield return new TestCaseData("permit(principal is A in ?principal, action, resource == ?resource);",
            """{"effect":"permit","principal":{"op":"is","entity_type":"A","in":{"slot":"?principal"}},"action":{"op":"All"},"resource":{"op":"==","slot":"?resource"},"conditions":[]}""");
        yield return new TestCaseData("""permit(principal, action, resource) when { ip("a","b").isInRange() };""",
            """{"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},"resource":{"op":"All"},"conditions":[{"kind":"when","body":{"isInRange":[{"ip":[{"Value":"a"},{"Value":"b"}]}]}}]}""");
        yield return new TestCaseData("permit(principal, action, resource) when { true && true && true && (true && true) };",
            """{"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},"resource":{"op":"All"},"conditions":[{"kind":"when","body":{"&&":{"left":{"&&":{"left":{"&&":{"left":{"Value":true},"right":{"Value":true}}},"right":{"Value":true}}},"right":{"&&":{"left":{"Value":true},"right":{"Value":true}}}}}}]}""");
        yield return new TestCaseData("""permit(principal, action, resource) when { decimal("1.0") == context["a"] && -(1) == - -1 && !(!true) };""",
            """{"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},"resource":{"op":"All"},"conditions":[{"kind":"when","body":{"&&":{"left":{"&&":{"left":{"==":{"left":{"decimal":[{"Value":"1.0"}]},"right":{".":{"left":{"Var":"context"},"attr":"a"}}}},"right":{"==":{"left":{"neg":{"arg":{"Value":1}}},"right":{"neg":{"arg":{"Value":-1}}}}}}},"right":{"!":{"arg":{"!":{"arg":{"Value":true}}}}}}}}]}""");
    }

    [TestCaseSource(nameof(Official))]
    public void Writes_what_the_official_implementation_writes(string text, string json)
    {
        var set = PolicySet.Parse(text).OrThrow();
        var policy = set.Policies.Concat(set.Templates).Single();
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(CedarJson.Write(policy)), JsonNode.Parse(json)), CedarJson.Write(policy));
        Assert.That(CedarJson.ParsePolicy(json).OrThrow().ToString(), Is.EqualTo(policy.ToString()));
    }

    [TestCase("""@id("a") @b permit(principal is A in B::"x", action in [Action::"a", N::Action::"b"], resource) when { principal has "x y" };""")]
    [TestCase("""forbid(principal, action, resource) when { context.a like "a*b\*" } unless { principal is A in X::"y" || [].isEmpty() || {a: 1, "b c": [X::"y"]} == context };""")]
    [TestCase("""permit(principal, action, resource) when { principal.getTag("a") == (if true then 9223372036854775807 else -9223372036854775808) };""")]
    [TestCase("""permit(principal, action, resource) when { datetime("2026-01-01").offset(duration("1d")).toDate() < context.now && [1, 2].containsAll([1]) };""")]
    public void Reads_back_what_it_wrote(string text)
    {
        var policy = PolicySet.Parse(text).OrThrow().Policies.Single();
        var again = CedarJson.ParsePolicy(CedarJson.Write(policy)).OrThrow();
        Assert.That(again.ToString(), Is.EqualTo(policy.ToString()));
        Assert.That(CedarJson.Write(again), Is.EqualTo(CedarJson.Write(policy)));
    }

    [Test]
    public void Long_chains_stay_shallow()
    {
        var policy = PolicySet.Parse($"permit(principal, action, resource) when {{ {string.Join(" && ", Enumerable.Repeat("true", 20_000))} }};").OrThrow().Policies.Single();
        var again = CedarJson.ParsePolicy(CedarJson.Write(policy)).OrThrow();
        var uid = new EntityUid("A", "");
        Assert.That(new Authorizer(new PolicySet([again])).IsAuthorized(new Request(uid, uid, uid, CedarRecord.Empty), EntityStore.Empty).IsCleanAllow, Is.True);
    }

    [Test]
    public void A_path_is_written_out_as_older_readers_want_it()
    {
        var policy = PolicySet.Parse("permit(principal, action, resource) when { principal has a.b };").OrThrow().Policies[0];
        var again = CedarJson.ParsePolicy(CedarJson.Write(policy)).OrThrow();
        Assert.That(again.Conditions[0].Body.ToString(), Is.EqualTo("((principal has a) && (principal.a has b))"));
    }

    [Test]
    public void A_path_of_names_that_are_no_identifiers_is_written_out()
    {
        var policy = Condition("""{"has": {"left": {"Var": "context"}, "attr": ["a b", "c"]}}""").OrThrow();
        Assert.That(policy.Conditions[0].Body.ToString(), Is.EqualTo("""((context has "a b") && (context["a b"] has c))"""));
    }

    [TestCase("""{"Value": null}""", "null")]
    [TestCase("""{"Value": 1.0}""", "whole number")]
    [TestCase("""{"Value": 9223372036854775808}""", "whole number")]
    [TestCase("""{"Value": {"__entity": {"type": "in", "id": ""}}}""", "no entity type name")]
    [TestCase("""{"Value": {"__extn": {"fn": "ip", "arg": "1", "x": 1}}}""", "unknown here")]
    [TestCase("""{"Var": "me"}""", "no variable")]
    [TestCase("""{"Slot": "?principal"}""", "slots")]
    [TestCase("""{"nope": []}""", "no operator")]
    [TestCase("""{"isIpv4": []}""", "method")]
    [TestCase("""{"==": {"left": {"Value": 1}}}""", "'right' is missing")]
    [TestCase("""{"==": {"left": {"Value": 1}, "right": {"Value": 1}, "more": 1}}""", "unknown here")]
    [TestCase("""{"Value": 1, "Var": "context"}""", "exactly one member")]
    [TestCase("""{"has": {"left": {"Var": "context"}, "attr": []}}""", "at least one")]
    [TestCase("""{"like": {"left": {"Var": "context"}, "pattern": ["Star"]}}""", "Object")]
    [TestCase("""{"Record": {"a": {"Value": 1}, "a": {"Value": 2}}}""", "JSON")]
    public void Refuses(string body, string why)
    {
        var parsed = Condition(body);
        Assert.That(parsed.Errors.Single().Message, Does.Contain(why));
    }

    [TestCase("""{"op": "==", "slot": "?resource"}""", "?principal")]
    [TestCase("""{"op": "==", "slot": "?principal", "entity": {"type": "A", "id": ""}}""", "either")]
    [TestCase("""{"op": "like"}""", "All")]
    public void Refuses_a_scope(string scope, string why)
    {
        var json = """{"effect":"permit","principal":SCOPE,"action":{"op":"All"},"resource":{"op":"All"},"conditions":[]}""".Replace("SCOPE", scope, StringComparison.Ordinal);
        Assert.That(CedarJson.ParsePolicy(json).Errors.Single().Message, Does.Contain(why));
    }

    [Test]
    public void Nested_beyond_the_limit_is_refused()
    {
        var json = string.Concat(Enumerable.Repeat("""{"!":{"arg":""", 300)) + """{"Value":true}""" + new string('}', 600);
        Assert.That(Condition(json).Errors.Single().Message, Does.Contain("deep"));
    }

    private static Parsed<Policy> Condition(string body) => CedarJson.ParsePolicy(
        $$"""{"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},"resource":{"op":"All"},"conditions":[{"kind":"when","body":{{body}}}]}""");
}
