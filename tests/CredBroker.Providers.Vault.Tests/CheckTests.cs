using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Tests.StandIn;

namespace CredBroker.Providers.Vault.Tests;

internal sealed class CheckTests
{
    [Test]
    public async Task Finds_nothing_missing_with_the_documented_policy()
    {
        await using var target = await Target.CreateAsync(Administrator.BrokerPolicy);
        await using var provider = target.Connect(target.Configure(listing: false));
        var health = await provider.CheckAsync(CancellationToken.None);
        Assert.That(health.TargetIdentity, Is.EqualTo(target.Bao.ClusterId));
        Assert.That(health.Findings.Select(finding => finding.Level), Is.All.EqualTo(FindingLevel.Ok));
    }

    [Test]
    public async Task Names_each_missing_path_and_capability_with_the_policy_text_that_mends_it()
    {
        foreach (var line in Administrator.BrokerPolicy.Split('\n'))
        {
            await using var target = await Target.CreateAsync(string.Join('\n', Administrator.BrokerPolicy.Split('\n').Where(other => other != line)));
            await using var provider = target.Connect(target.Configure(listing: false));
            var finding = (await provider.CheckAsync(CancellationToken.None)).Findings.SingleOrDefault(finding => finding.Fix == line.Trim());
            // The default policy gives a look at leases and their renewal, too.
            if (line.Contains("sys/leases/lookup", StringComparison.Ordinal) || line.Contains("sys/leases/renew", StringComparison.Ordinal)) continue;
            Assert.That(finding?.Level, Is.EqualTo(line.Contains("/roles/", StringComparison.Ordinal) ? FindingLevel.Warning : FindingLevel.Missing), line);
            target.Bao.Policy("broker", $"{Administrator.BrokerPolicy}");
            Assert.That((await provider.CheckAsync(CancellationToken.None)).Findings.Select(found => found.Level), Is.All.EqualTo(FindingLevel.Ok));
        }
    }

    [Test]
    public async Task Misses_the_rights_of_listing_only_where_it_lists()
    {
        await using var target = await Target.CreateAsync(Administrator.BrokerPolicy);
        await using var provider = target.Connect();
        var missing = (await provider.CheckAsync(CancellationToken.None)).Findings.Single(finding => finding.Level == FindingLevel.Missing);
        Assert.That(missing.Fix, Is.EqualTo("""path "auth/token/accessors" { capabilities = ["list", "sudo"] }"""));
    }

    [TestCase("""{"renewable":true,"allowed_policies":["app"],"token_explicit_max_ttl":"4h"}""", "orphan=true")]
    [TestCase("""{"orphan":true,"renewable":false,"allowed_policies":["app"],"token_explicit_max_ttl":"4h"}""", "renewable=true")]
    [TestCase("""{"orphan":true,"token_type":"batch","allowed_policies":["app"],"token_explicit_max_ttl":"4h"}""", "token_type=service")]
    [TestCase("""{"orphan":true,"period":"1h","allowed_policies":["app"],"token_explicit_max_ttl":"4h"}""", "period=0")]
    [TestCase("""{"orphan":true,"token_explicit_max_ttl":"4h"}""", "allowed_policies")]
    [TestCase("""{"orphan":true,"allowed_policies":["root"],"token_explicit_max_ttl":"4h"}""", "allowed_policies")]
    [TestCase("""{"orphan":true,"allowed_policies":["app"]}""", "token_explicit_max_ttl")]
    public async Task Finds_what_is_wrong_with_a_token_role(string role, string fix)
    {
        await using var target = await Target.CreateAsync();
        target.Bao.Admin("POST", "auth/token/roles/broker", JsonNode.Parse(role));
        await using var provider = target.Connect();
        var findings = (await provider.CheckAsync(CancellationToken.None)).Findings.Where(finding => finding.Subject == "token role broker").ToList();
        Assert.That(findings, Has.Some.Matches<HealthFinding>(finding => finding!.Level != FindingLevel.Ok && finding.Fix.Contains(fix, StringComparison.Ordinal)));
    }

    [Test]
    public async Task Says_when_a_standby_answers_and_when_the_token_role_is_not_there()
    {
        await using var target = await Target.CreateAsync();
        target.Bao.State = ServerState.Standby;
        target.Bao.Admin("DELETE", "auth/token/roles/broker");
        await using var provider = target.Connect();
        var findings = (await provider.CheckAsync(CancellationToken.None)).Findings;
        Assert.That(findings.Single(finding => finding.Subject == "node").Level, Is.EqualTo(FindingLevel.Warning));
        Assert.That(findings.Single(finding => finding.Subject == "token role broker").Level, Is.EqualTo(FindingLevel.Missing));
    }

    [Test]
    public async Task Follows_an_address_that_leads_to_another_cluster_by_now()
    {
        await using var target = await Target.CreateAsync();
        await using var other = await Target.CreateAsync();
        await using var provider = target.Connect();
        Assert.That((await provider.CheckAsync(CancellationToken.None)).TargetIdentity, Is.EqualTo(target.Bao.ClusterId));
        target.Host.Faults.Always(
            new CredBroker.TestSupport.StandIns.StandInFault.Answers(other.Bao.Ask("GET", "sys/health", null, null)), asked => asked.Path == "/v1/sys/health");
        Assert.That((await provider.CheckAsync(CancellationToken.None)).TargetIdentity, Is.EqualTo(other.Bao.ClusterId));
    }
}
