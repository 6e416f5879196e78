namespace CredBroker.Cedar.Tests.Policies;

internal sealed class StepLimitTests
{
    private static readonly EntityUid Uid = new("A", "");

    [TestCase("context.a == context.b", TestName = "Comparing_large_values")]
    [TestCase("context.a.contains(context.b)", TestName = "Looking_for_a_large_value")]
    [TestCase("context.a.containsAll(context.b)", TestName = "Comparing_all")]
    [TestCase("!context.a.containsAny(context.c)", TestName = "Comparing_any")]
    [TestCase("!(context.text like \"*aaaaaaab*aaaaaaab*\")", TestName = "Matching_a_long_text")]
    public void Is_paid_for_by_its_size(string condition)
    {
        var set = PolicySet.Parse($"permit(principal, action, resource) when {{ {string.Join(" || ", Enumerable.Repeat($"!({condition})", 2_000))} || true }};").OrThrow();
        CedarSet Numbers(int from) => new(Enumerable.Range(from, 20_000).Select(n => (CedarValue)(long)n));
        var request = new Request(Uid, Uid, Uid, CedarRecord.Of(
            ("a", Numbers(0)), ("b", Numbers(0)), ("c", Numbers(50_000)), ("text", new string('a', 500_000))));
        var response = new Authorizer(set).IsAuthorized(request, EntityStore.Empty);
        if (condition.Contains(".contains(", StringComparison.Ordinal))
        {
            Assert.That(response.Decision, Is.EqualTo(Decision.Allow), "the first operand decides");
            return;
        }
        Assert.That(response.Decision, Is.EqualTo(Decision.Deny));
        Assert.That(response.Errors.Single().Message, Does.Contain("steps"));
    }

    [Test]
    public void Denies_even_when_a_permit_came_before()
    {
        var set = PolicySet.Parse("permit(principal, action, resource); forbid(principal, action, resource) when { 1 + 1 + 1 + 1 + 1 == 6 };").OrThrow();
        var request = new Request(Uid, Uid, Uid, CedarRecord.Empty);
        Assert.That(new Authorizer(set).IsAuthorized(request, EntityStore.Empty).Decision, Is.EqualTo(Decision.Allow));
        var response = new Authorizer(set, maxSteps: 5).IsAuthorized(request, EntityStore.Empty);
        Assert.That((response.Decision, response.Determining.IsEmpty, response.Errors.Single().Policy.Id), Is.EqualTo((Decision.Deny, true, "policy1")));
    }

    [Test]
    public void Sets_that_nest_in_pairs_do_not_collide()
    {
        // With hashes that cancel out, each of these would hash like the plain one, and comparing them would take minutes.
        CedarValue Wrapped(int i, bool twice) => twice ? new CedarSet([new CedarSet([(long)i])]) : (long)i;
        var values = Enumerable.Range(0, 1 << 13).Select(mask => (CedarValue)new CedarSet(Enumerable.Range(0, 13).Select(i => Wrapped(i, (mask >> i & 1) == 1)))).ToList();
        Assert.That(values.Select(v => v.GetHashCode()).Distinct().Count(), Is.GreaterThan(8_000));
    }
}
