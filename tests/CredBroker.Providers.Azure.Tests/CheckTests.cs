using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Azure.Check;
using CredBroker.Providers.Azure.Connect;
using CredBroker.Providers.Azure.Tests.StandIn;

namespace CredBroker.Providers.Azure.Tests;

public sealed class CheckTests
{
    [Test]
    public async Task Names_the_missing_permission_of_Microsoft_Graph_and_how_to_give_it()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        target.Azure.ByHand(_ => target.Azure.BrokerPrincipal.GraphRoles.RemoveAll(_ => true));
        target.Azure.ByHand(_ => { target.Azure.BrokerPrincipal.GraphRoles.Add("User.Read.All"); return true; });
        var missing = await MissingAsync(target);
        Assert.That(missing.Select(finding => finding.Subject), Does.Contain("Application.ReadWrite.OwnedBy"));
        Assert.That(missing.First(finding => finding.Subject == "Application.ReadWrite.OwnedBy").Fix, Does.StartWith($"az ad app permission add --id {target.Azure.BrokerClientId}"));
    }

    [Test]
    public async Task Warns_about_more_of_Microsoft_Graph_than_is_needed()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        target.Azure.ByHand(_ => { target.Azure.BrokerPrincipal.GraphRoles.Add("Application.ReadWrite.All"); return true; });
        await using var provider = target.Connect();
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Findings.Single(finding => finding.Subject == "Application.ReadWrite.All").Level, Is.EqualTo(FindingLevel.Warning));
    }

    [Test]
    public async Task Names_each_missing_action_at_each_scope_and_a_role_to_copy()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        target.Azure.ByHand(tenant => tenant.Assignments.RemoveAll(_ => true));
        var missing = await MissingAsync(target);
        Assert.That(missing.Select(finding => finding.Subject), Is.EqualTo(ActionPattern.Needed.Select(action => $"{action} at {AzureStandIn.Group}")));
        var fix = missing[0].Fix;
        var role = JsonNode.Parse(fix[(fix.IndexOf('\'', StringComparison.Ordinal) + 1)..fix.IndexOf("' &&", StringComparison.Ordinal)])!;
        Assert.That(role["Actions"]!.AsArray().Select(action => (string?)action), Is.EqualTo(ActionPattern.Needed));
        Assert.That(role["AssignableScopes"]!.AsArray().Select(scope => (string?)scope), Is.EqualTo(new[] { AzureStandIn.Group }));
    }

    [Test]
    public async Task Names_a_vault_that_refuses_and_a_shared_application_that_is_not_there()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        var absent = Tenant.NewId();
        target.Host.Faults.Always(
            new TestSupport.StandIns.StandInFault.Answers(TestSupport.StandIns.StandInAnswer.Json(403, AzureStandIn.Error("Forbidden", "No."), AzureStandIn.Json)),
            request => request.Path.StartsWith("/secrets", StringComparison.Ordinal) && request.Header("Authorization") is not null);
        var missing = await MissingAsync(target, target.Configure(document => document["sharedApplications"] = new JsonArray(absent)));
        Assert.That(missing.Select(finding => finding.Subject), Is.EqualTo(new[] { $"application {absent}", $"vault {target.Vault}" }));
    }

    [Test]
    public async Task Warns_about_a_shared_application_that_personal_accounts_may_use_and_about_clocks()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        target.Azure.ByHand(tenant => tenant.Applications[target.SharedApplication].SignInAudience = "AzureADandPersonalMicrosoftAccount");
        target.Clock.TargetIsBehind = TimeSpan.FromMinutes(2);
        await using var provider = target.Connect();
        var warnings = (await provider.CheckAsync(CancellationToken.None)).Findings.Where(finding => finding.Level == FindingLevel.Warning).ToList();
        Assert.That(warnings.Select(finding => finding.Subject), Is.EquivalentTo(new[] { $"application {target.SharedApplication}", "clock" }));
        Assert.That(warnings.Select(finding => finding.Message), Has.Some.Contains("60 writes a minute"));
    }

    [Test]
    public async Task Asks_only_what_the_configuration_uses()
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        var configuration = target.Configure(document =>
        {
            document["applications"] = false;
            document.Remove("sharedApplications");
            document.Remove("scopes");
        });
        await using var provider = target.Connect(configuration);
        Assert.That((await provider.CheckAsync(CancellationToken.None)).Healthy);
        await foreach (var _ in ((IListingProvider)provider).ListAsync(CancellationToken.None))
        {
        }

        Assert.That(target.Host.Log.All.Select(request => request.Host).Distinct(), Is.EquivalentTo(new[] { "login.microsoftonline.com", new Uri(target.Vault).Host }));
    }

    [TestCase("*", "", true)]
    [TestCase("Microsoft.Authorization/*", "", true)]
    [TestCase("microsoft.authorization/roleassignments/WRITE", "", true)]
    [TestCase("*/read", "", false)]
    [TestCase("*", "Microsoft.Authorization/*/Write", false)]
    [TestCase("Microsoft.Authorization/roleAssignments/write.", "", false)]
    public void Reads_actions_as_Azure_does(string action, string not, bool allowed) => Assert.That(
        ActionPattern.Allows(new PermissionSet([action], not.Length == 0 ? [] : [not]), "Microsoft.Authorization/roleAssignments/write"), Is.EqualTo(allowed));

    private static async Task<List<HealthFinding>> MissingAsync(Target target, System.Text.Json.JsonElement? configuration = null)
    {
        await using var provider = target.Connect(configuration);
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.TargetIdentity, Does.EndWith(target.Azure.Tenant.Id));
        return [.. health.Findings.Where(finding => finding.Level == FindingLevel.Missing)];
    }
}
