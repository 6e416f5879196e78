using CredBroker.EntityFrameworkCore.Hosting;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

/// <summary>What every database must pass: the contract of the store interfaces, and the races. One derived class for each database.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public abstract partial class StoreSuite : IAsyncDisposable
{
    private readonly List<StoreNode> _nodes = [];

    /// <summary>The database.</summary>
    public abstract DatabaseKind Kind { get; }

    /// <summary>The clock of all nodes.</summary>
    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>The database of this test.</summary>
    protected StoreDatabase Database { get; private set; } = null!;

    /// <summary>The first node.</summary>
    protected StoreNode Node { get; private set; } = null!;

    /// <summary>What leases are made of.</summary>
    protected StoreWorld World { get; private set; } = null!;

    /// <summary>Makes the database, a node and a world.</summary>
    [SetUp]
    public async Task StartAsync()
    {
        Database = await StoreDatabase.CreateAsync(Kind).ConfigureAwait(false);
        Node = await StartNodeAsync().ConfigureAwait(false);
        World = await StoreWorld.CreateAsync(Node).ConfigureAwait(false);
    }

    /// <summary>Stops the nodes and drops the database.</summary>
    [TearDown]
    public async Task StopAsync() => await DisposeAsync().ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopNodesAsync().ConfigureAwait(false);
        if (Database is { } database) await database.DisposeAsync().ConfigureAwait(false);
        Database = null!;
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts a node that is stopped with the test.</summary>
    protected async Task<StoreNode> StartNodeAsync()
    {
        var node = await Database.StartAsync(Time).ConfigureAwait(false);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Another node where the database takes several, else the same.</summary>
    protected Task<StoreNode> OtherNodeAsync() => Database.TakesSeveralNodes ? StartNodeAsync() : Task.FromResult(Node);

    /// <summary>Stops the node and starts it again on the same database.</summary>
    protected async Task RestartAsync()
    {
        await StopNodesAsync().ConfigureAwait(false);
        Node = await StartNodeAsync().ConfigureAwait(false);
    }

    /// <summary>Stops all nodes.</summary>
    protected async Task StopNodesAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync().ConfigureAwait(false);
        _nodes.Clear();
    }

    private static CancellationToken None => CancellationToken.None;
}
