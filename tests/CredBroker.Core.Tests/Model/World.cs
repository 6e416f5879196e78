using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.EntityFrameworkCore;
using CredBroker.EntityFrameworkCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Model;

/// <summary>
/// Two nodes, one database, one target and one clock, driven by a history of numbers: each decides one step. Between two steps every call of the engine to a
/// store or to the target waits, so that any other may precede it, its node may die, or its answer may be lost. The same history is the same story.
/// </summary>
internal sealed class World : IDisposable
{
    /// <summary>How long after the last fault everything that has to be dead is proven so: a node's claim, and the longest pause after a lease's own errors.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromMinutes(7);

    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-model-").FullName;
    private readonly ServiceProvider _store;
    private readonly SynchronizationContext? _outer = SynchronizationContext.Current;
    private readonly List<Waiting> _waiting = [];
    private readonly List<string> _story = [];
    private readonly List<string> _names = [];
    private readonly ModelNode[] _nodes;
    private readonly Work _work;
    private readonly Corners _corners;
    private int _started;

    private World()
    {
        Target = new ModelTarget(Time);
        var path = Path.Combine(_folder, "broker.db");
        ModelTemplateStore.Instance.CopyTo(path);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddCredBrokerStore(options =>
        {
            options.UseSqlite(path);
            options.WrappingKey = ModelTemplateStore.WrappingKey;
        });
        Stores = NodeStores.Of(services);
        _store = services.BuildServiceProvider();
        Pump = new Pump();
        Pump.Outside(async () =>
        {
            await _store.GetRequiredService<BrokerDatabase>().MigrateAsync(CancellationToken.None);
            return true;
        });
        SynchronizationContext.SetSynchronizationContext(Pump);
        Promises = new Promises(this, path);
        _nodes = [Start("A"), Start("B")];
        _work = new Work(this);
        _corners = new Corners(this, _work);
    }

    public FakeTimeProvider Time { get; } = new(ModelTemplateStore.Start);

    public Pump Pump { get; }

    public ModelTarget Target { get; }

    public Promises Promises { get; }

    public IServiceProvider Store => _store;

    public IReadOnlyList<Type> Stores { get; }

    /// <summary>Whether anything may fail now.</summary>
    public bool Faulty { get; private set; } = true;

    /// <summary>How the next call to the target goes; null for what chance says.</summary>
    public Turn? Next { get; set; }

    /// <summary>The one provider.</summary>
    public Uid ProviderUid => _nodes[0].Get<Catalog>().Current.Providers[ModelTemplateStore.Provider].Entry.Uid;

    /// <summary>What happened, step by step: without anything that differs between two runs.</summary>
    public string Story => string.Join('\n', _story.TakeLast(120));

    public T StoreOf<T>()
        where T : notnull => _store.GetRequiredService<T>();

    /// <summary>Lives through a history, and then through the time that it takes until all is over. Answers its story and what happened in it.</summary>
    /// <exception cref="BrokenPromiseException">A promise did not hold.</exception>
    public static (string Story, IReadOnlyDictionary<string, int> Happened) Live(IReadOnlyList<uint> history)
    {
        using var world = new World();
        foreach (var number in history) world.Step(new Draw(number));
        world.End(leaveTasks: history.Count > 0 && history[^1] % 2 == 1);
        return (string.Join('\n', world._story), world.Promises.Happened);
    }

    /// <summary>A lease's name as the story has it.</summary>
    public string Short(string name)
    {
        if (!_names.Contains(name)) _names.Add(name);
        return "#" + (_names.IndexOf(name) + 1);
    }

    public void Tell(string what) => _story.Add($"{(Time.GetUtcNow() - ModelTemplateStore.Start).TotalSeconds,9:0.000} {what}");

    /// <summary>A call of a node waits until a step lets it go on. It never does if the node dies first: then <paramref name="act"/> may still happen.</summary>
    public Task<T> WaitAsync<T>(ModelNode node, string what, Func<Draw, T> decide, Action? act)
    {
        var source = new TaskCompletionSource<T>();
        if (node.Dead) return source.Task;
        _waiting.Add(new Waiting(node, what, draw =>
        {
            var decided = decide(draw);
            Tell($"{what}: {decided}");
            source.SetResult(decided);
        }, act));
        return source.Task;
    }

    /// <summary>A node does one thing to its end, while everything else waits.</summary>
    public void Rush(ModelNode node, Draw draw, Task until)
    {
        for (var more = 20; more > 0 && !until.IsCompleted && _waiting.FindLastIndex(waiting => waiting.Node == node) is >= 0 and var index; more--) GoOn(index, draw);
    }

    /// <summary>A node goes on until it comes to a call, which then waits. Answers whether it did.</summary>
    public bool GoOnUntil(ModelNode node, string what, Draw draw)
    {
        for (var more = 40; more > 0; more--)
        {
            if (_waiting.Any(waiting => waiting.Node == node && waiting.What.Contains(what, StringComparison.Ordinal))) return true;
            if (_waiting.FindLastIndex(waiting => waiting.Node == node) is not (>= 0 and var index)) return false;
            GoOn(index, draw);
        }

        return false;
    }

    /// <summary>A node goes on until something is done, or nothing of it waits any more.</summary>
    public void RunOut(ModelNode node, Draw draw, Task? until = null)
    {
        SettleNow();
        for (var more = 40; more > 0 && until?.IsCompleted != true && _waiting.FindLastIndex(waiting => waiting.Node == node) is >= 0 and var index; more--) GoOn(index, draw);
    }

    /// <summary>Time passes until then.</summary>
    public void AdvanceTo(DateTimeOffset then)
    {
        if (then > Time.GetUtcNow()) Advance(then - Time.GetUtcNow());
    }

    /// <summary>What is ready goes on, and the promises are held against what came of it.</summary>
    public void SettleNow() => Settle();

    public void Dispose()
    {
        SynchronizationContext.SetSynchronizationContext(_outer);
        Promises.Dispose();
        _store.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Directory.Delete(_folder, recursive: true);
    }

    private void Step(Draw draw)
    {
        Advance(TimeSpan.FromMilliseconds(1));
        switch (draw.Next(100))
        {
            case < 59 when _waiting.Count > 0:
                Release(draw);
                break;
            case 59 or 98:
                var first = draw.Next(_nodes.Length);
                _corners.Turn(draw, _nodes[first], _nodes[1 - first]);
                break;
            case < 86:
                _work.Begin(draw, draw.Of(_nodes));
                break;
            case < 91:
                Advance(TimeSpan.FromSeconds(draw.Of<double>([0.2, 0.5, 1, 1, 2, 3, 5, 9, 12, 31])));
                break;
            case < 94:
                Overtake(draw);
                break;
            case < 96 when Target.OnTheWay > 0:
                Arrive(draw);
                break;
            case < 98 when Target.IsAnother || draw.OneIn(3):
                Target.Identity = Target.IsAnother ? ModelTarget.Home : "model:another";
                Tell($"at the target answers {Target.Identity}");
                break;
            case 99 when draw.OneIn(2):
                Kill(draw.Of(_nodes), draw);
                break;
        }

        if (Target.IsAnother && draw.OneIn(8)) Target.Identity = ModelTarget.Home;
        Settle();
    }

    /// <summary>One call goes on, and often what follows from it.</summary>
    private void Release(Draw draw)
    {
        GoOn(draw.Next(_waiting.Count), draw);
        for (var more = draw.Next(9); more > 0 && _waiting.Count > 0 && (_waiting[^1].Act is not null || draw.OneIn(2)); more--) GoOn(_waiting.Count - 1, draw);
    }

    /// <summary>One node stands still longer than its claims last, while the other goes on.</summary>
    private void Overtake(Draw draw)
    {
        var node = draw.Of(_nodes);
        Advance(TimeSpan.FromSeconds(draw.Of([31, 41, 61])));
        _work.Look(node);
        Settle();
        for (var more = 20; more > 0 && _waiting.FindLastIndex(waiting => waiting.Node == node) is >= 0 and var index; more--) GoOn(index, draw);
    }

    private void GoOn(int index, Draw draw)
    {
        var waiting = _waiting[index];
        _waiting.RemoveAt(index);
        waiting.Go(draw);
        Settle();
    }

    private void Settle()
    {
        Pump.Drain();
        _work.Settle();
        Promises.Hold();
    }

    private void Arrive(Draw draw)
    {
        var lost = draw.OneIn(3);
        Tell($"what was sent for {Short(Target.Arrive(draw.Next(Target.OnTheWay), lost))} {(lost ? "is lost" : "arrives")}");
        Promises.Note("late effect");
    }

    /// <summary>Time passes; what is on its way arrives at its last moment.</summary>
    private void Advance(TimeSpan by)
    {
        var until = Time.GetUtcNow() + by;
        if (by >= TimeSpan.FromMilliseconds(100)) Tell($"{by.TotalSeconds} s pass");
        while (Target.NextArrival is { } next && next <= until)
        {
            Time.Advance(next - Time.GetUtcNow());
            Target.ArriveUntil(next);
            Tell("what was sent arrives at the last moment");
            Settle();
        }

        Time.Advance(until - Time.GetUtcNow());
        Settle();
    }

    /// <summary>A node dies at once, and another starts in its place. What it had sent to the database or the target may still be done there.</summary>
    public void Kill(ModelNode node, Draw draw)
    {
        node.Kill();
        Promises.Note("killed");
        Tell($"{node.Name} is killed");
        foreach (var waiting in _waiting.Where(waiting => waiting.Node == node).ToList())
        {
            _waiting.Remove(waiting);
            if (waiting.Act is not { } act || !draw.OneIn(2)) continue;
            Tell($"what {waiting.What} was sent for is done");
            try
            {
                act();
            }
            catch (StoreUnavailableException)
            {
                continue; // Nobody is there to be told.
            }
        }

        _work.Forget(node);
        _nodes[Array.IndexOf(_nodes, node)] = Start(node.Name);
    }

    private ModelNode Start(string name) => new(this, name, ++_started);

    /// <summary>Nothing fails any more, and every task ends, or is left until everything it holds has expired: within a bound all of it is proven dead.</summary>
    private void End(bool leaveTasks)
    {
        Faulty = false;
        Next = null;
        Target.Identity = ModelTarget.Home;
        var draw = new Draw(0);
        Tell("nothing fails any more");
        while (_waiting.Count > 0) GoOn(0, draw);
        foreach (var task in Promises.Look().Tasks.Values.Where(task => task.EndedAt is null && !leaveTasks))
            Pump.Outside(() => StoreOf<Tasks.ITaskStore>().EndAsync(new(task.Id, Tasks.TaskOutcome.Succeeded, Tasks.TaskEndReason.Ended, Audit.Actor.Broker), CancellationToken.None));
        var started = Time.GetUtcNow();
        while (!IsOver() && Time.GetUtcNow() < started + Bound + _work.LongestLife)
        {
            foreach (var node in _nodes) _work.Look(node);
            Settle();
            while (_waiting.Count > 0) GoOn(0, draw);
            Promises.AllIsMoving();
            if (!IsOver()) Advance(ToTheNextDue());
        }

        while (_waiting.Count > 0) GoOn(0, draw);
        Promises.AllIsOver();
        if (Pump.Strangers > 0) throw new InvalidOperationException("Another thread interfered: the history is not repeatable.");
    }

    private TimeSpan ToTheNextDue()
    {
        var wait = Promises.Look().Leases.Where(lease => lease.DueAt > Time.GetUtcNow()).Min(lease => lease.DueAt) - Time.GetUtcNow();
        return wait < TimeSpan.FromSeconds(20) || wait is null ? TimeSpan.FromSeconds(20) : wait.Value;
    }

    private bool IsOver() => Promises.Look() is { FanOuts: 0 } sight && sight.Leases.All(lease => !lease.Unproven);

    private sealed record Waiting(ModelNode Node, string What, Action<Draw> Go, Action? Act);
}
