using CredBroker.Abstractions;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Workloads;
using CredBroker.TestSupport.Harness;
using Microsoft.Extensions.DependencyInjection;

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
        Broker = await StoreHarness.SqliteAsync(Database, Limits);
    }

    /// <summary>The database's file.</summary>
    protected string Database => Path.Combine(_folder, "broker.db");

    /// <summary>Starts the broker again with something otherwise: on a new database, or on the same with the same targets.</summary>
    protected async Task RestartAsync(Action<IServiceCollection> more, bool keep = false)
    {
        var (time, scripted) = keep ? (Broker.Time, Broker.Scripted) : (null, null);
        await Broker.DisposeAsync();
        if (!keep)
        {
            Directory.Delete(_folder, recursive: true);
            Directory.CreateDirectory(_folder);
        }

        Broker = await StoreHarness.SqliteAsync(Database, Limits, register: !keep, time, scripted, more);
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

    /// <summary>The question whether an agent may have the role <c>read</c> for ten minutes, with these parameters.</summary>
    protected async Task<IssueQuestion> IssueQuestionAsync(params (string Name, string Value)[] parameters)
    {
        var caller = await Broker.CallerAsync();
        Assert.That(Broker.Get<Catalog>().Current.TryFindRole("db", "read", out var provider, out var role));
        return new IssueQuestion
        {
            Action = "issue",
            Caller = caller,
            Task = await Broker.TaskAsync(caller),
            Ancestors = [],
            Provider = provider!,
            Role = role!,
            Parameters = Parameters(parameters),
            Destination = "",
            Revocability = new Revocability(RevocabilityKind.DeletesAndCutsSessions, TimeSpan.Zero, ""),
            CanMint = false,
            Ttl = TimeSpan.FromMinutes(10),
        };
    }

    protected static SortedDictionary<string, string> Parameters(params (string Name, string Value)[] pairs) =>
        new(pairs.ToDictionary(pair => pair.Name, pair => pair.Value), StringComparer.Ordinal);
}
