namespace CredBroker.Cedar.Tests.Validation;

internal sealed class ValidatorTests
{
    private static readonly Schema Broker = Schema.Parse("""
        entity Team;
        entity Workload in [Team] { name: String, environment?: String, owner: Team, level: Level } tags String;
        entity Level enum ["low", "high"];
        entity Role { sensitivity: Long };
        action issue, renew appliesTo { principal: [Workload], resource: [Role], context: { now: datetime, ip: ipaddr, ttl?: duration, labels: Set<String>, task?: { intent?: String } } };
        action suspend appliesTo { principal: [Team], resource: [Workload] };
        action unused;
        """).OrThrow();

    [TestCase("principal has environment && principal.environment == \"prod\"")]
    [TestCase("context has task.intent && context.task.intent like \"deploy*\"")]
    [TestCase("context has task && context.task has intent && context.task.intent == \"x\"")]
    [TestCase("if context has ttl then context.ttl < duration(\"1h\") else true")]
    [TestCase("principal.hasTag(\"a\") && principal.getTag(\"a\") == \"b\"")]
    [TestCase("context.labels.contains(\"x\") && resource.sensitivity + 1 < 5")]
    [TestCase("context.ip.isInRange(ip(\"10.0.0.0/8\")) && context.now > datetime(\"2024-01-01\")")]
    [TestCase("principal.level == Level::\"low\" && principal.owner in Team::\"a\"")]
    [TestCase("principal is Workload && (principal is Team || true)")]
    public void Accepts(string condition) => Assert.That(Check($"permit(principal, action == Action::\"issue\", resource) when {{ {condition} }};"), Is.Empty);

    [TestCase("principal.environment == \"prod\"", ValidationIssueKind.Attribute, "may be absent")]
    [TestCase("principal has environment || principal.environment == \"prod\"", ValidationIssueKind.Attribute, "may be absent")]
    [TestCase("!(context has ttl) || context.ttl <= duration(\"1h\")", ValidationIssueKind.Attribute, "may be absent")]
    [TestCase("principal.nam == \"x\"", ValidationIssueKind.Attribute, "has no attribute \"nam\"")]
    [TestCase("context.declared == \"x\"", ValidationIssueKind.Attribute, "has no attribute \"declared\"")]
    [TestCase("context.task.intent == \"x\"", ValidationIssueKind.Attribute, "may be absent")]
    [TestCase("principal.getTag(\"a\") == \"b\"", ValidationIssueKind.Attribute, "may be absent")]
    [TestCase("resource.hasTag(\"a\") || resource.getTag(\"a\") == \"b\"", ValidationIssueKind.Attribute, "has no tags")]
    [TestCase("action.x == 1", ValidationIssueKind.Attribute, "has no attribute")]
    [TestCase("resource.sensitivity == \"high\"", ValidationIssueKind.Type, "different types: Long and String")]
    [TestCase("resource.sensitivity", ValidationIssueKind.Type, "expected Bool, found Long")]
    [TestCase("[1, \"a\"].contains(1)", ValidationIssueKind.Type, "different types")]
    [TestCase("[].contains(1)", ValidationIssueKind.Type, "empty set")]
    [TestCase("context.labels.contains(1)", ValidationIssueKind.Type, "different types")]
    [TestCase("context.ip == ip(principal.name)", ValidationIssueKind.Type, "string literal")]
    [TestCase("context.ip == ip(\"10.0.0.300\")", ValidationIssueKind.Type, "is no ipaddr")]
    [TestCase("context.now < 5", ValidationIssueKind.Type, "expected datetime, found Long")]
    [TestCase("context.ip.isIpv4(1)", ValidationIssueKind.Type, "argument(s)")]
    [TestCase("principal.name in Team::\"a\"", ValidationIssueKind.Type, "expected an entity")]
    [TestCase("if context has ttl then 1 else \"a\"", ValidationIssueKind.Type, "different types")]
    [TestCase("principal == User::\"a\"", ValidationIssueKind.UnknownEntityType, "no entity type User")]
    [TestCase("false && principal is User", ValidationIssueKind.UnknownEntityType, "no entity type User")]
    [TestCase("principal.level == Level::\"middle\"", ValidationIssueKind.UnknownEnumId, "\"high\", \"low\"")]
    [TestCase("action == Action::\"steal\"", ValidationIssueKind.UnknownAction, "no action Action::\"steal\"")]
    [TestCase("false", ValidationIssueKind.Impossible, "always false")]
    [TestCase("principal is Team", ValidationIssueKind.Impossible, "always false")]
    [TestCase("resource in Team::\"a\"", ValidationIssueKind.Impossible, "always false")]
    [TestCase("context has declared", ValidationIssueKind.Impossible, "always false")]
    public void Refuses(string condition, ValidationIssueKind kind, string reason)
    {
        var issues = Check($"permit(principal, action == Action::\"issue\", resource) when {{ {condition} }};");
        Assert.That(issues, Has.Some.Matches<ValidationIssue>(i => i?.Kind == kind && i.Message.Contains(reason, StringComparison.Ordinal)), string.Join('\n', issues));
    }

    [TestCase("permit(principal, action == Action::\"steal\", resource);", ValidationIssueKind.UnknownAction, "p:1:29")]
    [TestCase("permit(principal is User, action, resource);", ValidationIssueKind.UnknownEntityType, "p:1:21")]
    [TestCase("permit(principal is Role, action, resource);", ValidationIssueKind.ScopeFitsNothing, "p:1:1")]
    [TestCase("permit(principal is Team, action == Action::\"issue\", resource);", ValidationIssueKind.ScopeFitsNothing, "p:1:1")]
    [TestCase("permit(principal, action == Action::\"unused\", resource);", ValidationIssueKind.ScopeFitsNothing, "p:1:1")]
    public void Refuses_scopes(string policy, ValidationIssueKind kind, string place)
    {
        var issue = Check(policy).Single();
        Assert.That((issue.Kind, issue.Location.ToString()), Is.EqualTo((kind, place)));
    }

    [Test]
    public void Says_the_same_thing_once_however_many_kinds_of_request_there_are()
    {
        var issues = Check("permit(principal, action, resource)\nwhen { principal.name == 1 };");
        Assert.That(issues.Select(i => i.ToString()), Is.EqualTo(new[]
        {
            "p:2:8: the operands have different types: String and Long",
            "p:2:8: Team has no attribute \"name\"",
        }));
    }

    [Test]
    public void Only_what_the_official_implementation_warns_of_is_a_warning() =>
        Assert.That(Check("permit(principal, action, resource) when { false }; permit(principal is Role, action, resource);").Select(i => i.IsWarning),
            Is.EqualTo(new[] { true, false }));

    private static System.Collections.Immutable.ImmutableArray<ValidationIssue> Check(string text) =>
        new Validator(Broker).Validate(PolicySet.Parse(text, "p").OrThrow());
}
