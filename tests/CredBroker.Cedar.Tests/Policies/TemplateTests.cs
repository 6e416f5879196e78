namespace CredBroker.Cedar.Tests.Policies;

internal sealed class TemplateTests
{
    private const string Text = """@who("team") permit(principal in ?principal, action == Action::"read", resource == ?resource) when { context.x };""";

    private static readonly EntityUid Alice = new("User", "alice"), Core = new("Team", "core"), Doc = new("Doc", "d"), Read = new("Action", "read");
    private static readonly EntityStore Entities = EntityStore.Create([new Entity(Alice, null, Core)]);
    private static readonly PolicySet Set = PolicySet.Parse(Text, idPrefix: "t").OrThrow();

    [Test]
    public void Decides_nothing_by_itself() => Assert.That(Decide(Set, Doc).Decision, Is.EqualTo(Decision.Deny));

    [Test]
    public void Decides_once_it_is_linked()
    {
        var linked = Set.Link(new TemplateLink("t0", "core reads d", Core, Doc));
        Assert.That(Decide(linked, Doc).Determining.Single().Id, Is.EqualTo("core reads d"));
        Assert.That(Decide(linked, Doc).Determining.Single().FindAnnotation("who")!.Value, Is.EqualTo("team"));
        Assert.That(Decide(linked, new EntityUid("Doc", "e")).Decision, Is.EqualTo(Decision.Deny));
        Assert.That(Set.Policies, Is.Empty, "sets do not change");
    }

    [Test]
    public void Keeps_templates_and_links_apart_in_JSON()
    {
        var linked = Set.Link(new TemplateLink("t0", "l", Core, Doc));
        var again = PolicySet.ParseJson(linked.ToJson()).OrThrow();
        Assert.That(again.ToJson(), Is.EqualTo(linked.ToJson()));
        Assert.That(again.Policies.Single().Link, Is.EqualTo(new TemplateLink("t0", "l", Core, Doc)));
        Assert.That(Decide(again, Doc).Decision, Is.EqualTo(Decision.Allow));
    }

    [TestCase("nope", "l", true, true, "no template")]
    [TestCase("t0", "t0", true, true, "two policies")]
    [TestCase("t0", "l", true, false, "?resource")]
    [TestCase("t0", "l", false, true, "?principal")]
    public void Refuses_a_link(string template, string id, bool principal, bool resource, string why)
    {
        var link = new TemplateLink(template, id, principal ? Core : null, resource ? Doc : null);
        Assert.That(() => Set.Link(link), Throws.ArgumentException.With.Message.Contains(why));
    }

    [Test]
    public void Refuses_what_a_template_has_no_slot_for()
    {
        var set = PolicySet.Parse("permit(principal == ?principal, action, resource);").OrThrow();
        Assert.That(() => set.Link(new TemplateLink("policy0", "l", Alice, Doc)), Throws.ArgumentException.With.Message.Contains("no slot ?resource"));
    }

    [Test]
    public void A_template_among_the_static_policies_is_refused()
    {
        var json = Set.ToJson().Replace("\"staticPolicies\": {}", "\"staticPolicies\": TEMPLATES", StringComparison.Ordinal);
        var template = CedarJson.Write(Set.Templates[0]);
        json = json.Replace("TEMPLATES", $"{{\"x\": {template}}}", StringComparison.Ordinal);
        Assert.That(PolicySet.ParseJson(json).Errors.Single().Message, Does.Contain("no slots"));
    }

    private static Response Decide(PolicySet set, EntityUid resource) =>
        new Authorizer(set).IsAuthorized(new Request(Alice, Read, resource, CedarRecord.Of(("x", true))), Entities);
}
