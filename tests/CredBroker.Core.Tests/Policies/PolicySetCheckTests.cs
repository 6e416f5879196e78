using CredBroker.Contracts;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Tests.Policies;

public sealed class PolicySetCheckTests
{
    private static readonly PolicySetCheck Check = new(new PolicySchema(BrokerSchema.ReadText()));

    [Test]
    public void Accepts_a_policy_over_what_is_attested_and_granted()
    {
        Assert.That(Errors("""
            @id("ci-reads")
            @max_ttl("15m")
            permit (
              principal is Workload in IdentitySource::"ci",
              action in [Action::"issue", Action::"renew"],
              resource in Provider::"db"
            )
            when { context.params.hasTag("team") && context.params.getTag("team") == "blue" }
            unless { resource.canMint };
            """), Is.Empty);
    }

    [TestCase("permit (principal, action == Action::\"isue\", resource);", "1:")]
    [TestCase("permit (principal is Wrkload, action == Action::\"issue\", resource);", "1:")]
    [TestCase("permit (principal, action == Action::\"issue\", resource)\nwhen { context.param == 1 };", "2:")]
    [TestCase("permit (principal, action == Action::\"issue\" resource);", "1:")]
    [TestCase("permit (principal is Hook, action == Action::\"issue\", resource);", "1:")]
    public void Names_file_line_and_column_of_what_the_schema_does_not_know(string text, string line)
    {
        Assert.That(Errors(text), Has.Some.Contains($"team-a:{line}"));
    }

    [TestCase("@max_tll(\"15m\") permit (principal, action == Action::\"issue\", resource);", "@max_ttl")]
    [TestCase("@maxttl(\"15m\") permit (principal, action == Action::\"issue\", resource);", "@max_ttl")]
    [TestCase("@trust_declared(\"x\") permit (principal, action == Action::\"issue\", resource);", "@trusts_declared")]
    [TestCase("@max_ttl(\"soon\") permit (principal, action == Action::\"issue\", resource);", "duration")]
    [TestCase("@max_ttl(\"0s\") permit (principal, action == Action::\"issue\", resource);", "duration")]
    [TestCase("@max_ttl(\"15m\") forbid (principal, action == Action::\"issue\", resource);", "permit")]
    [TestCase("@max_ttl(\"15m\") permit (principal is Hook, action == Action::\"endTask\", resource);", "does nothing")]
    [TestCase("@require_aproval(\"x\") forbid (principal, action == Action::\"issue\", resource);", "@require_approval")]
    [TestCase("@require_approval(\"x\") permit (principal, action == Action::\"issue\", resource);", "forbid")]
    [TestCase("@require_approval(\"x\") forbid (principal is Hook, action == Action::\"endTask\", resource);", "does nothing")]
    public void Refuses_misspelled_and_misplaced_annotations(string text, string hint) => Assert.That(Errors(text), Has.Some.Contains(hint));

    [TestCase("context.task.intent.what like \"*\"")]
    [TestCase("context.task.labels.hasTag(\"run\")")]
    [TestCase("context.declared has destination")]
    public void Refuses_a_permit_that_rests_on_what_the_caller_says(string condition)
    {
        var permit = $"permit (principal, action == Action::\"issue\", resource) when {{ {condition} }};";
        Assert.Multiple(() =>
        {
            Assert.That(Errors(permit), Has.Some.Contains("@trusts_declared"));
            Assert.That(Errors("@trusts_declared(\"\") " + permit), Is.Not.Empty);
            Assert.That(Errors("@trusts_declared(\"an orchestrator of ours writes it\") " + permit), Is.Empty);
            Assert.That(Errors(permit.Replace("permit", "forbid", StringComparison.Ordinal)), Is.Empty);
        });
    }

    [TestCase("permit (principal, action == Action::\"administerRole\", resource);")]
    [TestCase("permit (principal, action in Action::\"administer\", resource);")]
    [TestCase("permit (principal, action in [Action::\"issue\", Action::\"suspend\"], resource);")]
    [TestCase("forbid (principal, action == Action::\"liftSuspension\", resource);")]
    public void Keeps_an_administrators_actions_to_the_ceiling_and_the_operators_set(string text)
    {
        Assert.Multiple(() =>
        {
            Assert.That(Errors(text), Is.Not.Empty);
            Assert.That(Errors(text, PolicySetKinds.Operator), Is.Empty);
        });
    }

    [Test]
    public void A_ceiling_holds_forbids_only()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Errors("permit (principal, action == Action::\"issue\", resource);", PolicySetKinds.Ceiling), Is.Not.Empty);
            Assert.That(Errors("forbid (principal, action == Action::\"issue\", resource);", PolicySetKinds.Ceiling), Is.Empty);
        });
    }

    [Test]
    public void Refuses_templates_and_unknown_kinds()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Errors("permit (principal == ?principal, action, resource);"), Is.Not.Empty);
            Assert.That(Errors("", "global"), Is.Not.Empty);
        });
    }

    [Test]
    public void Reports_every_error_at_once()
    {
        Assert.That(Errors("permit (principal, action == Action::\"a\", resource);\npermit (principal, action == Action::\"b\", resource);"), Has.Count.GreaterThanOrEqualTo(2));
    }

    private static List<string> Errors(string text, string kind = PolicySetKinds.Scoped) =>
        [.. Check.Check("team-a", new PolicySetSpec { Kind = kind, Text = text }).Select(error => error.Message)];
}
