using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Contracts.V1;
using CredBroker.Abstractions;
using CredBroker.Testing.Scripted;
using CredBroker.TestSupport.Postgres;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Npgsql;
using Quickstart;
using Struct = Google.Protobuf.WellKnownTypes.Struct;
using Value = Google.Protobuf.WellKnownTypes.Value;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>
/// No secret that the broker answers, is given or is configured with is found anywhere afterwards: not in its database, not in what it logs and traces at the finest
/// level, not in errors, records and statements; whether things went well or wrong.
/// </summary>
[NonParallelizable]
public sealed class SecretMarksTests
{
    private readonly SecretSearch _search = new();
    private readonly List<(string Where, string Text)> _answers = [];
    private PostgresDatabase _database = null!;
    private PostgresDatabase? _store;
    private TargetDatabase _target = null!;
    private WatchedBroker _broker = null!;

    [TearDown]
    public async Task StopBroker()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        if (_target is not null) await _target.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
        if (_store is not null) await _store.DisposeAsync();
    }

    [TestCase(false, TestName = "No_secret_stays_behind_with_SQLite")]
    [TestCase(true, TestName = "No_secret_stays_behind_with_PostgreSQL")]
    [CancelAfter(180_000)]
    public async Task No_secret_stays_behind(bool postgres)
    {
        await StartAsync(postgres);
        await RegisterAsync();
        var agentToken = Agent("agent-1");
        using var agent = _broker.Connect(agentToken);
        var task = (await agent.Tasks.CreateTaskAsync(new() { Task = new AgentTask { Intent = new Intent { What = "count the reports" } } })).Name;
        var token = await IssueAsync(agent, task, "providers/tokens/roles/role", "token");
        var login = await IssueAsync(agent, task, $"providers/{DatabaseStory.Provider}/roles/role", "password");
        await IssueAsync(agent, task, "providers/scripted/roles/role", "password");
        await IssueByRestAsync(agentToken, task);

        // A session of its own keeps its last statement in sight at the target.
        await using var session = new NpgsqlConnection(_database.ConnectionStringFor(login.Credential.ToDictionary()["username"].Value, login.Credential.ToDictionary()["password"].Value));
        await session.OpenAsync();
        await ProvokeAsync(agent, agentToken, task, token.Credential.ToDictionary()["token"].Value);
        _answers.Add(("pg_stat_activity", await _database.ScalarAsync<string>("SELECT string_agg(row_to_json(a)::text, ' ') FROM pg_catalog.pg_stat_activity a") ?? ""));
        _answers.Add(("pg_authid", await _database.ScalarAsync<string>("SELECT string_agg(row_to_json(a)::text, ' ') FROM pg_catalog.pg_authid a") ?? ""));
        await session.CloseAsync();

        await agent.Tasks.EndTaskAsync(new() { Name = task, Outcome = Outcome.Failed });
        using var root = _broker.Connect(Operator());
        Keep("audit trail", await root.AuditEvents.ListAuditEventsAsync(new() { PageSize = 1000 }));
        Keep("receipt", await agent.Receipts.GetReceiptAsync(new() { Name = $"{task}/receipt" }));
        Keep("leases", await agent.Leases.ListLeasesAsync(new() { Parent = task }));
        Keep("provider", await root.Providers.GetProviderAsync(new() { Name = $"providers/{DatabaseStory.Provider}" }));
        foreach (var made in _broker.Scripted.Target("one").Credentials) _search.Add($"the scripted password of {made.Name}", made.Password.Reveal());
        await _broker.StopAsync();

        _broker.Observed.AskMeters();
        var observed = _broker.Observed.All;
        var kinds = observed.Select(seen => seen.Where.Split(' ')[0]).Distinct().ToList();
        Assert.That(kinds, Does.Contain("Trace").And.Contain("Debug").And.Contain("Error").And.Contain("activity").And.Contain("metric").And.Contain("event"), "all of it was listened to");
        Assert.That(_search.Count, Is.GreaterThan(10));
        var found = observed.Concat(_answers).SelectMany(seen => _search.FindIn(seen.Where, seen.Text)).Concat(await StoreSearch.FindAsync(_broker.Place, _store, _search)).Distinct();
        Assert.That(string.Join('\n', found), Is.Empty);
    }

    [Test]
    public void A_planted_secret_is_found_wherever_and_however_it_is_written()
    {
        const string Secret = "a/planted+secret?of=\"thirty-two\"";
        _search.Add("the planted secret", Secret);
        using var observed = new Observed();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(observed).SetMinimumLevel(LogLevel.Trace));
        factory.CreateLogger("planted").LogTrace("It is {Secret}", Secret);
        using (var source = new System.Diagnostics.ActivitySource("planted"))
        using (var activity = source.StartActivity("it"))
        {
            activity!.SetTag("secret", Secret);
        }

        using (var events = new System.Diagnostics.Tracing.EventSource("planted-events")) events.Write("It", new { secret = Secret });
        var found = observed.All.SelectMany(seen => _search.FindIn(seen.Where, seen.Text)).ToList();
        Assert.That(found, Does.Contain("the planted secret in Trace log of planted").And.Contain("the planted secret in activity planted").And.Contain("the planted secret in event planted-events"));

        var bytes = Encoding.UTF8.GetBytes($"{{\"x\":\"{Secret}\"}}");
        string[] forms =
        [
            $"x{Secret}y", Convert.ToBase64String(bytes), Convert.ToBase64String(bytes[1..]), Convert.ToBase64String(bytes[2..]), Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes),
            "?a=" + Uri.EscapeDataString(Secret), JsonSerializer.Serialize(new { Secret }), Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_').TrimEnd('='),
        ];
        foreach (var form in forms) Assert.That(_search.FindIn("here", form), Has.Exactly(1).Items, form);
        Assert.That(_search.FindIn("here", Encoding.Unicode.GetBytes(Secret)), Has.Exactly(1).Items);
        Assert.That(_search.FindIn("here", Secret[..^1]), Is.Empty);
    }

    private async Task StartAsync(bool postgres)
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        if (postgres) _store = await PostgresServer.CreateDatabaseAsync();
        _target = await TargetDatabase.PrepareAsync(_database.ConnectionString, CancellationToken.None);
        _target.Settings.Host = "127.0.0.1";
        _broker = await WatchedBroker.StartAsync(_target, _store, _search);
    }

    private async Task RegisterAsync()
    {
        using var root = _broker.Connect(Operator());
        await Registration.RegisterAgentsAsync(root, _broker.Identity.Issuer, new Narrator(TextWriter.Null), CancellationToken.None);
        await ProviderAsync(root, "tokens", "token", new Struct(), "jwt", new Struct { Fields = { ["audience"] = Value.ForString("orders") } });
        await ProviderAsync(root, "scripted", "scripted", new Struct { Fields = { ["target"] = Value.ForString("one") } }, "scripted", new Struct());
        await ProviderAsync(root, "faulty", "faulty", new Struct { Fields = { ["target"] = Value.ForString("one") } }, "scripted", new Struct());
        var groups = Value.ForList(Value.ForString(_target.Group));
        var config = new Struct
        {
            Fields =
            {
                ["host"] = Value.ForString("127.0.0.1"),
                ["port"] = Value.ForNumber(_target.Settings.Port),
                ["database"] = Value.ForString(_database.Name),
                ["username"] = Value.ForString(_target.BrokerLogin),
                ["password"] = Value.ForStruct(new Struct { Fields = { ["source"] = Value.ForString("reports-db") } }),
                ["sslMode"] = Value.ForString("disable"),
                ["groups"] = groups,
            },
        };
        await ProviderAsync(root, DatabaseStory.Provider, "postgresql", config, "login", new Struct { Fields = { ["groups"] = groups } });
        const string Text = """
            permit (principal in IdentitySource::"agents", action == Action::"createTask", resource);
            permit (principal, action == Action::"issue", resource) when { context.task.openedByPerformer };
            permit (principal, action == Action::"introspect", resource);
            """;
        await root.PolicySets.CreatePolicySetAsync(new() { PolicySetId = "all", PolicySet = new PolicySet { Kind = PolicySet.Types.Kind.Scoped, Text = Text } });
    }

    private static async Task ProviderAsync(BrokerClient root, string name, string type, Struct config, string kind, Struct template)
    {
        await root.Providers.CreateProviderAsync(new() { ProviderId = name, Provider = new Provider { Type = type, Config = config } });
        await root.Roles.CreateRoleAsync(new() { Parent = $"providers/{name}", RoleId = "role", Role = new Role { Kind = kind, Template = template, MaxTtl = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)) } });
    }

    private async Task<IssueLeaseResponse> IssueAsync(BrokerClient agent, string task, string role, string field)
    {
        var issued = await agent.Leases.IssueLeaseAsync(new() { Parent = task, Role = role });
        var credential = issued.Credential.ToDictionary();
        Learn($"the {field} of {role}", credential[field].Value);
        _answers.Add(($"ToString of the answer for {role}", $"{issued} {issued.Clone()}"));
        _answers.Add(($"ToString of a field for {role}", $"{credential[field]} {credential.First()} {issued.Credential} {credential}"));
        return issued;
    }

    private async Task IssueByRestAsync(string agentToken, string task)
    {
        var answer = await RestAsync(agentToken, $"/v1/{task}/leases:issue", """{"role":"providers/tokens/roles/role"}""");
        Learn("the token issued by REST", JsonDocument.Parse(answer).RootElement.GetProperty("credential").GetProperty("fields").GetProperty("token").GetProperty("value").GetString()!);
    }

    /// <summary>What goes wrong, in every place where somebody might write down more than they should.</summary>
    private async Task ProvokeAsync(BrokerClient agent, string agentToken, string task, string leaseToken)
    {
        var calls = _broker.Scripted.Target("one").Calls;
        calls.Next(ScriptedOperation.Issue, ScriptedStep.LosesTheAnswer(), ScriptedStep.Refuses(ProviderFault.Misconfigured));
        await FailAsync(agent, task, "providers/scripted/roles/role");
        await FailAsync(agent, task, "providers/scripted/roles/role");
        await FailAsync(agent, task, "providers/faulty/roles/role");
        await FailAsync(agent, task, "providers/tokens/roles/absent");
        await _database.ExecuteAsync($"ALTER ROLE {_target.Group} RENAME TO {_target.Group}_away");
        await FailAsync(agent, task, $"providers/{DatabaseStory.Provider}/roles/role");
        await _database.ExecuteAsync($"ALTER ROLE {_target.Group}_away RENAME TO {_target.Group}");

        // A credential in the wrong place, a token of somebody unknown, and one that is cut.
        foreach (var wrong in new[] { leaseToken, agentToken[..^2], _broker.Identity.Mint("agent-1", "somebody-else") })
        {
            Learn($"a rejected token {_search.Count}", wrong);
            _answers.Add(("answer to a rejected token", await RestAsync(wrong, "/v1/tasks", """{"task":{}}""")));
            using var stranger = _broker.Connect(wrong);
            await FailAsync(stranger, task, "providers/tokens/roles/role");
        }

        _answers.Add(("answer to what is no JSON", await RestAsync(agentToken, $"/v1/{task}/leases:issue", $$"""{"role": {{leaseToken}}""")));
        _answers.Add(("answer to an unknown member", await RestAsync(agentToken, $"/v1/{task}/leases:issue", $$"""{"role": "providers/tokens/roles/role", "token": "{{leaseToken}}"}""")));
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("token", leaseToken)]);
        var introspected = await SendAsync(agentToken, "/oauth2/introspect", form);
        Assert.That(introspected, Does.Contain("\"active\":true"));
        _answers.Add(("introspection", introspected));

        // The configured password is wrong from here on.
        var wrongPassword = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(24));
        _search.Add("the wrong password", wrongPassword);
        _broker.Place.Write("database.password", wrongPassword);
        using var root = _broker.Connect(Operator());
        await FailAsync(() => root.Providers.CheckProviderAsync(new() { Name = $"providers/{DatabaseStory.Provider}" }).ResponseAsync);
        await FailAsync(() => root.Providers.CheckProviderAsync(new() { Name = "providers/faulty" }).ResponseAsync);
        await FailAsync(agent, task, $"providers/{DatabaseStory.Provider}/roles/role");
        _broker.Place.Write("database.password", _target.Password);
    }

    private Task FailAsync(BrokerClient client, string task, string role) => FailAsync(() => client.Leases.IssueLeaseAsync(new() { Parent = task, Role = role }).ResponseAsync);

    private async Task FailAsync<T>(Func<Task<T>> call)
    {
        try
        {
            _answers.Add(("answer", $"{await call()}"));
        }
        catch (Exception e) when (e is RpcException or BrokerException)
        {
            _answers.Add(("error", $"{e} {(e as RpcException)?.Trailers.Select(entry => entry.IsBinary ? Encoding.Latin1.GetString(entry.ValueBytes) : entry.Value).Aggregate("", (all, one) => all + one)}"));
        }
    }

    private async Task<string> RestAsync(string token, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await SendAsync(token, path, content);
    }

    private async Task<string> SendAsync(string token, string path, HttpContent content)
    {
        using var http = new HttpClient { BaseAddress = _broker.Place.Http };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    private string Agent(string subject)
    {
        var token = _broker.Identity.Mint(subject, Installation.AgentAudience, new() { ["run"] = "1", ["team"] = "research" });
        Learn($"the token of {subject}", token);
        return token;
    }

    private string Operator()
    {
        var token = _broker.Identity.Mint("root", Installation.OperatorAudience);
        Learn($"the operator's token {_search.Count}", token);
        return token;
    }

    private void Learn(string what, string secret)
    {
        if (secret.Split('.').Length == 3) _search.AddToken(what, secret);
        else _search.Add(what, secret);
    }

    private void Keep(string where, object message) => _answers.Add((where, $"{message}"));
}
