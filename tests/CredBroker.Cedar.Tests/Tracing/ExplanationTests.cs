using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Tests.Conformance;
using CredBroker.Cedar.Tests.Differential;

namespace CredBroker.Cedar.Tests.Tracing;

internal sealed class ExplanationTests
{
    private static readonly EntityUid Alice = new("User", "alice");
    private static readonly EntityUid Plan = new("Doc", "plan");
    private static readonly Request Asked = new(Alice, new EntityUid("Action", "read"), Plan, CedarRecord.Of(("hour", 20)));

    [TestCaseSource(typeof(Corpus), nameof(Corpus.Available))]
    public void Explains_every_request_of_the_corpus_as_it_is_decided(object corpus)
    {
        var (requests, nodes) = (0, 0);
        foreach (var item in ((Corpus)corpus).Read())
        {
            var authorizer = new Authorizer(item.Policies);
            foreach (var asked in item.Requests)
            {
                requests++;
                nodes += Check(authorizer, asked.Request, item.Entities);
            }
        }
        TestContext.Out.WriteLine($"{requests} requests of {corpus}, {nodes} expressions");
        Assert.That(requests, Is.EqualTo(((Corpus)corpus).Requests));
    }

    [Test]
    public void Explains_generated_requests_as_they_are_decided()
    {
        var (outcomes, nodes) = (new HashSet<PolicyOutcome>(), 0);
        for (var seed = 0; seed < 1500; seed++)
        {
            var world = new GeneratedWorld(GeneratedWorld.RandomBytes(seed), requests: 15);
            if (PolicySet.Parse(world.Policies) is not { IsValid: true, Value: var policies } || CedarJson.ParseEntities(world.Entities) is not { IsValid: true, Value: var entities })
                continue;
            var authorizer = new Authorizer(policies);
            foreach (var asked in world.Requests)
            {
                if (CedarJson.ParseContext(asked.Context) is not { IsValid: true, Value: var context })
                    continue;
                var request = new Request(Uid(asked.Principal), Uid(asked.Action), Uid(asked.Resource), context);
                nodes += Check(authorizer, request, entities);
                outcomes.UnionWith(authorizer.Explain(request, entities).Policies.Select(p => p.Outcome));
            }
        }
        TestContext.Out.WriteLine($"{nodes} expressions");
        Assert.That(outcomes, Is.EquivalentTo(Enum.GetValues<PolicyOutcome>()), "every outcome was met");
        Assert.That(nodes, Is.GreaterThan(10_000));
    }

    [Test]
    public void Shows_what_was_looked_at_and_nothing_else()
    {
        var trace = Explain("permit (principal, action, resource) when { context.hour < 18 && resource.secret } unless { true };");
        Assert.That(trace.Outcome, Is.EqualTo(PolicyOutcome.ConditionFails));
        var and = trace.Conditions.Single().Body;
        Assert.That(and.Parts.Single().Expression.ToString(), Is.EqualTo("(context.hour < 18)"));
        Assert.That(and.Parts.Single().Parts.Select(p => p.Value?.ToString()), Is.EqualTo(new[] { "20", "18" }));
    }

    [Test]
    public void Shows_where_it_failed()
    {
        var trace = Explain("permit (principal, action, resource) when { true } when { context.hour > 9 && resource.secret };");
        Assert.That((trace.Outcome, trace.Conditions.Length), Is.EqualTo((PolicyOutcome.Errs, 2)));
        Assert.That(trace.Conditions[1].Holds, Is.Null);
        Assert.That(trace.Conditions[1].Body.Parts[0].Error, Is.Null);
        Assert.That(trace.Conditions[1].Error!.Location.Column, Is.EqualTo(trace.Conditions[1].Body.Parts[1].Expression.Location.Column));
    }

    [Test]
    public void A_body_that_is_no_Bool_fails_the_policy_and_still_shows_its_value()
    {
        var condition = Explain("permit (principal, action, resource) when { context.hour };").Conditions.Single();
        Assert.That((condition.Holds, condition.Body.Value?.ToString()), Is.EqualTo(((bool?)null, "20")));
        Assert.That(condition.Error!.Message, Does.Contain("Bool"));
    }

    [Test]
    public void Names_every_part_of_the_scope_that_differs()
    {
        var trace = Explain("permit (principal == User::\"bob\", action, resource is Team) when { true };");
        Assert.That((trace.Outcome, trace.Differing, trace.Conditions.Length), Is.EqualTo((PolicyOutcome.OutOfScope, ScopeParts.Principal | ScopeParts.Resource, 0)));
    }

    private static PolicyTrace Explain(string policy) => new Authorizer(PolicySet.Parse(policy).OrThrow()).Explain(Asked, EntityStore.Empty).Policies.Single();

    private static EntityUid Uid(string json)
    {
        var uid = System.Text.Json.JsonDocument.Parse(json).RootElement;
        return new EntityUid(uid.GetProperty("type").GetString()!, uid.GetProperty("id").GetString()!);
    }

    // The answer is put together from the explanation alone, and must be the one that deciding gives.
    private static int Check(Authorizer authorizer, Request request, EntityStore entities)
    {
        var response = authorizer.IsAuthorized(request, entities);
        var explained = authorizer.Explain(request, entities);
        var applying = explained.Policies.Where(p => p.Outcome == PolicyOutcome.Applies).Select(p => p.Policy).ToList();
        var forbids = applying.Where(p => p.Effect == Effect.Forbid).ToList();
        var errors = explained.Policies.Where(p => p.Outcome == PolicyOutcome.Errs).Select(p => (p.Policy.Id, p.Conditions[^1].Error!.Location, p.Conditions[^1].Error!.Message));
        Assert.That(forbids.Count == 0 && applying.Count > 0 ? Decision.Allow : Decision.Deny, Is.EqualTo(response.Decision));
        Assert.That((forbids.Count > 0 ? forbids : applying).Select(p => p.Id), Is.EqualTo(response.Determining.Select(p => p.Id)));
        Assert.That(errors, Is.EqualTo(response.Errors.Select(e => (e.Policy.Id, e.Location, e.Message))));
        return explained.Policies.SelectMany(p => p.Conditions).Sum(c => Check(c.Body));
    }

    private static int Check(ExpressionTrace trace)
    {
        Assert.That(trace.Value is null, Is.EqualTo(trace.Error is not null), trace.Expression.ToString());
        if (Combined(trace) is { } expected) Assert.That(trace.Value, Is.EqualTo(expected), trace.Expression.ToString());
        return 1 + trace.Parts.Sum(Check);
    }

    // What follows from the parts that were looked at, by rules of their own; null where it is not worth saying them twice.
    private static CedarValue? Combined(ExpressionTrace trace)
    {
        var parts = trace.Parts.Select(p => p.Value).ToList();
        if (parts.Any(p => p is null)) Assert.That(trace.Value, Is.Null, "what fails, fails all of it");
        var bools = parts.OfType<CedarBool>().Select(b => b.Value).ToList();
        if (bools.Count < parts.Count) return trace.Expression is BinaryExpr { Operator: BinaryOperator.Equal } && parts is [{ } left, { } right] ? left.Equals(right) : null;
        return (trace.Expression, bools) switch
        {
            (AndExpr e, _) when bools.Count == e.Operands.Length || !bools[^1] => bools.TrueForAll(b => b),
            (OrExpr e, _) when bools.Count == e.Operands.Length || bools[^1] => bools.Exists(b => b),
            (NotExpr, [var only]) => !only,
            (IfExpr, [_, var chosen]) => chosen,
            (AndExpr or OrExpr, _) => throw new AssertionException($"{trace.Expression} stopped for no reason"),
            _ => null,
        };
    }
}
