using CredBroker.Client;
using CredBroker.Client.Tokens;
using CredBroker.Contracts.V1;
using CredBroker.Server.Tests.Configuration;
using CredBroker.TestSupport.Server;
using DevIdentity;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Server.Tests.Hosting;

/// <summary>The server as the operator meets it: a process with a file, exit codes and signals.</summary>
internal sealed class ServerProcessTests
{
    private const string Key = "cWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=";
    private const string OtherKey = "AWxmbpb3wqmrYxDDkPo5Vyh5xjGx9bhcFZHhd8vPb0I=";
    private TemporaryFolder _folder;
    private DevIdentitySource _identity;
    private int[] _ports;

    private Uri Http => new($"http://127.0.0.1:{_ports[0]}");

    [SetUp]
    public async Task StartIdentityAsync()
    {
        _folder = new TemporaryFolder();
        _ports = ServerProcess.FreePorts(3);
        _identity = await DevIdentitySource.StartAsync();
        _folder.Write("wrapping.key", Key);
    }

    [TearDown]
    public async Task StopIdentityAsync()
    {
        await _identity.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Says_how_it_is_used()
    {
        var (code, output) = await ServerProcess.RunAsync(null, "--help");
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.StartWith("usage:"));
        (code, output) = await ServerProcess.RunAsync(null, "--chekc");
        Assert.That(code, Is.EqualTo(2));
        Assert.That(output, Does.StartWith("usage:"));
    }

    [Test]
    public async Task Check_says_all_that_is_wrong_and_changes_nothing()
    {
        var file = Configure("telemetri: {}\nlisten2: 1\n");
        var (code, output) = await ServerProcess.RunAsync(new Dictionary<string, string> { ["CREDBROKER__LOGGING__LEVL"] = "debug" }, "--config", file, "--check");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output.Split('\n'), Has.Length.EqualTo(3).And.Some.Contains("telemetri").And.Some.Contains("listen2").And.Some.Contains("LEVL"));
        Assert.That(Directory.GetFiles(_folder.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "credbroker.yaml", "wrapping.key" }));
    }

    [Test]
    public async Task Serves_stops_when_told_and_takes_up_its_database_again()
    {
        var file = Configure();
        for (var i = 0; i < 2; i++)
        {
            await using var server = await ServerProcess.StartReadyAsync(file, Http);
            Assert.That(await server.StopAsync(), Is.Zero, server.Output);
        }
    }

    [Test]
    public async Task Two_processes_never_share_a_database()
    {
        var file = Configure();
        await using var server = await ServerProcess.StartReadyAsync(file, Http);
        var (code, output) = await ServerProcess.RunAsync(null, "--config", file);
        Assert.That(code, Is.EqualTo(3));
        Assert.That(output, Does.Contain("in use by another process"));
    }

    [Test]
    public async Task Another_wrapping_key_is_noticed_before_anything_is_served()
    {
        var file = Configure();
        Assert.That((await ServerProcess.RunAsync(null, "--config", file, "--migrate")).ExitCode, Is.Zero);
        _folder.Write("wrapping.key", OtherKey);
        var (code, output) = await ServerProcess.RunAsync(null, "--config", file);
        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("cannot be read").And.Not.Contain(Key).And.Not.Contain(OtherKey));
    }

    [Test]
    public async Task Metrics_are_served_where_the_operator_says_and_nothing_else_is_there()
    {
        await using var server = await ServerProcess.StartReadyAsync(Configure($"telemetry: {{metricsAddress: \"127.0.0.1:{_ports[2]}\"}}\n"), Http);
        using var client = new HttpClient();
        Assert.That((int)(await client.GetAsync(new Uri(Http, "/metrics"))).StatusCode, Is.EqualTo(404));
        var metrics = new Uri($"http://127.0.0.1:{_ports[2]}");
        Assert.That(await client.GetStringAsync(new Uri(metrics, "/metrics")), Does.Contain("target_info"));
        Assert.That((int)(await client.GetAsync(new Uri(metrics, "/v1/tasks"))).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await client.GetAsync(new Uri(metrics, "/readyz"))).StatusCode, Is.EqualTo(404));
    }

    [Test]
    public async Task Manifests_are_applied_at_start_and_the_api_cannot_change_them()
    {
        WriteManifest("kept");
        WriteManifest("dropped");
        var file = Configure("manifests: {folder: manifests, prune: true}\n");
        await using (var server = await ServerProcess.StartReadyAsync(file, Http))
        {
            using var administrator = Administrator();
            var kept = await administrator.Providers.GetProviderAsync(new() { Name = "providers/kept" });
            Assert.That(kept.ManagedBy, Does.StartWith("file:"));
            kept.Owner = "somebody else";
            var refused = await Assert.ThrowsAsync<BrokerException>(() => administrator.Providers.UpdateProviderAsync(new() { Provider = kept }).ResponseAsync);
            Assert.That(refused!.KnownReason, Is.EqualTo(ErrorReason.ManagedElsewhere));
            await administrator.Providers.CreateProviderAsync(new() { ProviderId = "by-api", Provider = new Provider { Type = "token" } });
            await server.StopAsync();
        }

        File.Delete(Path.Combine(_folder.Path, "manifests", "dropped.yaml"));
        await using var again = await ServerProcess.StartReadyAsync(file, Http);
        using var after = Administrator();
        var left = await after.Providers.ListProvidersAsync(new());
        Assert.That(left.Providers.Select(provider => provider.Name), Is.EquivalentTo(new[] { "providers/by-api", "providers/kept" }));
        var events = await after.AuditEvents.ListAuditEventsAsync(new() { PageSize = 1000 });
        Assert.That(events.AuditEvents.Count(entry => entry.Type == "manifests.applied"), Is.EqualTo(3), "the operator's file once, the folder twice");
    }

    [Test]
    public async Task A_manifest_that_is_wrong_keeps_the_server_from_starting()
    {
        WriteManifest("broken", "tokn");
        var (code, output) = await ServerProcess.RunAsync(null, "--config", Configure("manifests: {folder: manifests}\n"));
        Assert.That(code, Is.EqualTo(3));
        Assert.That(output, Does.Contain("broken.yaml").And.Contain("provider type"));
    }

    [Test]
    public async Task A_folder_that_would_end_more_live_leases_than_is_expected_keeps_the_server_from_starting()
    {
        WritePolicy("permit (principal in IdentitySource::\"operator\", action in [Action::\"createTask\", Action::\"actOnTask\", Action::\"issue\"], resource);");
        const string strict = "limits: {unconfirmedRevocations: 1}\n";
        await using (var server = await ServerProcess.StartReadyAsync(Configure("manifests: {folder: manifests}\n" + strict), Http))
        {
            using var root = Administrator();
            await root.Providers.CreateProviderAsync(new() { ProviderId = "services", Provider = new Provider { Type = "token" } });
            var template = new Struct { Fields = { ["audience"] = Value.ForString("https://reports.example") } };
            await root.Roles.CreateRoleAsync(new() { Parent = "providers/services", RoleId = "reader", Role = new Role { Kind = "jwt", MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)), Template = template } });
            var task = await root.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "count" } } });
            for (var i = 0; i < 2; i++) await root.Leases.IssueLeaseAsync(new() { Parent = task.Name, Role = "providers/services/roles/reader" });
            await server.StopAsync();
        }

        WritePolicy("permit (principal in IdentitySource::\"operator\", action == Action::\"createTask\", resource);");
        var (code, output) = await ServerProcess.RunAsync(null, "--config", Configure("manifests: {folder: manifests}\n" + strict));
        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("2 of 2 live leases would be revoked"));
        await using var again = await ServerProcess.StartReadyAsync(Configure("manifests: {folder: manifests, expectRevoked: 2}\n" + strict), Http);
    }

    [Test]
    public async Task An_operators_source_that_the_file_no_longer_has_can_administer_nothing()
    {
        await using (var server = await ServerProcess.StartReadyAsync(Configure(), Http))
        {
            using var administrator = Administrator();
            Assert.That((await administrator.IdentitySources.ListIdentitySourcesAsync(new())).IdentitySources.Single().ManagedBy, Is.EqualTo("operator"));
            await server.StopAsync();
        }

        await using var again = await ServerProcess.StartReadyAsync(Configure(audience: "other-operator"), Http);
        using var former = Administrator();
        var refused = await Assert.ThrowsAsync<BrokerException>(() => former.IdentitySources.ListIdentitySourcesAsync(new()).ResponseAsync);
        Assert.That(refused!.KnownReason, Is.EqualTo(ErrorReason.TokenRejected));
    }

    private BrokerClient Administrator() => new(new BrokerClientOptions
    {
        Address = new Uri($"http://127.0.0.1:{_ports[1]}"),
        Token = TokenSource.From(_ => ValueTask.FromResult(_identity.Mint("root", "operator"))),
    });

    private void WritePolicy(string text)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "manifests"));
        _folder.Write(Path.Combine("manifests", "policy.yaml"), $"kind: PolicySet\nname: agents\nspec:\n  kind: scoped\n  text: |\n    {text}\n");
    }

    private void WriteManifest(string name, string type = "token")
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "manifests"));
        _folder.Write(Path.Combine("manifests", $"{name}.yaml"), $"kind: Provider\nname: providers/{name}\nspec:\n  type: {type}\n");
    }

    private string Configure(string more = "", string audience = "operator") => _folder.Write("credbroker.yaml", $$"""
        installation: {id: tests1, publicUrl: "{{Http.ToString().TrimEnd('/')}}", wrappingKeyFile: wrapping.key}
        listen: {http: "127.0.0.1:{{_ports[0]}}", grpc: "127.0.0.1:{{_ports[1]}}", stopNotice: 0s}
        operator:
          identitySources:
            - name: operator
              oidc: {issuer: "{{_identity.Issuer}}", audiences: [{{audience}}]}
          root: {identitySource: operator, subject: root}
        egress: {allow: [127.0.0.1]}
        {{more}}
        """);
}
