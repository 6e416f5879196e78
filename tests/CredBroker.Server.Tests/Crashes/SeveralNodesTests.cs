using System.Globalization;
using CredBroker.TestSupport.Postgres;

namespace CredBroker.Server.Tests.Crashes;

/// <summary>
/// Three real servers on one PostgreSQL under load, any of which is killed (SIGKILL) at any moment and started again: a few times in every run, as often as
/// <c>CREDBROKER_TEST_NODE_KILLS</c> says in a long one.
/// </summary>
public sealed class SeveralNodesTests
{
    private const string Switch = "CREDBROKER_TEST_NODE_KILLS";
    private const int InEveryRun = 2;
    private const int Nodes = 3;
    private const int Agents = 3;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    [Test]
    public async Task Whichever_node_is_killed_nothing_is_issued_twice_revoked_twice_or_left()
    {
        var kills = int.TryParse(Environment.GetEnvironmentVariable(Switch), CultureInfo.InvariantCulture, out var asked) ? asked : InEveryRun;
        await using var cluster = await Cluster.StartAsync(
            Nodes, "{attemptTimeout: 5s, claimFor: 6s, issueDeadline: 6s, issuesPerMinutePerWorkload: 100000}", await PostgresServer.CreateDatabaseAsync(), await PostgresServer.CreateDatabaseAsync());
        await using var load = await Load.StartAsync(cluster, Agents);
        var killed = 0;
        for (var round = 0; killed < kills; round++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(300, 1500)), TimeProvider.System);
            if (round % 2 == 1) await load.SuspendAsync();
            // Sometimes two at once, so that one alone goes on.
            var victims = Enumerable.Range(0, Nodes).OrderBy(_ => Random.Shared.Next()).Take(Random.Shared.Next(3) == 0 ? 2 : 1).ToList();
            await Task.WhenAll(victims.Select(cluster.KillNodeAsync));
            Assert.That(await Remains.WrongNowAsync(cluster), Is.Empty);
            await Task.WhenAll(victims.Select(cluster.StartNodeAsync));
            killed += victims.Count;
        }

        Assert.That(await Remains.WrongNowAsync(cluster), Is.Empty);
        await load.StopAsync();
        TestContext.Out.WriteLine($"{killed} killed: {load.Summary}");
        IReadOnlyList<string> left = [];
        await Cluster.UntilAsync(async () => (left = await Remains.LeftAsync(cluster)).Count == 0, "everything is proven dead", Bound);
        var (chains, broken) = await Remains.ChainsAsync(cluster);
        Assert.Multiple(async () =>
        {
            Assert.That(left, Is.Empty);
            Assert.That(await Remains.WrongNowAsync(cluster), Is.Empty);
            Assert.That(load.Findings, Is.Empty);
            Assert.That(broken, Is.Empty);
            Assert.That(chains, Is.GreaterThan(1), "several have written");
            Assert.That(load.Counts.GetValueOrDefault("issued"), Is.GreaterThan(10), "there was something to lose");
        });
    }
}
