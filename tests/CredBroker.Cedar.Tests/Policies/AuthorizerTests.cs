namespace CredBroker.Cedar.Tests.Policies;

internal sealed class AuthorizerTests
{
    private static readonly Request Question = new(new("User", "a"), new("Action", "read"), new("Doc", "d"), CedarRecord.Empty);

    [Test]
    public void Denies_when_nothing_applies()
    {
        Assert.That(Ask("").Decision, Is.EqualTo(Decision.Deny));
        var response = Ask("permit(principal == User::\"b\", action, resource);");
        Assert.That((response.Decision, response.Determining.Length), Is.EqualTo((Decision.Deny, 0)));
    }

    [Test]
    public void A_forbid_prevails_and_alone_determines()
    {
        var response = Ask("permit(principal, action, resource); @why(\"no\") forbid(principal, action, resource);");
        Assert.That(response.Decision, Is.EqualTo(Decision.Deny));
        Assert.That(response.Determining.Single().FindAnnotation("why")!.Value, Is.EqualTo("no"));
    }

    [Test]
    public void A_policy_that_fails_is_skipped_and_reported()
    {
        var response = Ask("permit(principal, action, resource);\nforbid(principal, action, resource) when { 9223372036854775807 + 1 == 0 };");
        Assert.That(response.Decision, Is.EqualTo(Decision.Allow));
        Assert.That(response.IsCleanAllow, Is.False);
        Assert.That((response.Errors[0].Policy.Id, response.Errors[0].Location.Line, response.Errors[0].Message),
            Is.EqualTo(("policy1", 2, "9223372036854775807 + 1 overflows")));
    }

    [Test]
    public void A_template_has_no_say() => Assert.That(Ask("permit(principal == ?principal, action, resource);").Decision, Is.EqualTo(Decision.Deny));

    [Test]
    public void Groups_of_actions_come_from_the_entities()
    {
        var schema = Schema.Parse("action reading; action read in [reading];").OrThrow();
        var authorizer = new Authorizer(PolicySet.Parse("permit(principal, action in Action::\"reading\", resource);").OrThrow());
        Assert.That(authorizer.IsAuthorized(Question, EntityStore.Create(schema.ActionEntities)).IsCleanAllow, Is.True);
        Assert.That(authorizer.IsAuthorized(Question, EntityStore.Empty).IsCleanAllow, Is.False);
    }

    [Test]
    public void Can_be_asked_by_many_threads_at_once()
    {
        var entities = EntityStore.Create([new Entity(Question.Principal, null, new EntityUid("T", "1")), new Entity(new EntityUid("T", "1"), null, new EntityUid("T", "2"))]);
        var authorizer = new Authorizer(PolicySet.Parse("permit(principal in T::\"2\", action, resource) when { [1,2,3,4,5,6,7,8,9].contains(9) };").OrThrow());
        var answers = Enumerable.Range(0, 1_000).AsParallel().Select(_ => authorizer.IsAuthorized(Question, entities).IsCleanAllow);
        Assert.That(answers, Is.All.True);
    }

    private static Response Ask(string policies) => new Authorizer(PolicySet.Parse(policies).OrThrow()).IsAuthorized(Question, EntityStore.Empty);
}
