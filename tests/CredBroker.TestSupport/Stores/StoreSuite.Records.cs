using System.Security.Cryptography;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Receipts;
using CredBroker.Core.Signing;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

public abstract partial class StoreSuite
{
    [Test]
    public async Task The_audit_chain_shows_a_change_a_gap_and_a_cut()
    {
        var task = await World.CreateTaskAsync(Node);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => World.IssueAsync(Node, task)));
        var events = await ChainAsync();
        var sound = (AuditFinding.Sound)AuditChain.Verify(events);
        Assert.That(sound.Head.Sequence, Is.EqualTo(events.Count).And.GreaterThan(30));

        Assert.That(AuditChain.Verify(events.Take(events.Count - 1), sound.Head), Is.EqualTo(new AuditFinding.Cut(events.Count - 1, events.Count)));
        Assert.That(AuditChain.Verify(events.Where(@event => @event.Sequence != 5)), Is.EqualTo(new AuditFinding.Gap(5, 6)));
        await Database.ExecuteAsync($"UPDATE {Database.Schema}audit_events SET by_name = 'somebody else' WHERE sequence = 7");
        Assert.That(AuditChain.Verify(await ChainAsync()), Is.EqualTo(new AuditFinding.Changed(7)));
        Assert.That(await Node.Audit.FindAsync(events[6].Writer, 7, None), Has.Property("Draft").Property("By").Property("Name").EqualTo("somebody else"));
        Assert.That(await Node.Audit.FindAsync(events[6].Writer, 7000, None), Is.Null);
    }

    [Test]
    public async Task The_story_of_a_task_tells_of_its_descendants_in_one_order()
    {
        var root = await World.CreateTaskAsync(Node);
        Time.Advance(TimeSpan.FromSeconds(1));
        var child = await World.CreateTaskAsync(Node, root);
        await World.CreateTaskAsync(Node);
        await World.IssueAsync(Node, child);
        await Node.Tasks.EndAsync(new TaskEnd(root.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);

        var story = new List<AuditEvent>();
        for (string? after = null; ;)
        {
            var page = await Node.Audit.ListAsync(new AuditQuery { Task = root.Id }, new PageRequest(2, after), None);
            story.AddRange(page.Items);
            await Node.Audit.AppendAsync(new AuditDraft(AuditTypes.HookRefused, StoreWorld.Actor) { TaskId = Uid.New(Time) }, None);
            if ((after = page.Next) is null) break;
        }

        Assert.That(story.Select(@event => @event.Draft.Type), Is.EqualTo(new[]
        {
            AuditTypes.Decision, AuditTypes.TaskCreated, AuditTypes.Decision, AuditTypes.TaskCreated,
            AuditTypes.Decision, AuditTypes.LeaseReserved, AuditTypes.LeaseActivated, AuditTypes.TaskEnded, AuditTypes.ReceiptClosed,
        }));
        Assert.That(story.Select(@event => @event.Draft.Detail.ToJsonString()), Has.None.Contains("deploy"), "free text is told by its hash");
        Assert.That((await Node.Audit.ListAsync(new AuditQuery { By = "ci/agent", Types = [AuditTypes.TaskEnded], From = Time.Now(), To = Time.Now() + TimeSpan.FromSeconds(1) }, new PageRequest(9, null), None)).Items, Has.Count.EqualTo(1));
        Assert.That((await Node.Audit.ListAsync(new AuditQuery { To = Time.Now() - TimeSpan.FromSeconds(1) }, new PageRequest(9, null), None)).Items, Is.Empty);
        var decision = story[0].Draft.DecisionId;
        Assert.That((await Node.Audit.ListAsync(new AuditQuery { Decision = decision }, new PageRequest(9, null), None)).Items, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_receipt_is_open_from_the_end_and_closed_with_the_last_lease()
    {
        var task = await World.CreateTaskAsync(Node);
        var child = await World.CreateTaskAsync(Node, task);
        var killed = await World.KillAsync(Node, await World.IssueAsync(Node, task));
        Time.Advance(TimeSpan.FromMilliseconds(2));
        var lease = await World.IssueAsync(Node, task);
        Assert.That(await Node.Receipts.FindAsync(task.Id, null, None), Is.Null);

        var end = (EndTaskOutcome.Ended)await Node.Tasks.EndAsync(new TaskEnd(task.Id, TaskOutcome.Succeeded, TaskEndReason.Ended, StoreWorld.Actor), None);
        var open = (await Node.Receipts.FindAsync(task.Id, null, None))!;
        Assert.That((open.Revision, open.Closed, open.At, open.Entries.Count), Is.EqualTo((1, false, end.Task.EndedAt!.Value, 2)));
        Assert.That(open.Children, Is.EqualTo(new[] { child.Id }));
        Assert.That((await Node.Receipts.FindAsync(child.Id, null, None))!.Closed, Is.True, "it held nothing");

        await StoreWorld.FanOutAllAsync(Node);
        Time.Advance(TimeSpan.FromSeconds(3));
        var claimed = (await World.ClaimAsync(Node)).Single();
        var dead = await StoreWorld.ApplyAsync(Node, claimed, World.Gone(), claimed.Fence);
        var closed = (await Node.Receipts.FindAsync(task.Id, null, None))!;
        Assert.That((closed.Revision, closed.Closed, closed.At), Is.EqualTo((2, true, Time.Now())));
        Assert.That(closed.Entries.Select(entry => entry.Lease with { Asked = LeaseAsked.Unknown }), Is.EqualTo(new[] { killed, dead }.Select(lease => lease with { Handle = null, Asked = LeaseAsked.Unknown })));
        Assert.That(closed.Entries.SelectMany(entry => entry.Lease.Asked.Teams), Is.Empty, "what was asked is no part of a receipt");
        Assert.That(closed.Entries[1].Effective, Is.EqualTo(new EffectiveState(false, EndReason.TaskEnded, end.Task.EndedAt)));
        Assert.That(await Node.Receipts.FindAsync(task.Id, 1, None), Is.Null);
        Assert.That(await KeptBodiesAsync(), Is.Zero, "closing it copies nothing, however many it tells of");

        Time.Advance(TimeSpan.FromMinutes(1));
        await StoreWorld.ApplyAsync(Node, dead, new LeaseEvent.Reappeared("a listing"));
        Assert.That(await StoreWorld.CounterAsync(Node, $"role:{World.Role}"), Is.EqualTo(1), "what reappeared counts again");
        var again = (await Node.Receipts.FindAsync(task.Id, null, None))!;
        Assert.That((again.Revision, again.Closed, again.At), Is.EqualTo((3, false, Time.Now())));
        var kept = (await Node.Receipts.FindAsync(task.Id, 2, None))!;
        Assert.That((kept.Closed, kept.At), Is.EqualTo((true, closed.At)));
        Assert.That(Told(kept), Is.EqualTo(Told(closed)), "what was said stays said");
        Assert.That(await KeptBodiesAsync(), Is.EqualTo(1));
        var last = (await World.ClaimAsync(Node)).Single();
        await StoreWorld.ApplyAsync(Node, last, World.Gone(), last.Fence);
        Assert.That((await Node.Receipts.FindAsync(task.Id, null, None))!.Revision, Is.EqualTo(4));
        Assert.That(lease.Id, Is.EqualTo(last.Id));
        Assert.That(Told((await Node.Receipts.FindAsync(task.Id, 2, None))!), Is.EqualTo(Told(closed)));
        static IEnumerable<LeaseView> Told(Receipt receipt) => receipt.Entries.Select(entry => entry with { Lease = entry.Lease with { Asked = LeaseAsked.Unknown } });
        async Task<long> KeptBodiesAsync() => Convert.ToInt64(await Database.ScalarAsync($"SELECT count(*) FROM {Database.Schema}receipts WHERE body IS NOT NULL"), null);
    }

    [Test]
    public async Task A_signing_key_is_added_once_and_kept_encrypted()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        StoredSigningKey Key(string id) => new()
        {
            Uid = Uid.New(Time),
            Family = KeyFamily.Lease,
            Ordinal = 1,
            KeyId = id,
            Pkcs8 = ecdsa.ExportPkcs8PrivateKey(),
            PublishedAt = Time.Now(),
            UseFrom = Time.Now() + TimeSpan.FromHours(1),
        };
        var other = await OtherNodeAsync();
        var added = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? Node : other).SigningKeys.TryAddAsync(Key($"k{i}"), None)));
        Assert.That(added.Count(won => won), Is.EqualTo(1));
        await RestartAsync();
        var stored = (await Node.SigningKeys.LoadAsync(None)).Single();
        Assert.That(stored.Pkcs8, Is.EqualTo(ecdsa.ExportPkcs8PrivateKey()));
        Assert.That(stored.UseFrom, Is.EqualTo(Time.Now() + TimeSpan.FromHours(1)));
        var raw = (byte[])(await Database.ScalarAsync($"SELECT encrypted FROM {Database.Schema}signing_keys"))!;
        Assert.That(raw.AsSpan().IndexOf(stored.Pkcs8.AsSpan(30, 16)), Is.EqualTo(-1));
    }

    [Test]
    public async Task The_key_ring_is_useless_without_its_wrapping_key()
    {
        await World.IssueAsync(Node, await World.CreateTaskAsync(Node));
        var xml = (string)(await Database.ScalarAsync($"SELECT xml FROM {Database.Schema}data_protection_keys"))!;
        Assert.That(xml, Does.Contain("wrapped").And.Not.Contain("masterKey>\n      <value>"));
        await StopNodesAsync();
        Assert.That(() => Database.StartAsync(Time, options => options.WrappingKey = new byte[32]), Throws.InstanceOf<CryptographicException>());
        await using var rotated = await Database.StartAsync(Time, options =>
        {
            options.WrappingKey = [.. Enumerable.Repeat((byte)9, 32)];
            options.PreviousWrappingKeys = [StoreDatabase.WrappingKey];
        });
        Assert.That((await rotated.Leases.ListAsync(new LeaseQuery(), new PageRequest(1, null), None)).Items[0].Lease.Handle, Is.Not.Null);
    }

    [Test]
    public async Task No_start_without_a_key_that_a_handle_needs()
    {
        var task = await World.CreateTaskAsync(Node);
        var lease = await World.IssueAsync(Node, task);
        await StopNodesAsync();
        var kept = (string)(await Database.ScalarAsync($"SELECT xml FROM {Database.Schema}data_protection_keys"))!;
        // Data Protection makes another key and says nothing.
        await Database.ExecuteAsync($"DELETE FROM {Database.Schema}data_protection_keys");
        Assert.That(() => Database.StartAsync(Time), Throws.InstanceOf<CryptographicException>().With.Message.Contains("lacks the key"));

        await Database.ExecuteAsync($"UPDATE {Database.Schema}data_protection_keys SET xml = '{kept.Replace("'", "''", StringComparison.Ordinal)}'");
        await using (var found = await Database.StartAsync(Time))
        {
            await StoreWorld.ApplyAsync(found, lease, new LeaseEvent.Ended(EndReason.Revoked));
            await StoreWorld.ApplyAsync(found, lease, World.Gone());
        }

        await Database.ExecuteAsync($"DELETE FROM {Database.Schema}data_protection_keys");
        await using var without = await Database.StartAsync(Time);
        Assert.That((await StoreWorld.FindAsync(without, lease)).Lease.State, Is.EqualTo(LeaseState.Revoked), "nothing needs the key any more");
    }

    [Test]
    public async Task No_start_while_the_mark_of_something_unproven_cannot_be_made_again()
    {
        var task = await World.CreateTaskAsync(Node);
        var earlier = Enumerable.Repeat((byte)7, 32).ToArray();
        var lease = World.NewLease(task) with { MarkKeyId = LeaseMarks.KeyIdOf(earlier) };
        await Node.Leases.ReserveAsync(World.Reservation(lease), None);
        Assert.That((await StoreWorld.FindAsync(Node, lease)).Lease.MarkKeyId, Is.EqualTo(lease.MarkKeyId));
        await StopNodesAsync();
        Assert.That(() => Database.StartAsync(Time), Throws.InstanceOf<CryptographicException>().With.Message.Contains(lease.MarkKeyId));

        await using (var rotated = await Database.StartAsync(Time, options => options.PreviousWrappingKeys = [earlier]))
            await StoreWorld.ApplyAsync(rotated, lease, new LeaseEvent.NothingMade(null));
        await using var without = await Database.StartAsync(Time);
        Assert.That((await StoreWorld.FindAsync(without, lease)).Lease.State, Is.EqualTo(LeaseState.Void), "nothing needs the key any more");
    }

    [TestCase("UPDATE {0}leases SET due_at = NULL")]
    [TestCase("UPDATE {0}leases SET exclusive_group = 'a'")]
    [TestCase("UPDATE {0}leases SET state = 4, closed_at = 1, due_at = NULL")]
    [TestCase("UPDATE {0}leases SET state = 7")]
    [TestCase("UPDATE {0}counters SET value = -1")]
    [TestCase("UPDATE {0}tasks SET ended_at = 1")]
    [TestCase("UPDATE {0}registry SET name = 'same', parent_uid = NULL, kind = 4")]
    public async Task The_database_itself_refuses(string sql)
    {
        var task = await World.CreateTaskAsync(Node);
        await World.IssueAsync(Node, task);
        Assert.That(() => Database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, Database.Schema)), Throws.InstanceOf<System.Data.Common.DbException>());
    }

    private async Task<List<AuditEvent>> ChainAsync()
    {
        var events = new List<AuditEvent>();
        for (string? after = null; ;)
        {
            var page = await Node.Audit.ListAsync(new AuditQuery(), new PageRequest(1000, after), None);
            events.AddRange(page.Items);
            if ((after = page.Next) is null) return events;
        }
    }
}
