using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Policies;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Lines that keep tasks alive: what their holders are told, when, and what that costs.</summary>
public sealed class HeldLineTests : EngineTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(8);

    private HeldLines Lines => Broker.Get<HeldLines>();

    [Test]
    public async Task An_end_on_this_node_is_told_without_any_look()
    {
        var agent = await Broker.CallerAsync();
        var parent = await Broker.TaskAsync(agent, heartbeat: Interval);
        var child = await Broker.TaskAsync(agent, parent.Id, heartbeat: Interval);
        var other = await Broker.TaskAsync(agent, heartbeat: Interval);
        using var ofChild = await HoldAsync(agent, child);
        using var ofParent = await HoldAsync(agent, parent);
        using var ofOther = await HoldAsync(agent, other);
        var news = ofParent.NextAsync(CancellationToken.None);
        Assert.That(news.IsCompleted, Is.False);

        Ok(await Broker.Get<TaskService>().EndAsync(agent, parent.Id, TaskOutcome.Succeeded, CancellationToken.None));
        Assert.That(await news, Is.InstanceOf<LineNews.Ended>());
        Assert.That(await ofChild.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Ended>());
        Assert.That(ofOther.NextAsync(CancellationToken.None).IsCompleted, Is.False);
    }

    [Test]
    public async Task A_deadline_that_passes_is_told_by_the_look_that_ends_the_task()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, ttl: TimeSpan.FromSeconds(5), heartbeat: Interval);
        using var line = await HoldAsync(agent, task);
        Broker.Time.Advance(TimeSpan.FromSeconds(5));
        await Broker.LookAsync();
        Assert.That(await line.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Ended>());
    }

    [Test]
    public async Task An_end_on_another_node_is_found_within_the_interval()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, heartbeat: Interval);
        using var line = await HoldAsync(agent, task);
        // As another node does it: in the database, past this node's service.
        await Broker.Get<ITaskStore>().EndAsync(new TaskEnd(task.Id, TaskOutcome.Failed, TaskEndReason.Ended, Actor.Broker), CancellationToken.None);
        var news = line.NextAsync(CancellationToken.None);
        Broker.Time.Advance(Interval - TimeSpan.FromSeconds(1));
        Assert.That(await Lines.LookAsync(CancellationToken.None), Is.EqualTo(Broker.Time.Now() + TimeSpan.FromSeconds(1)));
        Assert.That(news.IsCompleted, Is.False);
        Broker.Time.Advance(TimeSpan.FromSeconds(1));
        await Lines.LookAsync(CancellationToken.None);
        Assert.That(await news, Is.InstanceOf<LineNews.Ended>());
    }

    [Test]
    public async Task A_held_line_keeps_its_task_alive_and_a_released_one_does_not()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, heartbeat: Interval);
        var line = await HoldAsync(agent, task);
        for (var i = 0; i < 10; i++)
        {
            Broker.Time.Advance(Interval);
            await Lines.LookAsync(CancellationToken.None);
            await Broker.LookAsync();
            Assert.That(await line.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Alive>());
        }

        line.Dispose();
        Assert.That(Lines.Count, Is.Zero);
        Broker.Time.Advance(Interval * 3);
        await Lines.LookAsync(CancellationToken.None);
        await Broker.LookAsync();
        Assert.That((await Broker.Get<ITaskStore>().FindAsync(task.Id, CancellationToken.None))!.EndReason, Is.EqualTo(TaskEndReason.HeartbeatLost));
    }

    [Test]
    public async Task A_line_on_a_token_that_has_expired_keeps_nothing_alive()
    {
        var agent = await Broker.CallerAsync();
        agent = agent with { Identity = agent.Identity with { ExpiresAt = Broker.Time.Now() + TimeSpan.FromSeconds(4) } };
        var task = await Broker.TaskAsync(agent, heartbeat: Interval);
        using var line = await HoldAsync(agent, task);
        for (var i = 0; i < 4; i++)
        {
            Broker.Time.Advance(Interval);
            await Lines.LookAsync(CancellationToken.None);
            await Broker.LookAsync();
        }

        Assert.That(await line.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Ended>());
        Assert.That((await Broker.Get<ITaskStore>().FindAsync(task.Id, CancellationToken.None))!.EndReason, Is.EqualTo(TaskEndReason.HeartbeatLost));
    }

    [Test]
    public async Task Whoever_no_longer_may_act_on_the_task_is_told_so()
    {
        var agent = await Broker.CallerAsync(instance: null);
        var task = await Broker.TaskAsync(agent, heartbeat: Interval);
        using var line = await HoldAsync(agent, task);
        Ok(await Resources.DeleteAsync(Registry.RegistryAuthor.Operator, Registry.ResourceTypes.PolicySet, "agents", null, new Registry.ChangeOptions(), CancellationToken.None));
        Broker.Time.Advance(Interval);
        await Lines.LookAsync(CancellationToken.None);
        Assert.That(await line.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Refused>());
    }

    [Test]
    public async Task A_holder_that_reads_slowly_still_learns_of_the_end()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, heartbeat: Interval);
        using var line = await HoldAsync(agent, task);
        Lines.Ended(task.Id);
        Broker.Time.Advance(Interval);
        await Lines.LookAsync(CancellationToken.None);
        Assert.That(await line.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Ended>(), "no sign of life takes its place");
    }

    [Test]
    public async Task Holds_a_few_lines_of_a_task_and_refuses_more()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent, heartbeat: Interval);
        var held = new List<HeldLine>();
        for (var i = 0; i < HeldLines.MostPerTask; i++) held.Add(await HoldAsync(agent, task));
        Assert.That(Refused(await Lines.HoldAsync(agent, task.Id, CancellationToken.None)).Reason, Is.EqualTo(Reasons.QuotaExceeded));
        held[0].Dispose();
        using var again = await HoldAsync(agent, task);
        foreach (var line in held) line.Dispose();
    }

    [Test]
    public async Task Ten_thousand_lines_cost_the_database_a_few_batches()
    {
        var agent = await Broker.CallerAsync();
        var template = await Broker.TaskAsync(agent, heartbeat: Interval);
        var store = new CountingTasks(template, Broker.Time);
        var lines = new HeldLines(store, new TaskAccess(store, Broker.Get<Decider>(), Broker.Get<Audit.DenialLog>()), new BrokerLimits(), Broker.Time);
        for (var i = 0; i < 10_000; i++) Ok(await lines.HoldAsync(agent, Uid.New(Broker.Time), CancellationToken.None));
        store.Reads = store.Writes = 0;
        for (var second = 0; second < 16; second++)
        {
            Broker.Time.Advance(TimeSpan.FromSeconds(1));
            await lines.LookAsync(CancellationToken.None);
        }

        Assert.That(store.Reads, Is.EqualTo(2 * 20), "two looks at each in sixteen seconds, 500 at a time");
        Assert.That(store.Writes, Is.EqualTo(20), "and one sign of life");
    }

    /// <summary>A line whose first news was read.</summary>
    private async Task<HeldLine> HoldAsync(Caller caller, AgentTask task)
    {
        var line = Ok(await Lines.HoldAsync(caller, task.Id, CancellationToken.None));
        Assert.That(await line.NextAsync(CancellationToken.None), Is.InstanceOf<LineNews.Alive>());
        return line;
    }

    /// <summary>A store that has every task, all of one kind, and counts what it is asked.</summary>
    private sealed class CountingTasks(AgentTask template, TimeProvider time) : ITaskStore
    {
        private readonly Dictionary<Uid, DateTimeOffset> _aliveUntil = [];

        public int Reads { get; set; }

        public int Writes { get; set; }

        public Task<AgentTask?> FindAsync(Uid task, CancellationToken cancellationToken) => Task.FromResult<AgentTask?>(Of(task));

        public Task<Page<AgentTask>> ListAsync(TaskQuery query, PageRequest page, CancellationToken cancellationToken)
        {
            Reads++;
            return Task.FromResult(new Page<AgentTask>([.. query.Among!.Select(Of)], null));
        }

        public Task KeepAliveAsync(IReadOnlyList<SignOfLife> signs, CancellationToken cancellationToken)
        {
            Writes++;
            foreach (var sign in signs) _aliveUntil[sign.Task] = sign.AliveUntil;
            return Task.CompletedTask;
        }

        public Task<CreateTaskOutcome> CreateAsync(NewTask task, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<EndTaskOutcome> EndAsync(TaskEnd end, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<AgentTask>> EndOverdueAsync(int batch, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<AgentTask?> BindPerformerAsync(Uid task, PerformerBinding binding, Actor by, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<DateTimeOffset?> NextDueAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        private AgentTask Of(Uid id)
        {
            if (!_aliveUntil.TryGetValue(id, out var until)) _aliveUntil[id] = until = time.Now() + (Interval * 3);
            return template with { Id = id, Path = id.ToString(), AliveUntil = until };
        }
    }
}
