using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Retention;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private static readonly TimeSpan TreesKept = TimeSpan.FromDays(90);

    [Test]
    public async Task A_closed_tree_is_forgotten_in_batches_and_the_trail_keeps_what_it_says()
    {
        var root = World.NewTask(life: TimeSpan.FromHours(2), heartbeat: TimeSpan.FromHours(1)) with { Request = Request(9) };
        await Node.Tasks.CreateAsync(root, None);
        var child = await World.CreateTaskAsync(Node, root.Task);
        var grandchild = await World.CreateTaskAsync(Node, child);
        for (var i = 0; i < 7; i++) await World.IssueAsync(Node, i % 2 == 0 ? grandchild : root.Task);
        await EndAsync(root.Task);
        await ProveAllAsync();
        var told = (await StoryAsync()).Count;

        Time.Advance(TreesKept);
        Assert.That(await Node.Retention.ForgetTreeAsync(Time.Now() - TreesKept, 3, None), Is.EqualTo(ForgetOutcome.Nothing with { More = true }), "not yet: it was proven dead only since");
        Assert.That(await Node.Retention.ForgetTreeAsync(Time.Now() - TreesKept, 3, None), Is.EqualTo(ForgetOutcome.Nothing), "and there is no other");
        Time.Advance(TimeSpan.FromHours(2));
        var rounds = new List<ForgetOutcome>();
        do
        {
            rounds.Add(await Node.Retention.ForgetTreeAsync(Time.Now() - TreesKept, 3, None));
            // Leases go first: what is left of them is no receipt.
            Assert.That((await Node.Receipts.FindAsync(root.Task.Id, null, None))?.Entries, Is.Null.Or.Count.EqualTo(3));
            Assert.That((await Node.Receipts.FindAsync(grandchild.Id, null, None))?.Entries, Is.Null.Or.Count.EqualTo(4));
            if (rounds.Count == 2) await RestartAsync();
        }
        while (rounds[^1].More);

        Assert.That(rounds.Sum(round => round.Trees), Is.EqualTo(1));
        Assert.That(rounds.Select(round => round.Rows), Is.All.LessThanOrEqualTo(4), "no more in one transaction");
        foreach (var table in (string[])["tasks", "leases", "receipts", "texts", "task_labels", "task_liveness"])
            Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}{table}"), null), Is.Zero, table);
        Assert.That(Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}counters WHERE key LIKE 'task:%' OR key LIKE 'tree:%'"), null), Is.Zero);
        var story = await StoryAsync();
        Assert.That(story, Has.Count.EqualTo(told + 1));
        Assert.That(story[^1].Draft.Type, Is.EqualTo(AuditTypes.TaskForgotten));
        var ofRoot = (await Node.Audit.ListAsync(new AuditQuery { Task = root.Task.Id }, new PageRequest(100, null), None)).Items;
        Assert.That(ofRoot.Select(found => found.Draft.TaskId).Distinct(), Is.EqualTo([(CredBroker.Abstractions.Uid?)root.Task.Id]), "of the task itself, and of no other");
        Assert.That(await Node.Tasks.CreateAsync(World.NewTask() with { Request = Request(9) }, None), Is.InstanceOf<CreateTaskOutcome.RequestMismatch>(), "a repeat of what was forgotten makes nothing");
    }

    [Test]
    public async Task A_tree_is_kept_while_anything_of_it_must_be_known_and_holds_up_no_other()
    {
        var (running, unproven, reappearing, dead) = (
            await World.CreateTaskAsync(Node, life: TimeSpan.FromDays(200)), await World.CreateTaskAsync(Node), await World.CreateTaskAsync(Node), await World.CreateTaskAsync(Node));
        var (open, late) = (await World.IssueAsync(Node, unproven), await World.IssueAsync(Node, reappearing));
        foreach (var task in (AgentTask[])[reappearing, dead]) await EndAsync(task);
        await ProveAllAsync();
        await EndAsync(unproven);
        Time.Advance(TreesKept + TimeSpan.FromHours(3));
        // A late answer shows it alive: it is proven dead anew, and kept from then on.
        await StoreWorld.ApplyAsync(Node, await LeaseAsync(late), new LeaseEvent.Reappeared("a listing"));
        await ProveOneAsync(late);
        Assert.That(await ForgetAllAsync(), Is.EqualTo(1));
        Assert.That(await Node.Tasks.FindAsync(dead.Id, None), Is.Null);
        foreach (var kept in (AgentTask[])[running, unproven, reappearing]) Assert.That(await Node.Tasks.FindAsync(kept.Id, None), Is.Not.Null);

        // Its claim runs out.
        Time.Advance(TimeSpan.FromMinutes(2));
        await ProveAllAsync();
        Time.Advance(TreesKept + TimeSpan.FromHours(3));
        Assert.That(await ForgetAllAsync(), Is.EqualTo(2));
        Assert.That(await Node.Tasks.FindAsync(running.Id, None), Is.Not.Null);
        Assert.That((await StoreWorld.FindAsync(Node, await ReserveAgainAsync(running))).Lease.TaskId, Is.EqualTo(running.Id));
        Assert.That(open.TaskId, Is.EqualTo(unproven.Id));
    }

    private Task<Lease> ReserveAgainAsync(AgentTask task) => World.ReserveAsync(Node, task);

    private async Task<Lease> LeaseAsync(Lease lease) => (await StoreWorld.FindAsync(Node, lease)).Lease;

    private async Task ProveOneAsync(Lease lease)
    {
        var claimed = (await World.ClaimAsync(Node)).Single(candidate => candidate.Id == lease.Id);
        await StoreWorld.ApplyAsync(Node, claimed, World.Gone(), claimed.Fence);
    }

    private Task EndAsync(AgentTask task) => Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);

    private async Task<int> ForgetAllAsync()
    {
        for (var trees = 0; ;)
        {
            var round = await Node.Retention.ForgetTreeAsync(Time.Now() - TreesKept, 200, None);
            trees += round.Trees;
            if (!round.More) return trees;
        }
    }

    private async Task<IReadOnlyList<AuditEvent>> StoryAsync() => (await Node.Audit.ListAsync(new AuditQuery(), new PageRequest(1000, null), None)).Items;
}
