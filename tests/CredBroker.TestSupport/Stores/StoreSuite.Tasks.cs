using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task A_task_is_found_as_it_was_created()
    {
        var made = World.NewTask(heartbeat: TimeSpan.FromSeconds(10));
        Assert.That(await Node.Tasks.CreateAsync(made, None), Is.EqualTo(new CreateTaskOutcome.Created(made.Task, false)));
        var found = (await Node.Tasks.FindAsync(made.Task.Id, None))!;
        Assert.That(found.Intent.Labels, Is.EqualTo(made.Task.Intent.Labels));
        Assert.That(found.PerformerAttributes, Is.EqualTo(made.Task.PerformerAttributes));
        Assert.That(found with { Intent = made.Task.Intent, PerformerAttributes = made.Task.PerformerAttributes }, Is.EqualTo(made.Task));
        Assert.That(await Node.Tasks.FindAsync(Uid.New(Time), None), Is.Null);
    }

    [Test]
    public async Task A_repeated_request_answers_the_task_that_it_made()
    {
        var request = new RequestKey([1], [2], 0);
        var first = World.NewTask() with { Request = request };
        await Node.Tasks.CreateAsync(first, None);
        var again = (CreateTaskOutcome.Created)await Node.Tasks.CreateAsync(World.NewTask() with { Request = request }, None);
        Assert.That((again.Task.Id, again.Repeated), Is.EqualTo((first.Task.Id, true)));
        Assert.That(await Node.Tasks.CreateAsync(World.NewTask() with { Request = request with { Body = [3] } }, None), Is.InstanceOf<CreateTaskOutcome.RequestMismatch>());
        Assert.That(await StoreWorld.CounterAsync(Node, $"tasks:{World.Workload}"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_tree_has_bounds()
    {
        var root = await World.CreateTaskAsync(Node);
        var child = World.NewTask(root) with { TreeDepth = 1, TreeSize = 3 };
        Assert.That(await Node.Tasks.CreateAsync(child, None), Is.InstanceOf<CreateTaskOutcome.Created>());
        Assert.That(await Node.Tasks.CreateAsync(World.NewTask(child.Task) with { TreeDepth = 1 }, None), Is.EqualTo(new CreateTaskOutcome.TreeFull("depth", 1)));
        var other = await OtherNodeAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? Node : other).Tasks.CreateAsync(World.NewTask(root) with { TreeSize = 3 }, None)));
        Assert.That(outcomes.Count(outcome => outcome is CreateTaskOutcome.Created), Is.EqualTo(1));
        Assert.That(outcomes.OfType<CreateTaskOutcome.TreeFull>(), Is.All.EqualTo(new CreateTaskOutcome.TreeFull("size", 3)));
    }

    [Test]
    public async Task A_task_is_refused_when_what_it_stands_on_is_gone()
    {
        var parent = await World.CreateTaskAsync(Node);
        await Node.Tasks.EndAsync(new TaskEnd(parent.Id, TaskOutcome.Failed, TaskEndReason.Ended, StoreWorld.Actor), None);
        Assert.That(await Node.Tasks.CreateAsync(World.NewTask(parent), None), Is.InstanceOf<CreateTaskOutcome.ParentOver>());
        var task = World.NewTask();
        var stale = task with { Generations = task.Generations with { PolicyVersion = 4 } };
        Assert.That(await Node.Tasks.CreateAsync(stale, None), Is.InstanceOf<CreateTaskOutcome.Stale>());
        var charge = new QuotaCharge($"tasks:{World.Workload}", 0, "tasks");
        Assert.That(await Node.Tasks.CreateAsync(task with { Charges = [charge] }, None), Is.EqualTo(new CreateTaskOutcome.QuotaExceeded(charge)));
        await Node.Suspensions.SuspendAsync(Suspension(World.Workload), null, None);
        Assert.That(await Node.Tasks.CreateAsync(task, None), Is.EqualTo(new CreateTaskOutcome.Suspended(World.Workload)));
    }

    [Test]
    public async Task Ending_a_task_ends_its_tree_once()
    {
        var root = await World.CreateTaskAsync(Node);
        var child = await World.CreateTaskAsync(Node, root);
        var grandchild = await World.CreateTaskAsync(Node, child, heartbeat: TimeSpan.FromSeconds(1));
        var sibling = await World.CreateTaskAsync(Node, root);
        TaskEnd End(AgentTask task, TaskOutcome outcome) => new(task.Id, outcome, TaskEndReason.Ended, StoreWorld.Actor);

        var ended = (EndTaskOutcome.Ended)await Node.Tasks.EndAsync(End(child, TaskOutcome.Failed), None);
        Assert.That((ended.TasksEnded, ended.Task.Outcome, ended.Task.EndReason, ended.Task.EndedAt), Is.EqualTo((2, (TaskOutcome?)TaskOutcome.Failed, (TaskEndReason?)TaskEndReason.Ended, (DateTimeOffset?)Time.Now())));
        var below = (await Node.Tasks.FindAsync(grandchild.Id, None))!;
        Assert.That((below.EndReason, below.Outcome), Is.EqualTo(((TaskEndReason?)TaskEndReason.ParentEnded, (TaskOutcome?)TaskOutcome.Cancelled)));
        Assert.That((await Node.Tasks.FindAsync(sibling.Id, None))!.EndedAt, Is.Null);
        Assert.That(await StoreWorld.CounterAsync(Node, $"tasks:{World.Workload}"), Is.EqualTo(2));

        Time.Advance(TimeSpan.FromSeconds(5));
        var again = (EndTaskOutcome.Ended)await Node.Tasks.EndAsync(End(child, TaskOutcome.Succeeded), None);
        Assert.That((again.TasksEnded, again.Task), Is.EqualTo((0, ended.Task with { Intent = again.Task.Intent })));
        Assert.That(await Node.Tasks.EndOverdueAsync(10, None), Is.Empty, "nobody listens to an ended task's heart");
        Assert.That(await Node.Tasks.EndAsync(End(child with { Id = Uid.New(Time) }, TaskOutcome.Failed), None), Is.InstanceOf<EndTaskOutcome.Unknown>());
    }

    [Test]
    public async Task A_delivery_acts_once()
    {
        var task = await World.CreateTaskAsync(Node);
        var end = new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Hook, new Actor("hook", "ci"))
        {
            Delivery = new HookDelivery(Uid.New(Time), "msg_1", Time.Now() + TimeSpan.FromMinutes(10)),
        };
        var other = await OtherNodeAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => (i % 2 == 0 ? Node : other).Tasks.EndAsync(end, None)));
        Assert.That(outcomes.Count(outcome => outcome is EndTaskOutcome.Ended), Is.EqualTo(1));
        Assert.That(outcomes.Count(outcome => outcome is EndTaskOutcome.Repeated), Is.EqualTo(3));
    }

    [Test]
    public async Task Deadlines_and_lost_hearts_end_tasks()
    {
        var late = await World.CreateTaskAsync(Node, life: TimeSpan.FromSeconds(20));
        var silent = await World.CreateTaskAsync(Node, heartbeat: TimeSpan.FromSeconds(5));
        var alive = await World.CreateTaskAsync(Node, heartbeat: TimeSpan.FromSeconds(5));
        Assert.That(await Node.Tasks.NextDueAsync(None), Is.EqualTo(silent.AliveUntil));
        Time.Advance(TimeSpan.FromSeconds(10));
        var until = Time.Now() + TimeSpan.FromSeconds(15);
        await Node.Tasks.KeepAliveAsync([new SignOfLife(alive.Id, until), new SignOfLife(late.Id, until)], None);
        await Node.Tasks.KeepAliveAsync([new SignOfLife(alive.Id, Time.Now())], None);
        Assert.That((await Node.Tasks.FindAsync(alive.Id, None))!.AliveUntil, Is.EqualTo(until), "a sign of life moves forward, never back");

        Time.Advance(TimeSpan.FromSeconds(10));
        var ended = await Node.Tasks.EndOverdueAsync(10, None);
        Assert.That(ended.Select(task => (task.Id, task.EndReason)), Is.EquivalentTo(new[] { (late.Id, (TaskEndReason?)TaskEndReason.Deadline), (silent.Id, (TaskEndReason?)TaskEndReason.HeartbeatLost) }));
        Assert.That(await Node.Tasks.EndOverdueAsync(10, None), Is.Empty);
        Assert.That(await Node.Tasks.NextDueAsync(None), Is.EqualTo(until));
    }

    [Test]
    public async Task A_performer_is_bound_once()
    {
        var made = World.NewTask();
        var named = made with { Task = made.Task with { Performer = new TaskParty(null, World.Source, "ci", "worker", null) } };
        await Node.Tasks.CreateAsync(named, None);
        var first = Uid.New(Time);
        var bound = await Node.Tasks.BindPerformerAsync(named.Task.Id, new PerformerBinding(first, "pod-1", new Dictionary<string, string> { ["ci/ref"] = "main" }), StoreWorld.Actor, None);
        var second = await Node.Tasks.BindPerformerAsync(named.Task.Id, new PerformerBinding(Uid.New(Time), "pod-2", new Dictionary<string, string> { ["ci/ref"] = "other" }), StoreWorld.Actor, None);
        Assert.That((bound!.Performer.Workload, bound.Performer.Instance), Is.EqualTo(((Uid?)first, "pod-1")));
        Assert.That(second!.Performer, Is.EqualTo(bound.Performer));
        Assert.That((bound.PerformerAttributes["ci/ref"], second.PerformerAttributes["ci/ref"]), Is.EqualTo(("main", "main")), "what was attested then stays");
        Assert.That((await Node.Tasks.FindAsync(named.Task.Id, None))!.PerformerAttributes, Has.Count.EqualTo(1));
        Assert.That(await Node.Tasks.BindPerformerAsync(Uid.New(Time), new PerformerBinding(first, null, new Dictionary<string, string>()), StoreWorld.Actor, None), Is.Null);
    }

    [Test]
    public async Task Tasks_are_listed_by_what_is_asked()
    {
        var root = await World.CreateTaskAsync(Node);
        Time.Advance(TimeSpan.FromMilliseconds(2));
        var child = await World.CreateTaskAsync(Node, root);
        Time.Advance(TimeSpan.FromMilliseconds(2));
        var other = await World.CreateTaskAsync(Node);
        await Node.Tasks.EndAsync(new TaskEnd(other.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);

        async Task<IEnumerable<Uid>> Ids(TaskQuery query) => (await Node.Tasks.ListAsync(query, new PageRequest(10, null), None)).Items.Select(task => task.Id);
        Assert.That(await Ids(new TaskQuery()), Is.EqualTo(new[] { root.Id, child.Id, other.Id }));
        Assert.That(await Ids(new TaskQuery { Running = true }), Is.EqualTo(new[] { root.Id, child.Id }));
        Assert.That(await Ids(new TaskQuery { UnderPath = root.Path }), Is.EqualTo(new[] { root.Id, child.Id }));
        Assert.That(await Ids(new TaskQuery { VisibleTo = new TaskViewer(World.Workload, World.Source, "agent"), PerformerSources = [World.Source], PerformerSubject = "agent" }), Has.Exactly(3).Items);
        Assert.That(await Ids(new TaskQuery { VisibleTo = new TaskViewer(World.Role, World.Source, "other") }), Is.Empty);
        Assert.That(await Ids(new TaskQuery { Among = [other.Id, root.Id, Uid.New(Time)] }), Is.EqualTo(new[] { root.Id, other.Id }));
        Assert.That(await Ids(new TaskQuery { Among = [] }), Is.Empty);
        Assert.That(await Ids(new TaskQuery { Labels = new Dictionary<string, string> { ["run"] = "7" } }), Has.Exactly(3).Items);
        Assert.That(await Ids(new TaskQuery { Labels = new Dictionary<string, string> { ["run"] = "' OR 1=1 --" } }), Is.Empty);
        var page = await Node.Tasks.ListAsync(new TaskQuery(), new PageRequest(2, null), None);
        Assert.That((await Node.Tasks.ListAsync(new TaskQuery(), new PageRequest(2, page.Next), None)).Items.Select(task => task.Id), Is.EqualTo(new[] { other.Id }));
    }
}
