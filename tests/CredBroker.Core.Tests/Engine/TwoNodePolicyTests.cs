using CredBroker.Core.Registry;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Postgres;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Two nodes on one store: what one changes of a policy set beside its text, the other notices.</summary>
public sealed class TwoNodePolicyTests
{
    [Test]
    public async Task A_change_of_kind_scope_review_or_leases_reaches_the_other_node()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync();
        await using var one = await StoreHarness.PostgresAsync(database.ConnectionString);
        await using var other = await StoreHarness.PostgresAsync(database.ConnectionString, register: false, time: one.Time, scripted: one.Scripted);
        var hashes = new List<string> { other.Get<Catalog>().Current.Policies.Hash };
        var spec = new PolicySetSpec { Text = EverythingToAgents };
        foreach (var changed in new[]
        {
            spec with { ReviewBy = one.Time.GetUtcNow().AddDays(1) }, spec with { Actions = ["issue"] }, spec with { Providers = ["db"] }, spec with { IdentitySources = ["ci"] },
            spec with { KeepLiveLeases = true }, spec with { Kind = PolicySetKinds.Operator },
        })
        {
            Ok(await one.Get<RegistryService>().UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, changed, new ChangeOptions(), CancellationToken.None));
            hashes.Add((await other.Get<Catalog>().RefreshAsync(CancellationToken.None)).Policies.Hash);
            Assert.That(hashes[^1], Is.EqualTo(one.Get<Catalog>().Current.Policies.Hash), "both decide by the same");
        }

        Assert.That(hashes, Is.Unique);
    }
}
