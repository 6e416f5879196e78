using CredBroker.Cedar.Tests.Differential;

namespace CredBroker.Cedar.Tests.Policies;

internal sealed class PartialAnswerTests
{
    private static readonly EntityUid Alice = new("User", "alice"), Read = new("Action", "read");
    private static readonly PartialRequest Question = new() { Principal = Alice, Action = Read, ResourceType = "Doc" };

    [TestCase("permit(principal, action, resource);", "allow policy0")]
    [TestCase("permit(principal, action, resource is Doc);", "allow policy0")]
    [TestCase("permit(principal, action, resource) when { resource is Doc };", "allow policy0")]
    [TestCase("permit(principal, action, resource is Folder);", "deny ")]
    [TestCase("permit(principal, action, resource == Folder::\"f\");", "deny ")]
    [TestCase("permit(principal, action, resource) when { resource == principal };", "deny ")]
    [TestCase("permit(principal, action, resource == Doc::\"d\");", "depends policy0")]
    [TestCase("permit(principal, action, resource) when { resource.owner == principal };", "depends policy0")]
    [TestCase("permit(principal, action, resource) when { resource.owner == principal && 1 == 2 };", "deny ")]
    [TestCase("permit(principal, action, resource) when { resource has owner || true };", "allow policy0")]
    [TestCase("permit(principal, action, resource); forbid(principal, action, resource in Folder::\"f\");", "depends policy1")]
    [TestCase("permit(principal, action, resource) when { resource.x }; forbid(principal, action, resource);", "deny policy1")]
    [TestCase("permit(principal, action, resource) when { resource == Doc::\"d\" }; permit(principal == User::\"bob\", action, resource);", "depends policy0")]
    [TestCase("permit(principal, action, resource) when { if resource has x then true else true };", "allow policy0")]
    [TestCase("permit(principal, action, resource) unless { resource in Folder::\"f\" };", "depends policy0")]
    public void Of_an_unknown_resource(string policies, string expected) => Assert.That(Describe(policies, Question), Is.EqualTo(expected));

    [TestCase("permit(principal, action, resource) when { context.known == 1 };", "allow policy0")]
    [TestCase("permit(principal, action, resource) when { context.known == 1 && context.x == 2 };", "depends policy0")]
    [TestCase("permit(principal, action, resource) when { context.known == 2 && context.x == 2 };", "deny ")]
    [TestCase("permit(principal, action, resource) when { context has x };", "depends policy0")]
    [TestCase("permit(principal, action, resource) when { context has known };", "allow policy0")]
    [TestCase("permit(principal, action, resource) when { context has y };", "deny ")]
    [TestCase("permit(principal, action, resource) when { context == {known: 1} };", "depends policy0")]
    public void Of_an_unknown_field(string policies, string expected)
    {
        var question = Question with { Resource = new EntityUid("Doc", "d"), Context = CedarRecord.Of(("known", 1)), UnknownContext = ["x"] };
        Assert.That(Describe(policies, question), Is.EqualTo(expected));
    }

    [Test]
    public void Names_the_policies_that_may_fail()
    {
        var response = Ask("permit(principal, action, resource); permit(principal, action, resource) when { resource.x < 1 };", Question);
        Assert.That((response.GetType().Name, response.MayFail.Single().Id), Is.EqualTo(("Allow", "policy1")));
    }

    [Test]
    public void Is_never_contradicted_by_any_resource_or_context()
    {
        var checkedAnswers = new Dictionary<string, int>();
        for (var seed = 0; seed < 400; seed++)
        {
            var world = new GeneratedWorld(GeneratedWorld.RandomBytes(seed), requests: 10);
            var authorizer = new Authorizer(PolicySet.Parse(world.Policies).OrThrow());
            if (CedarJson.ParseEntities(world.Entities) is not { Value: { } entities })
                continue;
            foreach (var asked in world.Requests)
            {
                if (CedarJson.ParseContext(asked.Context) is not { Value: { } context })
                    continue;
                EntityUid Uid(string json) => (EntityUid)CedarJson.ParseValue($$"""{"__entity": {{json}} }""").OrThrow();
                var request = new Request(Uid(asked.Principal), Uid(asked.Action), Uid(asked.Resource), context);
                foreach (var question in Questions(request))
                {
                    var answer = authorizer.IsAuthorized(question, entities);
                    checkedAnswers[answer.GetType().Name] = checkedAnswers.GetValueOrDefault(answer.GetType().Name) + 1;
                    var truth = authorizer.IsAuthorized(request, entities);
                    Assert.That(Contradicts(answer, truth), Is.False, $"{question}\n{answer}\n{truth}\n{world.Policies}");
                }
            }
        }
        Assert.That(checkedAnswers.Keys, Is.EquivalentTo(new[] { "Allow", "Deny", "Depends" }));
    }

    // What is asked is less than is known, so the known answer is one of those that are possible.
    private static IEnumerable<PartialRequest> Questions(Request request)
    {
        var all = new PartialRequest { Principal = request.Principal, Action = request.Action, Resource = request.Resource, Context = request.Context };
        yield return all;
        yield return all with { Resource = null };
        yield return all with { Resource = null, ResourceType = request.Resource.Type };
        foreach (var name in new[] { "a", "b", "in" })
            yield return all with { UnknownContext = [name], Context = CedarRecord.Create(request.Context.Attributes.Where(a => a.Key != name)) };
    }

    private static bool Contradicts(PartialResponse answer, Response truth)
    {
        if (!truth.Errors.All(e => answer.MayFail.Contains(e.Policy)))
            return true;
        return answer switch
        {
            PartialResponse.Allow a => truth.Decision != Decision.Allow || !a.Determining.All(truth.Determining.Contains),
            PartialResponse.Deny d => truth.Decision != Decision.Deny || !d.Determining.All(truth.Determining.Contains),
            _ => false,
        };
    }

    private static string Describe(string policies, PartialRequest question) => Ask(policies, question) switch
    {
        PartialResponse.Allow a => $"allow {Ids(a.Determining)}",
        PartialResponse.Deny d => $"deny {Ids(d.Determining)}",
        PartialResponse.Depends d => $"depends {Ids(d.On)}",
        _ => "",
    };

    private static PartialResponse Ask(string policies, PartialRequest question) => new Authorizer(PolicySet.Parse(policies).OrThrow()).IsAuthorized(question, EntityStore.Empty);

    private static string Ids(IEnumerable<Policy> policies) => string.Join(' ', policies.Select(p => p.Id));
}
