using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.TestSupport.Postgres;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>Two installations at one real server, both of which sweep: neither touches what is the other's, whatever it is made to look like.</summary>
internal sealed class TwoInstallationsTests
{
    [Test]
    public async Task Neither_touches_the_others_logins_and_forged_marks_change_nothing()
    {
        var limits = new BrokerLimits { ReconcileMargin = TimeSpan.FromMilliseconds(1) };
        await using var one = await RunningBroker.StartAsync(limits, "first1");
        await using var two = await RunningBroker.StartAsync(limits, "secnd2");
        await using var database = await PostgresServer.CreateDatabaseAsync();
        var first = await FaultyTarget.CreateAsync(one, database, ReconciliationMode.Sweep);
        var second = await first.ShareAsync(two);
        await using var ways = new Ways(first.Way, second.Way);
        var (task, over, others) = (await first.OpenTaskAsync(), await first.OpenTaskAsync(), await second.OpenTaskAsync());
        var (own, dead, other) = (await first.IssueAsync(task), await first.IssueAsync(over), await second.IssueAsync(others));
        await first.EndAsync(over);
        var proven = await first.UntilProvenAsync(dead.Lease.Lease.Id);

        // The dead one's name comes back with a mark that is not its own: the other installation's, another lease's, one that was made up. And a name that never was, with
        // a mark that was copied.
        var never = $"cb_first1_{Uid.New(TimeProvider.System)}";
        string[] marks = [second.MarkOf(other.Lease.Lease), first.MarkOf(own.Lease.Lease), first.MarkOf(proven)[..^4] + "AAAA"];
        await database.ExecuteAsync($"CREATE ROLE {proven.ExternalName} LOGIN; CREATE ROLE {never} LOGIN; COMMENT ON ROLE {never} IS '{first.MarkOf(own.Lease.Lease)}'");
        foreach (var mark in marks)
        {
            await database.ExecuteAsync($"COMMENT ON ROLE {proven.ExternalName} IS '{mark}'");
            var report = await first.ReconcileAsync();
            Assert.That((report.Complete, report.Listed, report.Acted, report.Reappeared, report.Unknown), Is.EqualTo((true, 3L, 0L, 0L, 0L)), mark);
            Assert.That(report.Forged + report.OtherInstallations, Is.EqualTo(2), mark);
        }

        Assert.That((await second.ReconcileAsync()) is { Complete: true, Listed: 1, Acted: 0 }, "the other lists its own alone");
        Assert.That(await one.Harness.Get<IQuarantineStore>().ListAsync(CancellationToken.None), Is.Empty);
        Assert.That((await first.LeaseAsync(proven.Id)).State, Is.EqualTo(LeaseState.Revoked), "nothing has come back");
        Assert.That(await first.RolesAsync($"rolname IN ('{proven.ExternalName}', '{never}') AND rolcanlogin"), Is.EqualTo(2), "and nothing of a stranger's was switched off");

        await first.EndAsync(task);
        await first.UntilProvenAsync(own.Lease.Lease.Id);
        Assert.That(await second.IsAcceptedAsync(other), "the other's lives");
        await second.EndAsync(others);
        await second.UntilProvenAsync(other.Lease.Lease.Id);
        await database.ExecuteAsync($"DROP ROLE {proven.ExternalName}; DROP ROLE {never}");
    }

    private sealed record Ways(TargetWay First, TargetWay Second) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await First.DisposeAsync();
            await Second.DisposeAsync();
        }
    }
}
