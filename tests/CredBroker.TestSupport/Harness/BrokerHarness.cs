using System.Collections.Immutable;
using System.Net;
using CredBroker.Abstractions;
using CredBroker.Contracts;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Egress;
using CredBroker.Core.Hosting;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.TestSupport.Harness;

/// <summary>Core on a real store, with a clock and a target that a test controls. What is missing of the server is the transport.</summary>
public sealed class BrokerHarness : IAsyncDisposable
{
    public const string EverythingToAgents = """
        @id("agents") permit (principal in IdentitySource::"ci", action in [Action::"createTask", Action::"delegate", Action::"actOnTask", Action::"issue", Action::"renew"], resource);
        """;

    /// <summary>When a clock begins that nobody gave.</summary>
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static IReadOnlyList<StoredSigningKey> _keys = [];
    private readonly ServiceProvider _services;

    private BrokerHarness(ServiceProvider services, FakeTimeProvider time, ScriptedProviderType scripted)
    {
        _services = services;
        Time = time;
        Target = scripted.Target("one");
        Scripted = scripted;
    }

    public FakeTimeProvider Time { get; }

    public ScriptedProviderType Scripted { get; }

    public ScriptedTarget Target { get; }

    public Uid Source { get; private set; }

    public ILeaseStore Leases => Get<ILeaseStore>();

    public Core.Issuance.Issuance Issuance => Get<Core.Issuance.Issuance>();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Starts one on a store that <paramref name="addStore"/> registers and <paramref name="migrate"/> prepares.</summary>
    public static async Task<BrokerHarness> StartAsync(
        Action<IServiceCollection> addStore, Func<IServiceProvider, Task> migrate, BrokerLimits? limits = null, bool register = true, FakeTimeProvider? time = null, ScriptedProviderType? scripted = null, TimeProvider? machine = null)
    {
        time ??= new FakeTimeProvider(Start);
        scripted ??= new ScriptedProviderType(time);
        var services = new ServiceCollection()
            .AddLogging()
            .AddMetrics()
            .AddSingleton(machine ?? time)
            .AddSingleton(new InstallationOptions { Id = "test01", PublicUrl = "http://127.0.0.1:1", WrappingKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)] })
            .AddSingleton(new EgressPolicy())
            .AddSingleton<ISecretSources, NoSecrets>()
            .AddSingleton<IProviderType>(scripted)
            .AddCredBrokerCore(new CoreOptions(limits ?? new BrokerLimits(), null, BrokerSchema.ReadText()));
        addStore(services);
        var provider = services.BuildServiceProvider();
        try
        {
            await migrate(provider);
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }

        var harness = new BrokerHarness(provider, time, scripted);
        await EnsureKeysAsync(harness.Get<ISigningKeyStore>(), harness.Get<KeyRing>());
        if (register) await harness.RegisterAsync();
        else harness.Source = (await harness.Get<Catalog>().RefreshAsync(CancellationToken.None)).FindSource("ci")?.Uid ?? default;
        return harness;
    }

    /// <summary>A caller of the source <c>ci</c>, as its token would make it.</summary>
    public async Task<Caller> CallerAsync(string subject = "agent", string? instance = "run-1", params (string Name, string Value)[] attributes)
    {
        var identity = new AttestedIdentity
        {
            SourceUid = Source,
            SourceName = "ci",
            OperatorOwned = false,
            People = false,
            Environment = "",
            Subject = subject,
            StableIds = ImmutableSortedDictionary<string, string>.Empty.Add("id", subject),
            Instance = instance,
            Attributes = attributes.ToImmutableSortedDictionary(pair => "ci/" + pair.Name, pair => pair.Value),
            Teams = [],
            IssuedAt = Time.Now(),
            ExpiresAt = Time.Now().AddHours(1),
            TokenHash = $"{subject}/{instance}/{string.Join(',', attributes)}",
        };
        return Ok(await Get<CallerDirectory>().IdentifyAsync(identity, IPAddress.Loopback, CancellationToken.None));
    }

    /// <summary>A running task of a caller.</summary>
    public async Task<AgentTask> TaskAsync(Caller caller, Uid? parent = null, TimeSpan? ttl = null, TimeSpan? heartbeat = null, (string, string)? performer = null) =>
        Ok(await Get<TaskService>().CreateAsync(
            new CreateTaskCommand
            {
                Caller = caller,
                Intent = new Intent("read the orders", "", "", new Dictionary<string, string>()),
                Parent = parent,
                Ttl = ttl,
                HeartbeatInterval = heartbeat,
                Performer = performer,
            },
            CancellationToken.None));

    /// <summary>Asks for a credential of the role <c>read</c>.</summary>
    public Task<Result<IssuedLease>> IssueAsync(Caller caller, AgentTask task, string role = "read", TimeSpan? ttl = null, string requestId = "", int attempt = 0, CancellationToken cancellationToken = default) =>
        Issuance.IssueAsync(new IssueCommand { Caller = caller, Task = task.Id, Provider = "db", Role = role, Ttl = ttl, RequestId = requestId, Attempt = attempt }, cancellationToken);

    /// <summary>Looks, and waits until what it started has returned.</summary>
    public async Task LookAsync()
    {
        var dispatcher = Get<RevocationDispatcher>();
        await dispatcher.LookAsync(CancellationToken.None);
        await Until(() => dispatcher.Running == 0, "the attempts return");
    }

    /// <summary>Decides again what waits for that, to its end.</summary>
    public async Task ReevaluateAsync()
    {
        Time.Advance(Get<BrokerLimits>().ReevaluationDelay);
        var reevaluator = Get<Reevaluator>();
        while (true)
        {
            var next = await reevaluator.LookAsync(CancellationToken.None);
            if (next >= Time.Now().AddSeconds(1)) return;
            if (next > Time.Now()) Time.Advance(next - Time.Now());
        }
    }

    /// <summary>A lease as the store has it.</summary>
    public async Task<LeaseView> LeaseAsync(Uid lease) => await Leases.FindAsync(lease, CancellationToken.None) ?? throw new InvalidOperationException("There is no such lease.");

    /// <summary>All leases of a task.</summary>
    public async Task<IReadOnlyList<LeaseView>> LeasesOfAsync(AgentTask task) =>
        (await Leases.ListAsync(new LeaseQuery { Task = task.Id }, new PageRequest(1000, null), CancellationToken.None)).Items;

    /// <summary>The types of a task's audit events, in order.</summary>
    public async Task<IReadOnlyList<string>> StoryAsync(AgentTask task) =>
        [.. (await Get<IAuditLog>().ListAsync(new AuditQuery { Task = task.Id }, new PageRequest(1000, null), CancellationToken.None)).Items.Select(found => found.Draft.Type)];

    /// <summary>The value of a call that must have been done.</summary>
    public static T Ok<T>(Result<T> result) => result is Result<T>.Ok { Value: var value } ? value : throw new InvalidOperationException($"It was refused: {((Result<T>.Refused)result).Error}");

    /// <summary>The error of a call that must have been refused.</summary>
    public static BrokerError Refused<T>(Result<T> result) => result is Result<T>.Refused { Error: var error } ? error : throw new InvalidOperationException("It was not refused.");

    /// <summary>Waits, by real time and within a bound, for a condition that other threads bring about.</summary>
    public static async Task Until(Func<bool> holds, string what)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            if (bound.IsCancellationRequested) throw new TimeoutException($"In 30 s it did not come true that {what}.");
            await Task.Yield();
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    // Making an RSA key costs more than everything else that a test does: the first harness makes the keys, the others store the same.
    private static async Task EnsureKeysAsync(ISigningKeyStore store, KeyRing ring)
    {
        foreach (var key in Volatile.Read(ref _keys)) await store.TryAddAsync(key, CancellationToken.None);
        await ring.EnsureAsync(CancellationToken.None);
        if (Volatile.Read(ref _keys).Count == 0) Volatile.Write(ref _keys, await store.LoadAsync(CancellationToken.None));
    }

    private async Task RegisterAsync()
    {
        await Get<Catalog>().RefreshAsync(CancellationToken.None);
        var registry = Get<RegistryService>();
        var source = new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://ci.example", JwksUri = "https://ci.example/jwks", StableIdClaims = ["id"] } };
        Source = Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, source, new ChangeOptions(), CancellationToken.None)).Uid;
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("one") }, new ChangeOptions(), CancellationToken.None));
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), CancellationToken.None));
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "two-steps", "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template(new ScriptedTemplate { TwoSteps = true }) }, new ChangeOptions(), CancellationToken.None));
        Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = EverythingToAgents }, new ChangeOptions(), CancellationToken.None));
    }

    private sealed class NoSecrets : ISecretSources
    {
        public string? Refusal(string source, SecretConsumer consumer) => $"There is no secret source {source}.";

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) =>
            throw new ProviderException(ProviderFault.Misconfigured, "There are no secret sources here.", ProviderEffect.None);
    }
}
