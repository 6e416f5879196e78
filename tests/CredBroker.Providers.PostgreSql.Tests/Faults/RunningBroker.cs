using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Egress;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Core.Signing;
using CredBroker.Core.Workloads;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Providers.PostgreSql.Tests.Faults;

/// <summary>The whole engine on a store of its own, at work by real time: what is missing of the server is the transport, and Quartz.</summary>
internal sealed class RunningBroker : IAsyncDisposable
{
    private readonly SqliteStoreDatabase _store;
    private readonly Secrets _secrets;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _working;

    private RunningBroker(SqliteStoreDatabase store, BrokerHarness harness, Secrets secrets, Caller agent)
    {
        (_store, Harness, _secrets, Agent) = (store, harness, secrets, agent);
        _working = Task.Run(WorkAsync);
    }

    public BrokerHarness Harness { get; }

    /// <summary>Whoever asks for credentials.</summary>
    public Caller Agent { get; }

    public static async Task<RunningBroker> StartAsync(BrokerLimits limits, string installation = "test01")
    {
        var (store, secrets) = (new SqliteStoreDatabase(), new Secrets());
        var harness = await StoreHarness.SqliteAsync(
            store.Path, limits, time: new FakeTimeProvider(TimeProvider.System.GetUtcNow()), machine: TimeProvider.System, more: services => services
                .AddSingleton<IProviderType, PostgreSqlProviderType>()
                .AddSingleton<ISecretSources>(secrets)
                .AddSingleton(new InstallationOptions { Id = installation, PublicUrl = "http://127.0.0.1:1", WrappingKey = SHA256.HashData(Encoding.UTF8.GetBytes(installation)) })
                .AddSingleton(new EgressPolicy { Allow = ["127.0.0.1"] }));
        return new RunningBroker(store, harness, secrets, await harness.CallerAsync());
    }

    /// <summary>Lets providers use a password.</summary>
    public void Keep(string source, string password) => _secrets.Known[source] = password;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _working;
        await Harness.DisposeAsync();
        await _store.DisposeAsync();
    }

    private async Task WorkAsync()
    {
        var dispatcher = Harness.Get<RevocationDispatcher>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token)) await dispatcher.LookAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The tests are over.
        }
    }

    private sealed class Secrets : ISecretSources
    {
        public ConcurrentDictionary<string, string> Known { get; } = new();

        public string? Refusal(string source, SecretConsumer consumer) => null;

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) => ValueTask.FromResult(new Secret(Known[source]));
    }
}
