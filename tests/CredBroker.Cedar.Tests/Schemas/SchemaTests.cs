namespace CredBroker.Cedar.Tests.Schemas;

internal sealed class SchemaTests
{
    [TestCase("entity A; action a appliesTo {principal: [], resource: A};", false)]
    [TestCase("entity A in [];", true)]
    [TestCase("namespace __cedar {}", false)]
    [TestCase("entity A {__cedar: Long}; action __cedar;", true)]
    [TestCase("namespace N { action a in [b]; } action b;", true)]
    [TestCase("entity A {a: Action, b: N::Action}; action a; namespace N { action b; }", true)]
    [TestCase("entity A {a: Action};", false)]
    public void Takes_what_the_official_implementation_takes(string text, bool isRead) => Assert.That(Schema.Parse(text).IsValid, Is.EqualTo(isRead));

    [Test]
    public void Reads_everything_that_a_schema_may_have()
    {
        var schema = Schema.Parse("""
            @doc("shared")
            type Email = String;
            namespace Shop::Admin {
                type Address = { street: String, zip?: Long, };
                entity Team;
                @doc("people")
                entity User, Robot in [Team] = { email: Email, address?: Address, "odd name": Set<__cedar::Long> } tags Set<String>;
                entity Level enum ["low", "high"];
                action group;
                action view, "edit it" in [group, Action::"other"] appliesTo { principal: [User, Robot], resource: Team, context: Address, };
                action other in group;
            }
            """).OrThrow();
        Assert.That(schema.EntityTypes, Is.EqualTo(new[] { "Shop::Admin::Level", "Shop::Admin::Robot", "Shop::Admin::Team", "Shop::Admin::User" }));
        Assert.That(schema.Actions.Select(a => a.ToString()), Is.EqualTo(new[]
        {
            "Shop::Admin::Action::\"edit it\"", "Shop::Admin::Action::\"group\"", "Shop::Admin::Action::\"other\"", "Shop::Admin::Action::\"view\"",
        }));
        var entities = EntityStore.Create(schema.ActionEntities);
        Assert.That(entities.IsIn(new("Shop::Admin::Action", "view"), new("Shop::Admin::Action", "group")), Is.True);
    }

    [Test]
    public void Reports_all_errors_with_their_places()
    {
        var errors = Schema.Parse("entity A in [Nope];\nentity B { x: Missing };\naction a appliesTo { principal: [A], resource: [C], context: Long };", "s").Errors;
        Assert.That(errors.Select(e => e.ToString()), Is.EqualTo(new[]
        {
            "s:1:14: there is no entity type Nope",
            "s:2:15: there is no type Missing",
            "s:3:49: there is no entity type C",
            "s:3:62: a context is a record, not Long",
        }));
    }

    [TestCase("entity A; entity A;", "declared twice")]
    [TestCase("type T = Long; type T = Long;", "declared twice")]
    [TestCase("action a; action a;", "declared twice")]
    [TestCase("namespace N { } namespace N { }", "declared twice")]
    [TestCase("entity Action;", "reserved")]
    [TestCase("type Long = String;", "cannot be redefined")]
    [TestCase("entity in;", "reserved")]
    [TestCase("type A = B; type B = A;", "defined by itself")]
    [TestCase("action a in b; action b in a;", "in itself")]
    [TestCase("action a in [missing];", "there is no action")]
    [TestCase("entity A; namespace N { entity A; }", "outside of the namespace")]
    [TestCase("action a; namespace N { action a; }", "outside of the namespace")]
    [TestCase("entity A { x: Long, x: Long };", "repeated")]
    [TestCase("entity A; action a appliesTo { principal: A };", "'resource' is missing")]
    [TestCase("entity A; action a appliesTo { principal: A, principal: A, resource: A };", "repeated")]
    [TestCase("entity A", "expected ';'")]
    [TestCase("namespace N { entity A;", "not closed")]
    [TestCase("@a @a entity A;", "repeated")]
    [TestCase("entity A enum [];", "an id as a string")]
    [TestCase("table A;", "expected 'entity'")]
    public void Refuses(string text, string reason) => Assert.That(Schema.Parse(text).Errors.First().Message, Does.Contain(reason));

    [TestCase("action == Action::\"read\"", new[] { "read" })]
    [TestCase("action in Action::\"reading\"", new[] { "list", "read", "reading" })]
    [TestCase("action in [Action::\"write\", Action::\"list\"]", new[] { "list", "write" })]
    [TestCase("action == Action::\"unknown\"", new string[0])]
    [TestCase("action", new[] { "list", "read", "reading", "write" })]
    public void Tells_which_actions_a_scope_admits(string scope, string[] expected)
    {
        var schema = Schema.Parse("entity A; action reading; action read, list in [reading]; action write;").OrThrow();
        var policy = PolicySet.Parse($"permit(principal, {scope}, resource);").OrThrow().Policies[0];
        Assert.That(schema.ActionsOf(policy).Select(a => a.Id), Is.EqualTo(expected));
    }
}
