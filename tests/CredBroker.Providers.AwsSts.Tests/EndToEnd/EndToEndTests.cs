using System.Diagnostics;
using System.Net;
using System.Reflection;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.AwsSts.Tests.EndToEnd;

/// <summary>Through the public API of the real server: both role kinds, the sample, and the server killed while its call is under way.</summary>
internal sealed class EndToEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);
    private AwsBroker _broker = null!;

    [SetUp]
    public async Task StartBroker() => _broker = await AwsBroker.StartAsync();

    [TearDown]
    public async Task StopBroker() => await _broker.DisposeAsync();

    [Test]
    public async Task Both_role_kinds_are_issued_used_ended_refused_and_proven()
    {
        using var agent = _broker.Installation.Agent("agent-1");
        await using var task = await agent.StartTaskAsync("use each kind", new TaskSettings { Ttl = TimeSpan.FromMinutes(10) });
        var first = await task.IssueAsync(AwsBroker.RoleName("reports"));
        var second = await task.IssueAsync(AwsBroker.RoleName("reports"));
        var own = await task.IssueAsync(AwsBroker.RoleName("own-role"));
        foreach (var lease in new[] { first, second, own }) Assert.That(await StatusAsync(lease), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(_broker.Aws.Sessions.Select(session => session.Tags.GetValueOrDefault("credbroker:workload")).OfType<string>().Distinct(), Is.EqualTo(new[] { "agents/agent-1" }));

        var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(1));
        Assert.That(ended.Unproven, Is.EqualTo(3), "AWS takes its time, and nothing is claimed before");
        await UntilAsync(async () => (await ReceiptAsync(agent, task)).State == Receipt.Types.State.Closed, "the receipt is closed");
        foreach (var lease in new[] { first, second, own }) Assert.That(await StatusAsync(lease), Is.EqualTo(HttpStatusCode.Forbidden));
        var receipt = await ReceiptAsync(agent, task);
        Assert.That(receipt.Leases.Select(lease => lease.State), Is.All.EqualTo(Lease.Types.State.Revoked));
        Assert.That(receipt.Leases.Select(lease => lease.Evidence.Kind), Is.EquivalentTo(new[] { "denied_and_refused", "denied_and_refused", "role_deleted" }));
        Assert.That(receipt.Leases.Select(lease => lease.Residual), Is.All.Not.Empty);
        var role = _broker.Aws.FindRole(Target.Reader)!.Arn;
        Assert.That(receipt.Leases.Select(lease => lease.Group), Is.EquivalentTo(new[] { role, role, "" }), "what each was revoked with");
        Assert.That(first.Lease.Group.Name, Is.EqualTo(role));
        Assert.That(_broker.Aws.Roles.Where(role => role.Path == "/credbroker/" && !role.Deleted), Is.Empty);
    }

    [TestCase("reports")]
    [TestCase("own-role")]
    public async Task The_sample_agent_does_what_it_says(string role)
    {
        var file = _broker.Place.Write("agent.token", _broker.Installation.AgentToken("agent-1"));
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(EndToEndTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "AwsAgentPath").Value!);
        start.Environment["CREDBROKER_URL"] = _broker.Place.Grpc.ToString();
        start.Environment["CREDBROKER_TOKEN_FILE"] = file;
        start.Environment["CREDBROKER_ROLE"] = AwsBroker.RoleName(role);
        start.Environment["AWS_AGENT_OBJECT"] = _broker.Object.ToString();
        using var sample = Process.Start(start)!;
        var (output, errors) = (sample.StandardOutput.ReadToEndAsync(), sample.StandardError.ReadToEndAsync());
        using var bound = new CancellationTokenSource(Bound);
        await sample.WaitForExitAsync(bound.Token);
        Assert.That(sample.ExitCode, Is.Zero, $"{await output}{await errors}");
        Assert.That(await output, Does.Contain($"GET {_broker.Object}: 200").And.Contain($"GET {_broker.Object}: 403").And.Contain(role == "reports" ? "GetRolePolicy shows" : "DeleteRole has deleted"));
        Assert.That(_broker.LiveSessions(), Is.Empty);
    }

    [TestCase("reports", "AssumeRole")]
    [TestCase("own-role", "CreateRole")]
    [TestCase("own-role", "PutRolePolicy")]
    [TestCase("own-role", "AssumeRole")]
    public async Task Killed_after_the_call_was_sent_leaves_no_session_that_is_not_denied(string role, string action)
    {
        using var agent = _broker.Installation.Agent("agent-1");
        var task = (await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = $"die at {action}" } } })).Name;
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _broker.Host.Faults.Next(new StandInFault.ActsAndHangs(), request =>
        {
            var meets = request.Method == "POST" && request.Text.StartsWith($"Action={action}&", StringComparison.Ordinal);
            if (meets) met.TrySetResult();
            return meets;
        });
        var issuing = agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = AwsBroker.RoleName(role) }).ResponseAsync;
        await met.Task.WaitAsync(Bound);
        await UntilAsync(() => Task.FromResult(action != "AssumeRole" || role != "reports" || _broker.LiveSessions().Count == 1), "the call has had its effect");
        await _broker.KillAsync();
        await Assert.ThatAsync(() => issuing, Throws.InstanceOf<Exception>(), "nobody got a secret");

        await _broker.RestartAsync();
        await UntilAsync(() => Task.FromResult(_broker.LiveSessions().Count == 0 && IsCut(role)), "whatever was opened is denied");
        using var again = _broker.Installation.Agent("agent-1");
        var leases = (await again.Leases.ListLeasesAsync(new() { Parent = task })).Leases;
        Assert.That(leases.Select(lease => lease.State), Is.EqualTo(new[] { Lease.Types.State.Revoking }), "nothing is unknown, and nothing is claimed before the call can no longer arrive");
    }

    [Test]
    public async Task An_assertion_that_a_repointed_provider_gives_away_is_worth_nothing_at_aws()
    {
        await using var listener = await StandInHost.StartAsync(new StandInOptions { Clock = TimeProvider.System }, _ => StandInAnswer.Of(400, "no", "text/plain"));
        using var administrator = _broker.Installation.Administrator();
        var provider = await administrator.Providers.GetProviderAsync(new() { Name = $"providers/{AwsBroker.Provider}" });
        provider.Config.Fields["stsEndpoint"] = Google.Protobuf.WellKnownTypes.Value.ForString($"http://localhost:{listener.Address.Port}");
        await administrator.Providers.UpdateProviderAsync(new() { Provider = provider, UpdateMask = new() { Paths = { "config" } } });
        await Assert.ThatAsync(async () => await administrator.Providers.CheckProviderAsync(new() { Name = provider.Name }), Throws.InstanceOf<BrokerException>());

        var caught = listener.Log.All.Last(request => request.Form()["Action"] == "AssumeRoleWithWebIdentity");
        var answer = _broker.Aws.Answer(caught);
        Assert.That((answer.Status, answer.Text.Contains("Incorrect token audience", StringComparison.Ordinal)), Is.EqualTo((400, true)), answer.Text);
    }

    private bool IsCut(string role) => _broker.Aws.Locked(() => role == "reports"
        ? _broker.Aws.FindRole(Target.Reader)!.Inline.ContainsKey(Names.DenyPolicy)
        : _broker.Aws.Roles.Where(made => made.Path == "/credbroker/").All(made => made.Deleted || made.Inline.ContainsKey("credbroker-revoked")));

    private async Task<HttpStatusCode> StatusAsync(IssuedLease lease)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, _broker.Object);
        Use.Sign(request, lease["access_key_id"].Reveal(), lease["secret_access_key"].Reveal(), lease["session_token"].Reveal(), "s3", TimeProvider.System.GetUtcNow());
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
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
