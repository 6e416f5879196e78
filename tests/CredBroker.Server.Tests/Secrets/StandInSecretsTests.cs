using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Server.Tests.Secrets.Targets;
using CredBroker.TestSupport.StandIns;
using Google.Protobuf.WellKnownTypes;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>
/// No secret that passes between the broker and the targets it makes credentials at is found anywhere afterwards, whichever way a call went: what is searched for is every secret that
/// the stand-ins were sent or handed out, not only what somebody thought of.
/// </summary>
[NonParallelizable]
public sealed class StandInSecretsTests
{
    private readonly SecretSearch _search = new();
    private readonly List<(string Where, string Text)> _answers = [];
    private readonly List<WatchedTarget> _targets = [];
    private WatchedBroker _broker = null!;

    [OneTimeTearDown]
    public async Task StopBroker()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        foreach (var target in _targets) await target.DisposeAsync();
    }

    [Test]
    [CancelAfter(240_000)]
    public async Task No_secret_that_a_target_saw_or_gave_stays_behind()
    {
        _targets.AddRange([await WatchedVault.StartAsync(), await WatchedAzure.StartAsync(), await WatchedAws.StartAsync()]);
        _broker = await WatchedBroker.StartAsync(null, null, _search, _targets);
        using var root = _broker.Connect(_broker.Identity.Mint("root", Installation.OperatorAudience));
        await Registration.RegisterAgentsAsync(root, _broker.Identity.Issuer, new Narrator(TextWriter.Null), CancellationToken.None);
        const string Policy = "permit (principal in IdentitySource::\"agents\", action in [Action::\"createTask\", Action::\"issue\"], resource);";
        await Registration.RegisterPolicyAsync(root, "all", Policy, new Narrator(TextWriter.Null), CancellationToken.None);
        foreach (var target in _targets) await RegisterAsync(root, target);

        using var agent = _broker.Connect(_broker.Identity.Mint("agent-1", Installation.AgentAudience, new() { ["run"] = "1" }));
        var well = await OpenAsync(agent, "all goes well");
        var badly = await OpenAsync(agent, "all goes wrong");
        foreach (var target in _targets)
        {
            foreach (var (name, _, _) in target.Roles)
            {
                var issued = await agent.Leases.IssueLeaseAsync(new() { Parent = well, Role = RoleOf(target, name) });
                _answers.Add(($"ToString of the answer for {name}", $"{issued}"));
                await ProvokeAsync(agent, badly, target, name);
            }
        }

        await EndAsync(agent, badly, well);
        foreach (var target in _targets) await QuoteAtLogInAsync(root, target);
        Keep("audit trail", await root.AuditEvents.ListAuditEventsAsync(new() { PageSize = 1000 }));
        foreach (var task in new[] { well, badly })
        {
            Keep("receipt", await agent.Receipts.GetReceiptAsync(new() { Name = $"{task}/receipt" }));
            Keep("leases", await root.Leases.ListLeasesAsync(new() { Parent = task }));
        }

        _broker.Observed.AskMeters();
        await _broker.StopAsync();
        await AssertNothingIsFoundAsync();
    }

    /// <summary>A search that knows too little would pass.</summary>
    private async Task AssertNothingIsFoundAsync()
    {
        foreach (var target in _targets)
        {
            foreach (var request in target.Host.Log.All) target.Wire.Learn(request);
            Assert.That(target.Wire.Secrets, Has.Count.GreaterThan(target.Roles.Count), $"what {target.Type} was sent and gave is known");
            var number = 0;
            foreach (var secret in target.Wire.Secrets) _search.Add($"secret {++number} of {target.Type}", secret);
        }

        var observed = _broker.Observed.All;
        Assert.That(observed.Select(seen => seen.Where.Split(' ')[0]).Distinct(), Is.SupersetOf(new[] { "Trace", "Debug", "activity", "metric", "event" }), "all of it was listened to");
        var found = observed.Concat(_answers).SelectMany(seen => _search.FindIn(seen.Where, seen.Text)).Concat(await StoreSearch.FindAsync(_broker.Place, null, _search)).Distinct();
        Assert.That(string.Join('\n', found), Is.Empty);
    }

    private static async Task RegisterAsync(BrokerClient root, WatchedTarget target, Workplace place)
    {
        var provider = await root.Providers.CreateProviderAsync(new() { ProviderId = target.Provider, Provider = new Provider { Type = target.Type, Config = target.Configuration() } });
        await target.TrustAsync(provider, place);
        var health = await root.Providers.CheckProviderAsync(new() { Name = provider.Name });
        Assert.That(health.Healthy, health.ToString());
        foreach (var (name, kind, template) in target.Roles)
        {
            var role = new Role { Kind = kind, Template = Struct.Parser.ParseJson(template), MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(20)) };
            await root.Roles.CreateRoleAsync(new() { Parent = provider.Name, RoleId = name, Role = role });
        }
    }

    private Task RegisterAsync(BrokerClient root, WatchedTarget target) => RegisterAsync(root, target, _broker.Place);

    private static async Task<string> OpenAsync(BrokerClient agent, string what) =>
        (await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = what } } })).Name;

    private static string RoleOf(WatchedTarget target, string name) => $"providers/{target.Provider}/roles/{name}";

    /// <summary>An answer is lost, and a refusal quotes the whole of what it refuses.</summary>
    private async Task ProvokeAsync(BrokerClient agent, string task, WatchedTarget target, string role)
    {
        foreach (var fault in new StandInFault[] { new StandInFault.LosesAnswer(), new StandInFault.Quotes(target.Quote) })
        {
            target.Host.Faults.Next(fault, target.Matters);
            await TellAsync($"answer of {role}", agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = RoleOf(target, role) }).ResponseAsync);
            target.Host.Faults.Clear();
        }
    }

    /// <summary>The first that is said to each target then is refused, quoted.</summary>
    private async Task EndAsync(BrokerClient agent, params IReadOnlyList<string> tasks)
    {
        foreach (var target in _targets) target.Host.Faults.Next(new StandInFault.Quotes(target.Quote));
        var before = _targets.ConvertAll(target => target.Host.Log.Count);
        foreach (var task in tasks) await agent.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Failed });
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (_targets.Where((target, i) => target.Host.Log.Count < before[i] + 3).Any()) await timer.WaitForNextTickAsync(bound.Token);
        foreach (var target in _targets) target.Host.Faults.Clear();
    }

    /// <summary>A new configuration logs in anew: here it is refused by an answer that quotes the credential itself.</summary>
    private async Task QuoteAtLogInAsync(BrokerClient root, WatchedTarget target)
    {
        target.Host.Faults.Always(new StandInFault.Quotes(target.Quote), target.Matters);
        var changed = target.Configuration();
        changed.Fields[target.Type == "azure" ? "callTimeout" : "timeout"] = Value.ForString("9s");
        var name = $"providers/{target.Provider}";
        await TellAsync("update", root.Providers.UpdateProviderAsync(new() { Provider = new Provider { Name = name, Config = changed }, UpdateMask = new() { Paths = { "config" } } }).ResponseAsync);
        await TellAsync("check", root.Providers.CheckProviderAsync(new() { Name = name }).ResponseAsync);
        target.Host.Faults.Clear();
    }

    private async Task TellAsync<T>(string where, Task<T> call)
    {
        try
        {
            Keep(where, (await call)!);
        }
        catch (BrokerException e)
        {
            Keep(where, e);
        }
    }

    private void Keep(string where, object message) => _answers.Add((where, $"{message}"));
}
