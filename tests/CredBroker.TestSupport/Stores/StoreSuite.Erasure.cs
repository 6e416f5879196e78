using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Erasure;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    private const string Mark = "ANNA-KOWALSKI-PERSONNEL-FILE";

    [Test]
    public async Task Texts_are_erased_for_good_and_the_chain_still_holds()
    {
        var (task, lease) = await ToldAsync();
        // It reappears: what its receipt said is kept from then on.
        await StoreWorld.ApplyAsync(Node, lease, new LeaseEvent.Reappeared("a listing"));
        await ProveAllAsync();
        Assert.That((await Node.Receipts.FindAsync(task.Id, 2, None))!.Entries.Single().Lease.Evidence!.Text, Does.Contain(Mark));
        var before = AuditChain.Verify(await ChainAsync());
        Assert.That(before, Is.InstanceOf<AuditFinding.Sound>());
        Assert.That((await ChainAsync()).SelectMany(found => found.Draft.Texts.Values), Has.Some.Contains(Mark), "while it is there, auditors read it");
        Assert.That((await ChainAsync()).Select(found => found.Draft.Detail.ToJsonString()), Has.None.Contains(Mark), "but it is no part of the chain");
        Assert.That(await FindMarkAsync(), Is.Not.Empty);

        var erased = await Node.Erasure.EraseAsync(task.Id, StoreWorld.Actor, None);
        Assert.That(erased, Is.InstanceOf<EraseOutcome.Erased>().And.Property("Texts").GreaterThan(5));
        Assert.That(await FindMarkAsync(), Is.Empty);
        var events = await ChainAsync();
        Assert.That(((AuditFinding.Sound)AuditChain.Verify(events, ((AuditFinding.Sound)before).Head)).Head.Sequence, Is.EqualTo(events.Count));
        Assert.That(events[^1].Draft, Has.Property("Type").EqualTo(AuditTypes.TaskTextsErased).And.Property("TaskId").EqualTo(task.Id));
        Assert.That(events.First(found => found.Draft.Type == AuditTypes.LeaseRevoked).Draft.Detail.ContainsKey("evidence_text_sha256"), Is.True, "that something was said stays");

        var found = (await Node.Tasks.FindAsync(task.Id, None))!;
        Assert.That((found.Intent.What, found.Intent.Labels.Count, found.Outcome), Is.EqualTo(("", 0, (TaskOutcome?)TaskOutcome.Succeeded)));
        var kept = (await StoreWorld.FindAsync(Node, lease)).Lease;
        Assert.That((kept.State, kept.Evidence!.Kind, kept.Evidence.Text), Is.EqualTo((LeaseState.Revoked, "role_absent", "")), "how it died stays");
        foreach (var revision in (int[])[2, 4])
        {
            var receipt = (await Node.Receipts.FindAsync(task.Id, revision, None))!;
            Assert.That((receipt.Closed, receipt.Entries.Single().Lease.Evidence), Is.EqualTo((true, receipt.Entries[0].Lease.Evidence! with { Kind = "role_absent", Text = "" })));
        }

        Assert.That(await Node.Erasure.EraseAsync(task.Id, StoreWorld.Actor, None), Is.EqualTo(new EraseOutcome.Erased(0)), "once more, there is nothing left to erase or to tell");
        Assert.That(await ChainAsync(), Has.Count.EqualTo(events.Count));
    }

    [Test]
    public async Task A_text_cannot_be_guessed_by_its_hash()
    {
        var first = await World.CreateTaskAsync(Node);
        var second = await World.CreateTaskAsync(Node);
        Assert.That(first.Intent.What, Is.EqualTo(second.Intent.What));
        var hashes = (await ChainAsync()).Where(found => found.Draft.Type == AuditTypes.TaskCreated).Select(found => found.Draft.Detail["intent_sha256"]!.ToString());
        Assert.That(hashes, Is.Unique);
    }

    [Test]
    public async Task Nothing_is_erased_of_what_runs_or_may_live()
    {
        var task = await World.CreateTaskAsync(Node);
        await World.IssueAsync(Node, task);
        Assert.That(await Node.Erasure.EraseAsync(task.Id, StoreWorld.Actor, None), Is.InstanceOf<EraseOutcome.Running>());
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        Assert.That(await Node.Erasure.EraseAsync(task.Id, StoreWorld.Actor, None), Is.InstanceOf<EraseOutcome.Unproven>());
        Assert.That((await Node.Tasks.FindAsync(task.Id, None))!.Intent.What, Is.EqualTo("deploy"));
        Assert.That(await Node.Erasure.EraseAsync(Uid.New(Time), StoreWorld.Actor, None), Is.InstanceOf<EraseOutcome.Unknown>());
        await ProveAllAsync();
        Assert.That(await Node.Erasure.EraseAsync(task.Id, StoreWorld.Actor, None), Is.InstanceOf<EraseOutcome.Erased>());
    }

    [Test]
    public async Task What_belongs_to_another_task_is_not_erased()
    {
        var (task, _) = await ToldAsync();
        var (other, _) = await ToldAsync();
        await Node.Erasure.EraseAsync(task.Id, StoreWorld.Actor, None);
        Assert.That((await Node.Tasks.FindAsync(other.Id, None))!.Intent.What, Does.Contain(Mark));
        Assert.That((await Node.Audit.ListAsync(new AuditQuery { Task = other.Id }, new PageRequest(100, null), None)).Items.SelectMany(found => found.Draft.Texts.Values), Has.Some.Contains(Mark));
        Assert.That((await Node.Receipts.FindAsync(other.Id, null, None))!.Entries.Single().Lease.Evidence!.Text, Does.Contain(Mark));
    }

    [Test]
    public async Task A_secret_belongs_to_whoever_was_first_registered_with_it()
    {
        var binding = SecretBinding.Of("password", new SecretConsumer("provider", "vault", "DB.example."));
        var (first, second) = (Uid.New(Time), Uid.New(Time));
        RegistryChange Of(Uid uid, string name) => World.Registration(uid, ResourceKind.Provider, name) with { Secrets = [binding, binding] };
        Assert.That(await Node.Registry.BoundElsewhereAsync(first, [binding], None), Is.False);
        var other = await OtherNodeAsync();
        // Two that come at once by different names, as only a race could bring them: one has it.
        var outcomes = await Task.WhenAll(Node.Registry.PutAsync(Of(first, "vault"), None), other.Registry.PutAsync(Of(second, "vault-2"), None));
        Assert.That(outcomes.Count(outcome => outcome is RegistryOutcome.Changed), Is.EqualTo(1));
        Assert.That(outcomes.Count(outcome => outcome is RegistryOutcome.SecretBoundElsewhere), Is.EqualTo(1));
        var (mine, theirs) = outcomes[0] is RegistryOutcome.Changed ? (first, second) : (second, first);
        Assert.That((await Node.Registry.BoundElsewhereAsync(mine, [binding], None), await Node.Registry.BoundElsewhereAsync(theirs, [binding], None)), Is.EqualTo((false, true)));
        var same = SecretBinding.Of("password", new SecretConsumer("provider", "vault", "db.EXAMPLE"));
        Assert.That(await Node.Registry.BoundElsewhereAsync(theirs, [same], None), Is.True, "the same place in another spelling");
        Assert.That(await Node.Registry.BoundElsewhereAsync(theirs, [SecretBinding.Of("other", new SecretConsumer("provider", "vault", "db.example"))], None), Is.False);
        Assert.That((await Node.Registry.LoadAsync(None)).Entries.Count(entry => entry.Name.StartsWith("vault", StringComparison.Ordinal)), Is.EqualTo(1), "who lost was not registered");
    }

    /// <summary>A task of which everything that can be said in free words was said, with a mark in it.</summary>
    private async Task<(AgentTask Task, Lease Lease)> ToldAsync()
    {
        var made = World.NewTask();
        var intent = new Intent($"read {Mark}", $"for {Mark}", $"data {Mark}", new Dictionary<string, string> { ["subject"] = Mark });
        var task = ((CreateTaskOutcome.Created)await Node.Tasks.CreateAsync(made with { Task = made.Task with { Intent = intent } }, None)).Task;
        var lease = await World.IssueAsync(Node, task);
        await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        await StoreWorld.FanOutAllAsync(Node);
        var claimed = (await World.ClaimAsync(Node)).Single(candidate => candidate.Id == lease.Id);
        await StoreWorld.ApplyAsync(Node, claimed, new LeaseEvent.AttemptFailed(new AttemptError(ProviderFault.Denied, $"{Mark} is locked", Time.Now()), Time.Now(), false), claimed.Fence);
        await StoreWorld.ApplyAsync(Node, claimed, new LeaseEvent.Settling(Time.Now(), $"{Mark} is being closed", null), claimed.Fence);
        await StoreWorld.ApplyAsync(Node, claimed, new LeaseEvent.AttemptFailed(new AttemptError(ProviderFault.Denied, $"{Mark} is locked", Time.Now()), Time.Now(), false), claimed.Fence);
        var dead = await StoreWorld.ApplyAsync(Node, claimed, new LeaseEvent.ProvenGone(new Evidence("role_absent", $"There is no {Mark}.", Time.Now())), claimed.Fence);
        return (task, dead);
    }

    /// <summary>Where the mark is: in the files of an embedded database, in every row of every table of a server's.</summary>
    private async Task<IReadOnlyList<string>> FindMarkAsync()
    {
        if (Database is SqliteStoreDatabase sqlite)
        {
            var files = Directory.GetFiles(Path.GetDirectoryName(sqlite.Path)!).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal));
            return [.. files.Where(file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Mark)) >= 0).Select(file => Path.GetFileName(file)!)];
        }

        var found = new List<string>();
        var tables = (string)(await Database.ScalarAsync("SELECT string_agg(format('%I.%I', schemaname, tablename), ',') FROM pg_catalog.pg_tables WHERE schemaname = 'credbroker'"))!;
        foreach (var table in tables.Split(','))
        {
            if (Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {table} t WHERE row_to_json(t)::text LIKE '%{Mark}%'"), null) > 0) found.Add(table);
        }

        return found;
    }
}
