namespace CredBroker.Cedar.Tests.Inspection;

internal sealed class PolicyReadsTests
{
    [TestCase("context.task.intent == \"x\" && principal.name == \"y\"", "context.task.intent principal.name")]
    [TestCase("context[\"task\"][\"odd name\"] == 1", "context.task[\"odd name\"]")]
    [TestCase("context has declared", "context.declared")]
    [TestCase("context has task.labels", "context.task.labels")]
    [TestCase("context.task has labels", "context.task.labels")]
    [TestCase("context.labels.contains(\"x\")", "context.labels")]
    [TestCase("context == {}", "context")]
    [TestCase("(if true then context else {declared: 1}).declared == 1", "context")]
    [TestCase("{a: context}.a.declared == 1", "context")]
    [TestCase("[context.task].contains({})", "context.task")]
    [TestCase("principal == resource", "")]
    [TestCase("principal in [resource, resource.owner] && action is Action", "resource.owner")]
    [TestCase("(if true then principal else resource).name == \"x\"", "principal resource")]
    [TestCase("principal.hasTag(context.name)", "context.name principal")]
    [TestCase("context.ip.isInRange(ip(\"10.0.0.0/8\"))", "context.ip")]
    [TestCase("[principal].contains(principal)", "principal")]
    public void Finds_what_is_read(string condition, string expected) =>
        Assert.That(string.Join(' ', PolicyReads.PathsOf(Policy(condition))), Is.EqualTo(expected));

    [TestCase("context.declared.reason == \"x\"", "context.declared", true)]
    [TestCase("context == {}", "context.declared", true)]
    [TestCase("context.task == {}", "context.task.intent", true)]
    [TestCase("context.task.id == \"x\"", "context.task.intent", false)]
    [TestCase("context.declaredly == \"x\"", "context.declared", false)]
    [TestCase("principal.declared == \"x\"", "context.declared", false)]
    public void Tells_whether_a_path_is_read(string condition, string path, bool expected) =>
        Assert.That(PolicyReads.Reads(Policy(condition), path), Is.EqualTo(expected));

    [Test]
    public void Looks_at_every_condition()
    {
        var policy = PolicySet.Parse("forbid(principal, action, resource) when { true } unless { context.declared };").OrThrow().Policies[0];
        Assert.That(PolicyReads.Reads(policy, "context.declared"), Is.True);
        Assert.That(() => PolicyReads.Reads(policy, "request.declared"), Throws.ArgumentException);
    }

    private static Policy Policy(string condition) =>
        PolicySet.Parse($"permit(principal, action, resource) when {{ {condition} }};").OrThrow().Policies[0];
}
