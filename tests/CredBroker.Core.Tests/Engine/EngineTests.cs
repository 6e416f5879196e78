using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;
using CredBroker.TestSupport.Harness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>A broker on SQLite for each test.</summary>
public abstract class EngineTests
{
    private string _folder = "";

    protected BrokerHarness Broker { get; private set; } = null!;

    protected virtual BrokerLimits Limits => new();

    protected RegistryService Resources => Broker.Get<RegistryService>();

    [SetUp]
    public async Task StartBroker()
    {
        _folder = Directory.CreateTempSubdirectory("credbroker-engine-").FullName;
        Broker = await StoreHarness.SqliteAsync(Path.Combine(_folder, "broker.db"), Limits);
    }

    [TearDown]
    public async Task StopBroker()
    {
        await Broker.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The operator's root, as its token would make it.</summary>
    protected async Task<Caller> RootAsync()
    {
        var person = await Broker.CallerAsync("root");
        return person with { IsRoot = true, Identity = person.Identity with { OperatorOwned = true } };
    }
}
