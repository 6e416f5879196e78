using System.Text.Json.Nodes;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Tests;

[Parallelizable(ParallelScope.All)]
public sealed class CheckTests
{
    [Test]
    public async Task A_set_up_as_documented_lacks_nothing()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Findings.Where(finding => finding.Level == FindingLevel.Missing), Is.Empty);
        Assert.That(Warnings(health), Is.EqualTo(new[] { "leaseRoles.permissionsBoundary" }));
        Assert.That(health.Findings.Single(finding => finding.Subject == $"room on {Target.Reader}").Message, Does.Contain("names"));
    }

    [TestCase("sts:SetSourceIdentity", FindingLevel.Missing)]
    [TestCase("sts:AssumeRole", FindingLevel.Missing)]
    [TestCase("sts:TagSession", FindingLevel.Warning)]
    public async Task Each_action_that_the_trust_policy_lacks_is_named_with_a_policy_that_works(string action, FindingLevel level)
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change(Target.Reader, role => role.Trust = role.Trust.Replace($"\"{action}\"", "\"sts:GetCallerIdentity\"", StringComparison.Ordinal));
        await using var provider = target.Connect();
        var finding = (await provider.CheckAsync(CancellationToken.None)).Findings.Single(finding => finding.Subject == $"trust policy of {Target.Reader}");
        Assert.That((finding.Level, finding.Message.Contains(action, StringComparison.Ordinal) || action == "sts:TagSession"), Is.EqualTo((level, true)));
        target.Aws.Change(Target.Reader, role => role.Trust = finding.Fix);
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
        Assert.That(await target.IsAcceptedAsync(await Target.IssueAsync(provider, target.NewRequest())));
    }

    [Test]
    public async Task Others_who_may_open_sessions_without_a_name_of_ours_are_warned_of()
    {
        await using var target = await Target.CreateAsync();
        var trust = JsonNode.Parse(target.Aws.FindRole(Target.Reader)!.Trust)!;
        trust["Statement"]!.AsArray().Add(JsonNode.Parse("""{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}"""));
        target.Aws.Change(Target.Reader, role => role.Trust = trust.ToJsonString());
        await using var provider = target.Connect();
        var warning = (await provider.CheckAsync(CancellationToken.None)).Findings.Single(finding => finding.Level == FindingLevel.Warning && finding.Subject.StartsWith("trust", StringComparison.Ordinal));
        Assert.That(warning.Message, Does.Contain("source identity"));
        Assert.That(warning.Fix, Does.Contain("cb-test01-*"));
    }

    [TestCase("iam:GetRole")]
    [TestCase("iam:GetRolePolicy")]
    [TestCase("iam:PutRolePolicy")]
    [TestCase("iam:DeleteRolePolicy")]
    [TestCase("iam:CreateRole")]
    [TestCase("iam:ListRoles")]
    public async Task Each_right_that_the_broker_lacks_is_named(string action)
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change("credbroker", role => role.Inline["rights"] = role.Inline["rights"].Replace($"\"{action}\"", "\"iam:GetUser\"", StringComparison.Ordinal));
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        await using var provider = target.Connect();
        var missing = (await provider.CheckAsync(CancellationToken.None)).Findings.Where(finding => finding.Level == FindingLevel.Missing).ToList();
        Assert.That(missing, Is.Not.Empty);
        Assert.That(missing.Select(finding => finding.Subject + finding.Message), Has.All.Contains(action));
        Assert.That(missing.Select(finding => finding.Fix), Has.All.Contains(action));
    }

    [Test]
    public async Task What_could_not_be_verified_is_said_to_be_so()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change("credbroker", role => role.Inline["rights"] = role.Inline["rights"].Replace("iam:SimulatePrincipalPolicy", "iam:GetUser", StringComparison.Ordinal));
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        await using var provider = target.Connect();
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.Healthy);
        Assert.That(health.Findings.Where(finding => finding.Message.Contains("could not be verified", StringComparison.Ordinal)).Select(finding => finding.Level), Is.EqualTo(new[] { FindingLevel.Warning, FindingLevel.Warning }));
    }

    [Test]
    public async Task A_role_that_may_change_itself_and_one_that_is_not_there_are_named()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change(Target.Reader, role => role.Attached.Add("arn:aws:iam::aws:policy/AdministratorAccess"));
        await using var provider = target.Connect(configuration => configuration["roles"]!.AsArray().Add(new JsonObject { ["arn"] = target.ArnOf("absent") }));
        target.Aws.Change("credbroker", role => role.Inline["more"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}]}""");
        target.Clock.Advance(TimeSpan.FromMinutes(1));
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(Warnings(health), Does.Contain($"rights of {Target.Reader}"));
        Assert.That(health.Findings.Single(finding => finding.Level == FindingLevel.Missing).Subject, Is.EqualTo("role absent"));
    }

    [Test]
    public async Task A_deny_document_that_somebody_else_wrote_and_a_clock_that_is_off_are_warned_of()
    {
        await using var target = await Target.CreateAsync();
        target.Aws.Change(Target.Reader, role => role.Inline[Names.DenyPolicy] = Target.ReadReports);
        target.AwsClock.Offset = TimeSpan.FromMinutes(2);
        await using var provider = target.Connect();
        Assert.That(Warnings(await provider.CheckAsync(CancellationToken.None)), Is.SupersetOf(new[] { $"deny document of {Target.Reader}", "clock" }));
    }

    [Test]
    public async Task A_check_changes_nothing()
    {
        await using var target = await Target.CreateAsync();
        await using var provider = target.Connect();
        await provider.CheckAsync(CancellationToken.None);
        var asked = target.Host.Log.All.Select(request => request.Form()["Action"]).Distinct();
        Assert.That(asked, Is.SubsetOf(new[] { "AssumeRoleWithWebIdentity", "GetCallerIdentity", "GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "ListRoles", "SimulatePrincipalPolicy" }));
    }

    private static IEnumerable<string> Warnings(ProviderHealth health) => health.Findings.Where(finding => finding.Level == FindingLevel.Warning).Select(finding => finding.Subject);
}
