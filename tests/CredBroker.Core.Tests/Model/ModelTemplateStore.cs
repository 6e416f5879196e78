using CredBroker.Abstractions;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Core.Workloads;
using CredBroker.TestSupport.Harness;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Model;

/// <summary>A database with everything registered and nothing issued, made once: each history begins with a copy.</summary>
internal sealed class ModelTemplateStore
{
    public const string Provider = "modelled";
    public static readonly IReadOnlyList<string> Roles = ["plain", "two-steps", "expiring"];
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    public static readonly BrokerLimits Limits = new();
    public static readonly byte[] WrappingKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    public static readonly InstallationOptions Installation = new() { Id = "test01", PublicUrl = "http://127.0.0.1:1", WrappingKey = WrappingKey };
    private static readonly Lazy<ModelTemplateStore> Once = new(() => Task.Run(MakeAsync).GetAwaiter().GetResult());
    private byte[] _database = [];

    private ModelTemplateStore(Caller agent, Caller root) => (Agent, Root) = (agent, root);

    public static ModelTemplateStore Instance => Once.Value;

    /// <summary>The workload that all tasks belong to.</summary>
    public Caller Agent { get; }

    /// <summary>Who may suspend.</summary>
    public Caller Root { get; }

    public void CopyTo(string path) => File.WriteAllBytes(path, _database);

    private static async Task<ModelTemplateStore> MakeAsync()
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-model-").FullName;
        try
        {
            var path = Path.Combine(folder, "broker.db");
            var time = new FakeTimeProvider(Start - TimeSpan.FromMinutes(1));
            var type = new ModelProviderType(new ModelTarget(time), time, new NoCalls());
            ModelTemplateStore made;
            await using (var broker = await StoreHarness.SqliteAsync(path, Limits, time: time, more: services => services.AddSingleton<IProviderType>(type)))
            {
                var registry = broker.Get<RegistryService>();
                Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, Provider, null, new ProviderSpec { Type = type.Name, Config = Document<ModelConfiguration>.Write(new()) }, new ChangeOptions(), CancellationToken.None));
                foreach (var role in Roles)
                {
                    var template = new ModelTemplate { TwoSteps = role == "two-steps", ExpiresOnly = role == "expiring" };
                    Ok(await registry.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, role, Provider, new RoleSpec { Kind = "model", Template = Document<ModelTemplate>.Write(template) }, new ChangeOptions(), CancellationToken.None));
                }

                var root = await broker.CallerAsync("root");
                made = new ModelTemplateStore(await broker.CallerAsync(), root with { IsRoot = true, Identity = root.Identity with { OperatorOwned = true } });
            }

            await using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
            {
                await connection.OpenAsync();
                await using var whole = new SqliteCommand("PRAGMA wal_checkpoint(TRUNCATE)", connection);
                await whole.ExecuteNonQueryAsync();
            }

            made._database = await File.ReadAllBytesAsync(path);
            return made;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class NoCalls : INodeCalls
    {
        public Task<Turn> SentAsync(string operation, string name, DateTimeOffset possibleUntil) => Task.FromResult(Turn.Acts);

        public Task<bool> AnsweredAsync(string operation, string name) => Task.FromResult(true);
    }
}
