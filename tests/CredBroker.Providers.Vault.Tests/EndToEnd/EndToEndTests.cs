using System.Diagnostics;
using System.Net;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.TestSupport.StandIns;
using Lease = CredBroker.Contracts.V1.Lease;

namespace CredBroker.Providers.Vault.Tests.EndToEnd;

/// <summary>Through the public API of the real server: every role kind, the sample, and the server killed between the phases.</summary>
internal sealed class EndToEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    // Of nobody: 32 times the letter A.
    private const string SubjectKey = "AAAAC3NzaC1lZDI1NTE5AAAAIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";

    private VaultBroker _broker = null!;

    [SetUp]
    public async Task StartBroker() => _broker = await VaultBroker.StartAsync();

    [TearDown]
    public async Task StopBroker() => await _broker.DisposeAsync();

    [Test]
    public async Task Every_role_kind_is_issued_used_ended_refused_and_proven()
    {
        using var agent = _broker.Installation.Agent("agent-1");
        await using var task = await agent.StartTaskAsync("use each kind once", new TaskSettings { Ttl = TimeSpan.FromMinutes(5) });
        var token = await task.IssueAsync(VaultBroker.RoleName("token"));
        var wrapped = await task.IssueAsync(VaultBroker.RoleName("wrapped"));
        var login = await task.IssueAsync(VaultBroker.RoleName("login"));
        var certificate = await task.IssueAsync(VaultBroker.RoleName("certificate"));
        var signed = await task.IssueAsync(VaultBroker.RoleName("signed-key"), new Dictionary<string, string> { ["key"] = SubjectKey }, TimeSpan.FromSeconds(15));
        var value = await task.IssueAsync(VaultBroker.RoleName("value"), lifetime: TimeSpan.FromSeconds(15));
        IssuedLease[] all = [token, wrapped, login, certificate, signed, value];
        using var administrator = _broker.Installation.Administrator();
        var roles = await Task.WhenAll(all.Select(lease => administrator.Roles.GetRoleAsync(new() { Name = lease.Lease.Role }).ResponseAsync));
        Assert.That(roles.Select(role => role.Kind).Distinct(), Is.EquivalentTo(new VaultProviderType().RoleKinds.Select(kind => kind.Name)));

        Assert.That(await StatusAsync(token["token"].Reveal()), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(wrapped["wrapped"].Reveal(), Is.EqualTo("true"));
        Assert.That(_broker.Database.Accepts(login["username"].Reveal(), login["password"].Reveal()));
        Assert.That(value["value"].Reveal(), Is.EqualTo("stored-for-a-task"));
        Assert.That(signed["signed_key"].Reveal(), Does.StartWith("ssh-ed25519-cert-v01@openssh.com "));
        var pki = (PkiEngine)_broker.Bao.Root.Mounts["pki"];
        using (var pair = X509Certificate2.CreateFromPem(certificate["certificate"].Reveal(), certificate["private_key"].Reveal())) Assert.That(pair.HasPrivateKey);
        Assert.That(pki.IsRevoked(certificate["serial_number"].Reveal()), Is.False);
        Assert.That(_broker.LiveTokens(), Has.Count.EqualTo(6));

        await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(10));
        Assert.That(await StatusAsync(token["token"].Reveal()), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(_broker.Database.Accepts(login["username"].Reveal(), login["password"].Reveal()), Is.False);
        Assert.That(pki.IsRevoked(certificate["serial_number"].Reveal()), "with its lease");
        Assert.That(_broker.LiveTokens(), Is.Empty, "also the right to read the value again");
        await UntilAsync(async () => (await ReceiptAsync(agent, task)).State == Receipt.Types.State.Closed, "the receipt is closed");
        var receipt = (await ReceiptAsync(agent, task)).Leases.ToDictionary(lease => lease.Role.Split('/')[^1]);
        Assert.That(receipt["token"].Evidence.Kind, Is.EqualTo("token_absent"));
        Assert.That(receipt["wrapped"].Evidence.Kind, Is.EqualTo("token_absent"));
        Assert.That(receipt["login"].Evidence.Kind, Is.EqualTo("lease_and_token_absent"));
        Assert.That(receipt["certificate"].Evidence.Kind, Is.EqualTo("lease_and_token_absent"));
        Assert.That(receipt["signed-key"].State, Is.EqualTo(Lease.Types.State.Expired), "what was signed stays signed until its end");
        Assert.That(receipt["value"].State, Is.EqualTo(Lease.Types.State.Expired), "a value is not revoked, and is not called so");
        Assert.That(receipt["value"].Residual, Does.Contain("cannot be invalidated"));
    }

    [TestCase("token")]
    [TestCase("wrapped")]
    public async Task The_sample_agent_does_what_it_says(string role)
    {
        var file = _broker.Place.Write("agent.token", _broker.Installation.AgentToken("agent-1"));
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(EndToEndTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "VaultAgentPath").Value!);
        start.Environment["CREDBROKER_URL"] = _broker.Place.Grpc.ToString();
        start.Environment["CREDBROKER_TOKEN_FILE"] = file;
        start.Environment["CREDBROKER_ROLE"] = VaultBroker.RoleName(role);
        using var sample = Process.Start(start)!;
        var (output, errors) = (sample.StandardOutput.ReadToEndAsync(), sample.StandardError.ReadToEndAsync());
        using var bound = new CancellationTokenSource(Bound);
        await sample.WaitForExitAsync(bound.Token);
        Assert.That(sample.ExitCode, Is.Zero, $"{await output}{await errors}");
        Assert.That(await output, Does.Contain("GET auth/token/lookup-self: 200").And.Contain("GET auth/token/lookup-self: 403").And.Contain("invalid accessor"));
        Assert.That(_broker.LiveTokens(), Is.Empty);
    }

    [TestCase("/v1/auth/token/create/broker", "the token is made, and its accessor is on nobody's record")]
    [TestCase("/v1/auth/token/renew-accessor", "the token is on record, and given its life")]
    [TestCase("/v1/database/creds/app", "the login is made, and its lease is on nobody's record")]
    public async Task Killed_between_the_phases_leaves_no_orphan(string call, string what)
    {
        using var agent = _broker.Installation.Agent("agent-1");
        var task = (await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = what } } })).Name;
        var acted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _broker.Host.Faults.Next(new StandInFault.ActsAndHangs(), request =>
        {
            if (request.Path == call) acted.TrySetResult();
            return request.Path == call;
        });
        var issuing = agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = VaultBroker.RoleName("login") }).ResponseAsync;
        await acted.Task.WaitAsync(Bound);
        await UntilAsync(() => Task.FromResult(_broker.LiveTokens().Count == 1 && (!call.EndsWith("/app", StringComparison.Ordinal) || _broker.Database.Logins.Count == 1)), what);
        await _broker.KillAsync();
        await Assert.ThatAsync(() => issuing, Throws.InstanceOf<Exception>(), "nobody got a secret");

        await _broker.RestartAsync();
        await UntilAsync(() => Task.FromResult(_broker.LiveTokens().Count == 0 && _broker.Database.Logins.Count == 0), "nothing is left at the target");
        using var again = _broker.Installation.Agent("agent-1");
        var leases = (await again.Leases.ListLeasesAsync(new() { Parent = task })).Leases;
        Assert.That(leases, Has.Count.EqualTo(1), "nothing of it is unknown");
        Assert.That(leases[0].State, Is.EqualTo(Lease.Types.State.Revoking).Or.EqualTo(Lease.Types.State.Revoked), "and nothing is claimed before the call can no longer act");
    }

    [Test]
    public async Task A_lost_answer_is_no_second_credential()
    {
        using var agent = _broker.Installation.Agent("agent-1");
        var task = (await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "lose an answer" } } })).Name;
        var before = _broker.Host.Log.Count;
        _broker.Host.Faults.Next(new StandInFault.LosesAnswer(), request => request.Path == "/v1/database/creds/app");
        await Assert.ThatAsync(async () => await agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = VaultBroker.RoleName("login") }), Throws.InstanceOf<BrokerException>());
        await UntilAsync(() => Task.FromResult(_broker.LiveTokens().Count == 0 && _broker.Database.Logins.Count == 0), "what was made is gone");
        Assert.That(_broker.Host.Log.Lines(before).Count(line => line == "GET /v1/database/creds/app"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_assertion_that_a_repointed_provider_gives_away_is_worth_nothing_at_the_target()
    {
        await using var listener = await StandInHost.StartAsync(
            new StandInOptions { Clock = TimeProvider.System },
            request => request.Path == "/v1/sys/health" ? _broker.Bao.Answer(request) : StandInAnswer.Of(400, """{"errors":["no"]}""", "application/json"));
        using var administrator = _broker.Installation.Administrator();
        var provider = await administrator.Providers.GetProviderAsync(new() { Name = $"providers/{VaultBroker.Provider}" });
        provider.Config.Fields["address"] = Google.Protobuf.WellKnownTypes.Value.ForString($"http://localhost:{listener.Address.Port}");
        await administrator.Providers.UpdateProviderAsync(new() { Provider = provider, UpdateMask = new() { Paths = { "config" } } });
        await Assert.ThatAsync(async () => await administrator.Providers.CheckProviderAsync(new() { Name = provider.Name }), Throws.InstanceOf<BrokerException>());

        var caught = listener.Log.All.Last(request => request.Path == "/v1/auth/jwt/login");
        var answer = _broker.Bao.Answer(caught);
        Assert.That((answer.Status, answer.Text), Is.EqualTo((400, """{"errors":["error validating token: invalid audience (aud) claim: audience claim does not match any expected audience"]}""")));
    }

    [Test]
    public async Task No_secret_is_left_in_any_file_or_told_by_any_answer()
    {
        using var agent = _broker.Installation.Agent("agent-1");
        await using var task = await agent.StartTaskAsync("leave nothing behind");
        var secrets = new List<string>();
        foreach (var (role, field) in new[] { ("token", "token"), ("wrapped", "token"), ("login", "password"), ("value", "value") })
            secrets.Add((await task.IssueAsync(VaultBroker.RoleName(role)))[field].Reveal());
        _broker.Database.Up = false;
        await task.EndAsync(Outcome.Failed, TimeSpan.FromSeconds(5));
        _broker.Bao.Locked(() => secrets.AddRange(_broker.Bao.Root.Tokens.All.Where(token => token.DisplayName == "jwt").Select(token => token.Id)));
        secrets.AddRange(_broker.Host.Log.All.Where(request => request.Path.EndsWith("/login", StringComparison.Ordinal)).Select(request => JsonNode.Parse(request.Text)!["jwt"]!.GetValue<string>()));
        Assert.That(secrets, Has.Count.GreaterThanOrEqualTo(6));

        using var administrator = _broker.Installation.Administrator();
        var told = string.Concat(
            (await administrator.AuditEvents.ListAuditEventsAsync(new() { PageSize = 500 })).ToString(),
            (await agent.Leases.ListLeasesAsync(new() { Parent = task.Name })).ToString(),
            (await agent.Receipts.GetReceiptAsync(new() { Name = $"{task.Name}/receipt" })).ToString());
        Assert.That(told, Does.Contain("lease"));
        foreach (var file in Directory.EnumerateFiles(_broker.Place.Folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
            told += await reader.ReadToEndAsync();
        }

        Assert.That(secrets.Where(secret => told.Contains(secret, StringComparison.Ordinal)), Is.Empty);
        _broker.Database.Up = true;
    }

    private async Task<HttpStatusCode> StatusAsync(string token)
    {
        using var client = new HttpClient { BaseAddress = _broker.Host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/auth/token/lookup-self");
        request.Headers.Add("X-Vault-Token", token);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<Receipt> ReceiptAsync(BrokerClient agent, BrokerTask task) => await agent.Receipts.GetReceiptAsync(new() { Name = $"{task.Name}/receipt" });

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > Bound) throw new TimeoutException($"In {Bound.TotalSeconds:0} s it did not come true that {what}.");
            await timer.WaitForNextTickAsync();
        }
    }
}
