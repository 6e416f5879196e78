using CredBroker.Abstractions;
using CredBroker.Contracts;
using CredBroker.Core.Clocks;
using CredBroker.Core.Egress;
using CredBroker.Core.Hosting;
using CredBroker.Core.Pressure;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Testing.Scripted;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.Core.Tests.Model;

/// <summary>One node: the whole engine, over stores and a provider whose every call is a step of the world. When it is killed, nothing of it ever goes on.</summary>
internal sealed class ModelNode : INodeCalls
{
    private static readonly Lazy<PolicySchema> Schema = new(() => new PolicySchema(BrokerSchema.ReadText()));
    private readonly ServiceProvider _services;

    public ModelNode(World world, string name, int seed)
    {
        (World, Name) = (world, name);
        var services = new ServiceCollection()
            .AddLogging()
            .AddMetrics()
            .AddSingleton(world.StoreOf<StoreTime>())
            .AddSingleton<TimeProvider>(world.StoreOf<StoreTime>())
            .AddSingleton<StorePressure>()
            .AddSingleton(ModelTemplateStore.Installation)
            .AddSingleton(new EgressPolicy())
            .AddSingleton<ISecretSources, NoSecretSources>()
            .AddSingleton<IProviderType>(new ScriptedProviderType(world.Time))
            .AddSingleton<IProviderType>(new ModelProviderType(world.Target, world.Time, this))
            .AddCredBrokerCore(new CoreOptions(ModelTemplateStore.Limits, null, ""))
            .AddSingleton(_ => Schema.Value)
            .AddSingleton(new Random(seed));
        NodeStores.Add(services, world.Store, world.Stores, this);
        _services = services.BuildServiceProvider();
        Starting = true;
        Get<KeyRing>().EnsureAsync(CancellationToken.None).GetAwaiter().GetResult();
        Get<Catalog>().RefreshAsync(CancellationToken.None).GetAwaiter().GetResult();
        Starting = false;
    }

    public World World { get; }

    public string Name { get; }

    /// <summary>Whether it starts, or does something at once: then nobody comes between its calls.</summary>
    public bool Starting { get; private set; }

    /// <summary>Whether it was killed.</summary>
    public bool Dead { get; private set; }

    /// <summary>Whether it looks for what is due.</summary>
    public bool Looking { get; set; }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public void Kill() => Dead = true;

    /// <summary>Does something to its end, while nobody comes between its calls to the stores.</summary>
    public void AtOnce(Func<Task> work)
    {
        Starting = true;
        try
        {
            work().GetAwaiter().GetResult();
        }
        finally
        {
            Starting = false;
        }
    }

    /// <summary>A call to a store is sent. Answers how it goes; <paramref name="run"/> is what it does at the database if its sender dies meanwhile.</summary>
    public Task<Commit> CommitAsync(string operation, Action run) => World.WaitAsync(this, $"{Name} {operation}", CommitOf, run);

    /// <inheritdoc/>
    public Task<Turn> SentAsync(string operation, string name, DateTimeOffset possibleUntil)
    {
        World.Promises.Sending(operation, name, possibleUntil);
        return World.WaitAsync(this, $"{Name} sends {operation} {World.Short(name)}", draw => TurnOf(operation, draw), null);
    }

    /// <inheritdoc/>
    public Task<bool> AnsweredAsync(string operation, string name) =>
        World.WaitAsync(this, $"{Name} is answered {operation} {World.Short(name)}", draw => !World.Faulty || !draw.OneIn(6), null);

    private Commit CommitOf(Draw draw) => !World.Faulty ? Commit.Answered : draw.Next(60) switch
    {
        0 => Commit.Refused,
        1 => Commit.AnswerLost,
        2 => Commit.LostOnTheWay,
        _ => Commit.Answered,
    };

    private Turn TurnOf(string operation, Draw draw)
    {
        if (World.Next is not { } next) return ByChance(operation, draw);
        World.Next = null;
        return next;
    }

    private Turn ByChance(string operation, Draw draw) => !World.Faulty ? Turn.Acts : (operation, draw.Next(16)) switch
    {
        (_, 0 or 1) => Turn.ActsLater,
        (_, 2) => Turn.Lost,
        ("issue", 3) => Turn.Refused,
        ("issue", 4) => Turn.HalfMade,
        ("revoke", 3) => Turn.Throttled,
        ("revoke", 4) => Turn.Stubborn,
        ("revoke", 5) => Turn.Settles,
        _ => Turn.Acts,
    };

    private sealed class NoSecretSources : ISecretSources
    {
        public string? Refusal(string source, SecretConsumer consumer) => "There are none.";

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) =>
            throw new ProviderException(ProviderFault.Misconfigured, "There are none.", ProviderEffect.None);
    }
}
