namespace CredBroker.Cedar.Tests.Validation;

/// <summary>Requests and entities held against a schema: each rule with what keeps it and what breaks it.</summary>
internal sealed class DataValidationTests
{
    private static readonly Schema Schema = Schema.Parse("""
        entity Team;
        entity Color enum ["red", "green"];
        entity User in [Team] = { name: String, home?: { city: String, floor?: Long }, boss?: User, since: datetime, roles: Set<String> } tags Long;
        entity Doc = { owner: User, color: Color };
        action all;
        action read in [all] appliesTo { principal: User, resource: Doc, context: { hour: Long, ip?: ipaddr } };
        action idle;
        """).OrThrow();

    private static readonly EntityUid Alice = new("User", "alice");
    private static readonly EntityUid Plan = new("Doc", "plan");
    private static readonly EntityUid Read = new("Action", "read");
    private static readonly CedarDatetime Since = CedarDatetime.From(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public void A_request_that_fits_passes()
    {
        Assert.That(Issues(Read, Alice, Plan, ("hour", 1)), Is.Empty);
        Assert.That(Issues(Read, Alice, Plan, ("hour", 1), ("ip", CedarIpAddress.From(System.Net.IPAddress.Loopback))), Is.Empty);
    }

    [Test]
    public void A_request_is_refused_for_each_part_that_does_not_fit()
    {
        Assert.That(Issues(new EntityUid("Action", "write"), Alice, Plan), Is.EqualTo(new[] { "action: there is no action Action::\"write\"" }));
        Assert.That(Issues(Read, Plan, Alice, ("hour", 1)), Is.EqualTo(new[] { "principal: Action::\"read\" is not for a Doc", "resource: Action::\"read\" is not done on a User" }));
        Assert.That(Issues(Read, new EntityUid("Ghost", "x"), Plan, ("hour", 1)), Is.EqualTo(new[] { "principal: there is no entity type Ghost" }));
        Assert.That(Issues(new EntityUid("Action", "idle"), Alice, Plan), Has.Length.EqualTo(2), "an action that is for nobody");
        Assert.That(Issues(new EntityUid("Action", "all"), Alice, Plan), Has.Length.EqualTo(2), "a group is no action that anybody does");
    }

    [Test]
    public void A_context_has_what_is_required_and_nothing_else()
    {
        Assert.That(Issues(Read, Alice, Plan), Is.EqualTo(new[] { "context: the attribute \"hour\" is missing" }));
        Assert.That(Issues(Read, Alice, Plan, ("hour", "1")), Is.EqualTo(new[] { "context.hour: expected Long, found String" }));
        Assert.That(Issues(Read, Alice, Plan, ("hour", 1), ("ip", "127.0.0.1")), Is.EqualTo(new[] { "context.ip: expected ipaddr, found String" }));
        Assert.That(Issues(Read, Alice, Plan, ("hour", 1), ("zone", 1)), Is.EqualTo(new[] { "context: the schema knows no attribute \"zone\" here" }));
    }

    [Test]
    public void Entities_that_fit_pass()
    {
        var team = new EntityUid("Team", "core");
        Assert.That(Issues(
            new Entity(team),
            new Entity(Alice, User(("home", CedarRecord.Of(("city", "Bern")))), [team], CedarRecord.Of(("level", 3))),
            new Entity(Plan, CedarRecord.Of(("owner", Alice), ("color", new EntityUid("Color", "red"))))), Is.Empty);
        Assert.That(new Validator(Schema).Validate(EntityStore.Create(Schema.ActionEntities)), Is.Empty);
    }

    [Test]
    public void An_entity_is_refused_for_what_it_is_and_for_what_it_has()
    {
        Assert.That(Issues(new Entity(new EntityUid("Ghost", "x"))), Is.EqualTo(new[] { "Ghost::\"x\": there is no entity type Ghost" }));
        Assert.That(Issues(new Entity(new EntityUid("Color", "blue"))), Is.EqualTo(new[] { "Color::\"blue\": \"blue\" is not among the ids of Color" }));
        Assert.That(Issues(new Entity(Alice)), Has.Length.EqualTo(3), "name, since and roles are required");
        Assert.That(Issues(new Entity(Alice, User(("home", CedarRecord.Of(("floor", 1)))))), Has.Length.EqualTo(1).And.One.Contains("\"city\" is missing"));
        Assert.That(Issues(new Entity(Alice, User(("boss", Plan)))), Has.Length.EqualTo(1).And.One.Contains("expected User"));
        Assert.That(Issues(new Entity(Alice, User(("roles", new CedarSet(["a", 1L]))))), Has.Length.EqualTo(1).And.One.Contains("roles[…]: expected String, found Long"));
        Assert.That(Issues(new Entity(Plan, CedarRecord.Of(("owner", Alice), ("color", new EntityUid("Color", "blue"))))), Has.Length.EqualTo(1));
    }

    [Test]
    public void Tags_are_of_the_declared_type_and_only_where_there_are_any()
    {
        Assert.That(Issues(new Entity(Alice, User(), [], CedarRecord.Of(("level", "high")))), Has.Length.EqualTo(1).And.One.Contains("getTag(\"level\"): expected Long"));
        Assert.That(Issues(new Entity(new EntityUid("Team", "core"), null, []) with { Tags = CedarRecord.Of(("a", 1)) }), Is.EqualTo(new[] { "Team::\"core\": a Team has no tags" }));
    }

    [Test]
    public void The_hierarchy_is_the_schemas()
    {
        Assert.That(Issues(new Entity(Alice, User(), new EntityUid("Doc", "plan"))), Is.EqualTo(new[] { "User::\"alice\": a User cannot be in Doc::\"plan\"" }));
        Assert.That(Issues(new Entity(Read)), Is.EqualTo(new[] { "Action::\"read\": the action is in other groups than the schema says" }));
        Assert.That(Issues(new Entity(new EntityUid("Action", "idle"), CedarRecord.Of(("a", 1)))), Is.EqualTo(new[] { "Action::\"idle\": an action has no attributes and no tags" }));
        Assert.That(Issues(new Entity(new EntityUid("Action", "nope"))), Is.EqualTo(new[] { "Action::\"nope\": there is no action Action::\"nope\"" }));
    }

    private static CedarRecord User(params (string Name, CedarValue Value)[] more)
    {
        var attributes = new Dictionary<string, CedarValue> { ["name"] = "Alice", ["since"] = Since, ["roles"] = new CedarSet([]) };
        foreach (var (name, value) in more) attributes[name] = value;
        return CedarRecord.Create(attributes);
    }

    private static string[] Issues(EntityUid action, EntityUid principal, EntityUid resource, params (string Name, CedarValue Value)[] context) =>
        [.. new Validator(Schema).Validate(new Request(principal, action, resource, CedarRecord.Of(context))).Select(issue => issue.ToString())];

    private static string[] Issues(params Entity[] entities) => [.. new Validator(Schema).Validate(EntityStore.Create(entities)).Select(issue => issue.ToString())];
}
