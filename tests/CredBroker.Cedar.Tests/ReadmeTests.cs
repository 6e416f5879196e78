namespace CredBroker.Cedar.Tests;

internal sealed class ReadmeTests
{
    [Test]
    public void The_example_works()
    {
        // <example>
        var policies = PolicySet.Parse("""
            permit (principal in Team::"core", action == Action::"read", resource is Doc)
            when { resource.owner == principal || context.hour < 18 };

            forbid (principal, action, resource)
            when { resource has secret && resource.secret };
            """, "docs.cedar").OrThrow();

        var schema = Schema.Parse("""
            entity Team;
            entity User in [Team];
            entity Doc = { owner: User, secret?: Bool };
            action read appliesTo { principal: User, resource: Doc, context: { hour: Long } };
            """).OrThrow();
        var issues = new Validator(schema).Validate(policies); // none

        var alice = new EntityUid("User", "alice");
        var plan = new EntityUid("Doc", "plan");
        var entities = EntityStore.Create(
        [
            new Entity(alice, null, new EntityUid("Team", "core")),
            new Entity(plan, CedarRecord.Of(("owner", alice))),
        ]);

        var authorizer = new Authorizer(policies); // compiled once; for many threads
        var response = authorizer.IsAuthorized(
            new Request(alice, new EntityUid("Action", "read"), plan, CedarRecord.Of(("hour", 20))), entities);
        // response.Decision is Allow, response.Determining holds policy0, response.Errors is empty
        // </example>
        Assert.That(issues, Is.Empty);
        Assert.That((response.Decision, response.Determining.Single().Id, response.Errors.IsEmpty), Is.EqualTo((Decision.Allow, "policy0", true)));
    }

    [Test]
    public void The_example_is_the_one_in_the_README()
    {
        var folder = TestContext.CurrentContext.TestDirectory;
        var readme = Lines(File.ReadAllText(Path.Combine(folder, "README.md")), "```csharp", "```");
        var source = Lines(File.ReadAllText(Path.Combine(folder, "ReadmeTests.cs")), "// <example>", "// </example>");
        Assert.That(readme, Is.EqualTo(source).And.Not.Empty);
    }

    private static List<string> Lines(string text, string after, string before) =>
        [.. text.Split('\n').Select(l => l.Trim()).SkipWhile(l => l != after).Skip(1).TakeWhile(l => l != before)];
}
