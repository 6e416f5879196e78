using System.Net;
using CredBroker.Core.Audit;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Server.Hosting;
using CredBroker.Server.Tests.Configuration;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Server;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>Who balances the load asks whether a node serves: what takes it out of service, and what does not.</summary>
internal sealed class ReadinessTests
{
    [Test]
    public async Task A_node_is_not_ready_without_its_database_and_says_so_before_it_stops()
    {
        using var folder = new TemporaryFolder();
        var postgres = await KillableServer.StartAsync();
        var settings = new NpgsqlConnectionStringBuilder((await postgres.CreateDatabaseAsync()).ConnectionString);
        folder.Write("wrapping.key", "cWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=");
        var ports = ServerProcess.FreePorts(2);
        var http = new Uri($"http://127.0.0.1:{ports[0]}");
        var configuration = folder.Write("credbroker.yaml", $$"""
            installation: {id: tests1, publicUrl: "http://127.0.0.1:{{ports[0]}}", wrappingKeyFile: wrapping.key}
            listen: {http: "127.0.0.1:{{ports[0]}}", grpc: "127.0.0.1:{{ports[1]}}", stopNotice: 5s}
            storage:
              postgresql: {host: 127.0.0.1, port: {{settings.Port}}, database: {{settings.Database}}, username: {{settings.Username}}, passwordFile: {{folder.Write("password", settings.Password!)}}}
            operator:
              identitySources:
                - name: operator
                  oidc: {issuer: "https://operator.example", audiences: [operator]}
              root: {identitySource: operator, subject: root}
            """);
        await using var server = await ServerProcess.StartReadyAsync(configuration, http);
        using var client = new HttpClient { BaseAddress = http };
        postgres.Kill();
        var (code, text) = await AskAsync(client);
        Assert.That((code, text), Is.EqualTo((HttpStatusCode.ServiceUnavailable, "store: The database does not answer.\n")));
        await postgres.StartAgainAsync();
        while (code != HttpStatusCode.OK) (code, _) = await AskAsync(client);

        var stopping = server.StopAsync();
        while (code == HttpStatusCode.OK) (code, text) = await AskAsync(client);
        Assert.That((code, text), Is.EqualTo((HttpStatusCode.ServiceUnavailable, "process: The server is stopping.\n")));
        Assert.That((await client.GetAsync(new Uri("/openapi/v1.json", UriKind.Relative))).StatusCode, Is.EqualTo(HttpStatusCode.OK), "whoever comes meanwhile is served");
        Assert.That(await stopping, Is.Zero, server.Output);
    }

    [Test]
    public async Task A_quarantine_is_told_and_takes_nobody_out_of_service()
    {
        var file = Path.GetTempFileName();
        await using var broker = await StoreHarness.SqliteAsync(file);
        var (reconciler, store) = (broker.Get<Reconciler>(), broker.Get<IQuarantineStore>());
        var check = new TargetsAgree(reconciler);
        var provider = broker.Get<Catalog>().Current.Providers["db"].Uid;
        await store.StartAsync(provider, QuarantineReason.ByHand, Actor.Broker, "a drill", CancellationToken.None);
        await reconciler.LookAsync(CancellationToken.None);
        var told = await check.CheckHealthAsync(new HealthCheckContext());
        Assert.That(told.Status, Is.EqualTo(HealthStatus.Degraded), "ends and revocations go on");
        Assert.That(told.Description, Does.StartWith("1 providers are in quarantine"));
        var since = (await store.ListAsync(CancellationToken.None)).Single().Since;
        await store.ReleaseAsync(provider, since, Actor.Broker, "over", CancellationToken.None);
        await reconciler.LookAsync(CancellationToken.None);
        Assert.That((await check.CheckHealthAsync(new HealthCheckContext())).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    private static async Task<(HttpStatusCode Code, string Text)> AskAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(new Uri("/readyz", UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
