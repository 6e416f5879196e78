using CredBroker.TestSupport.Harness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>A broker on SQLite for each test.</summary>
public abstract class EngineTests
{
    private string _folder = "";

    protected BrokerHarness Broker { get; private set; } = null!;

    protected virtual BrokerLimits Limits => new();

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
}
