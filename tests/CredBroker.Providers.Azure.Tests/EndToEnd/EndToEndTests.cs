using System.Diagnostics;
using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests.EndToEnd;

/// <summary>Through the public API of the real server: every role kind, the sample, and the server killed between the steps.</summary>
[TestFixture]
internal sealed class EndToEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private static readonly (string Kind, string Evidence)[] Kinds =
    [
        ("app-password", "application_absent"), ("app-federated", "application_absent"), ("shared-app-password", "password_absent"),
        ("role-assignment", "assignment_absent"), ("keyvault-secret-write", "secret_disabled"), ("keyvault-secret-read", "value_not_invalidated"),
    ];

    private AzureBroker _broker = null!;

    [TearDown]
    public async Task StopBroker() => await _broker.DisposeAsync();

    [Test]
    public async Task Every_role_kind_is_issued_used_ended_refused_and_proven()
    {
        _broker = await AzureBroker.StartAsync(new Timing
        {
            ApplicationSpreads = TimeSpan.FromMilliseconds(700),
            PrincipalSpreads = TimeSpan.FromMilliseconds(700),
            PasswordSpreads = TimeSpan.FromSeconds(1),
            FederatedCredentialSpreads = TimeSpan.FromSeconds(1),
            AssignmentCounts = TimeSpan.FromSeconds(1),
            PasswordRemovalSpreads = TimeSpan.FromSeconds(1),
        });
        Assert.That(Kinds.Select(kind => kind.Kind), Is.EquivalentTo(new AzureProviderType().RoleKinds.Select(kind => kind.Name)));
        using var agent = _broker.Installation.Agent("agent-1");
        using var client = _broker.Host.CreateClient();
        foreach (var (kind, evidence) in Kinds)
        {
            await using var task = await agent.StartTaskAsync($"use {kind} once", new TaskSettings { Ttl = TimeSpan.FromMinutes(5) });
            var lease = await task.IssueAsync(AzureBroker.RoleName(kind), lifetime: kind == "keyvault-secret-read" ? TimeSpan.FromSeconds(5) : null);
            var name = $"cb-{Quickstart.Installation.Id}-{lease.Name.Split('/')[^1]}";
            await UntilAsync(() => WorksAsync(client, kind, lease), $"{kind} works");
            Assert.That(_broker.Azure.LeftOf(name).Count, kind == "keyvault-secret-read" ? Is.Zero : Is.GreaterThan(0), kind);

            await task.EndAsync(Outcome.Succeeded);
            await UntilAsync(() => Task.FromResult(_broker.Azure.LeftOf(name).Count == 0), $"nothing of {kind} is left at Azure");
            if (!kind.StartsWith("keyvault-", StringComparison.Ordinal))
            {
                Assert.That((await ReceiptAsync(agent, task)).State, Is.EqualTo(Receipt.Types.State.Open), $"{kind} may still count, and is not said to be gone");
                await _broker.UntilQuietAsync();
                _broker.Time.Move(TimeSpan.FromHours(25));
            }

            await UntilAsync(async () => (await ReceiptAsync(agent, task)).State == Receipt.Types.State.Closed, $"the receipt of {kind} is closed");
            var held = (await ReceiptAsync(agent, task)).Leases.Single();
            Assert.That(held.Evidence.Kind, Is.EqualTo(evidence));
            Assert.That(held.Residual, Is.Not.Empty);
            Assert.That(held.State, Is.EqualTo(kind == "keyvault-secret-read" ? Lease.Types.State.Expired : Lease.Types.State.Revoked), "a value is not revoked, and is not called so");
            if (kind != "keyvault-secret-read") Assert.That(await WorksAsync(client, kind, lease), Is.False, $"{kind} is refused");
            _broker.Time.Reset();
        }
    }

    [TestCase("app-password")]
    [TestCase("app-federated")]
    [TestCase("shared-app-password")]
    public async Task The_sample_agent_does_what_it_says(string role)
    {
        _broker = await AzureBroker.StartAsync(Timing.Immediate());
        _broker.Azure.ByHand(tenant =>
        {
            // What the shared application may do, it may do anyway.
            var shared = tenant.Applications.Values.Single(application => application.DisplayName == "shared");
            tenant.Assignments.Add(new AssignmentObject(AzureStandIn.Group, Guid.Parse("0b5c4d1e-0000-4000-8000-00000000aaaa"), AzureStandIn.RoleId(AzureStandIn.Reader), tenant.PrincipalOf(shared.AppId)!.Id, "ServicePrincipal", null, DateTimeOffset.UnixEpoch));
            return true;
        });
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(EndToEndTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "AzureAgentPath").Value!);
        start.Environment["CREDBROKER_URL"] = _broker.Place.Grpc.ToString();
        start.Environment["CREDBROKER_TOKEN_FILE"] = _broker.Place.Write("agent.token", _broker.Installation.AgentToken("agent-1"));
        start.Environment["CREDBROKER_ROLE"] = AzureBroker.RoleName(role);
        start.Environment["AZURE_RESOURCE"] = _broker.Resource;
        using var sample = Process.Start(start)!;
        var (output, errors) = (sample.StandardOutput.ReadToEndAsync(), sample.StandardError.ReadToEndAsync());
        using var bound = new CancellationTokenSource(Bound);
        await sample.WaitForExitAsync(bound.Token);
        Assert.That(sample.ExitCode, Is.Zero, $"{await output}{await errors}");
        Assert.That(await output, Does.Contain(": 200").And.Contain("no new token can be had"));
        Assert.That(await output, Does.Contain($"with the token from before: {(role == "shared-app-password" ? 200 : 403)}"));
    }

    [TestCase("PATCH", "uniqueName", "the application is made, and its id is on nobody's record")]
    [TestCase("POST", "/v1.0/servicePrincipals", "the principal is made")]
    [TestCase("PUT", "/roleAssignments/", "the role is assigned")]
    [TestCase("POST", "/addPassword", "the password is made, and nobody has it")]
    public async Task Killed_between_the_steps_leaves_no_orphan(string method, string call, string what)
    {
        _broker = await AzureBroker.StartAsync(Timing.Immediate());
        using var agent = _broker.Installation.Agent("agent-1");
        var task = (await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = what } } })).Name;
        var acted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _broker.Host.Faults.Next(new StandInFault.ActsAndHangs(), request =>
        {
            if (request.Method != method || !request.Path.Contains(call, StringComparison.Ordinal)) return false;
            acted.TrySetResult();
            return true;
        });
        var issuing = agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = AzureBroker.RoleName("app-password") }).ResponseAsync;
        await acted.Task.WaitAsync(Bound);
        await UntilAsync(() => Task.FromResult(AppsOfLeases().Count == 1), "something was made");
        var name = AppsOfLeases().Single();
        await _broker.KillAsync();
        await Assert.ThatAsync(() => issuing, Throws.InstanceOf<Exception>(), "nobody got a secret");

        await _broker.RestartAsync();
        await UntilAsync(() => Task.FromResult(_broker.Azure.LeftOf(name).Count == 0), "nothing is left at Azure");
        using var again = _broker.Installation.Agent("agent-1");
        var leases = (await again.Leases.ListLeasesAsync(new() { Parent = task })).Leases;
        Assert.That(leases, Has.Count.EqualTo(1), "nothing of it is unknown");
        Assert.That(leases[0].State, Is.EqualTo(Lease.Types.State.Revoking).Or.EqualTo(Lease.Types.State.Revoked), "and nothing is claimed before the call can no longer act");
    }

    // As its holder does: with it, a resource, or the vault's own copy of it.
    private async Task<bool> WorksAsync(HttpClient client, string kind, IssuedLease lease) => kind switch
    {
        "app-password" => await LogInAsync(client, lease) is { } token && await ReadsAsync(client, token),
        "shared-app-password" => await LogInAsync(client, lease) is not null,
        "app-federated" => await ReadsAsync(client, lease["access_token"].Reveal()),
        "role-assignment" => await ReadsAsync(client, _broker.Azure.TokenOf(_broker.Principal)),
        "keyvault-secret-write" => await ReadSecretAsync(client, lease) == lease["value"].Reveal(),
        _ => lease["value"].Reveal() == Target.ExistingValue,
    };

    private List<string> AppsOfLeases() => _broker.Azure.ByHand(tenant => tenant.Applications.Values.Select(application => application.UniqueName).OfType<string>().ToList());

    private static async Task<string?> LogInAsync(HttpClient client, IssuedLease lease)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = lease["client_id"].Reveal(),
            ["client_secret"] = lease["client_secret"].Reveal(),
            ["scope"] = "https://management.azure.com/.default",
        });
        using var answer = await client.PostAsync(new Uri(new Uri(lease["authority_host"].Reveal()), $"{lease["tenant_id"].Reveal()}/oauth2/v2.0/token"), form);
        return answer.IsSuccessStatusCode ? (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["access_token"] : null;
    }

    private async Task<bool> ReadsAsync(HttpClient client, string token) => await StatusAsync(client, _broker.Resource, token) == HttpStatusCode.OK;

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string address, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<string?> ReadSecretAsync(HttpClient client, IssuedLease lease)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{lease["vault"].Reveal()}/secrets/{lease["name"].Reveal()}/{lease["version"].Reveal()}?api-version=7.4");
        request.Headers.Authorization = new("Bearer", _broker.Azure.TokenOf(_broker.Principal, "https://vault.azure.net"));
        using var answer = await client.SendAsync(request);
        return answer.IsSuccessStatusCode ? (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["value"] : null;
    }

    private static async Task<Receipt> ReceiptAsync(BrokerClient agent, BrokerTask task) => await agent.Receipts.GetReceiptAsync(new() { Name = $"{task.Name}/receipt" });

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > Bound) throw new TimeoutException($"In {Bound.TotalSeconds:0} s it did not come true that {what}.");
            await timer.WaitForNextTickAsync();
        }
    }
}
