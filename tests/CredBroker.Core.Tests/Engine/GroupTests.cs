using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Conformance;
using CredBroker.Testing.Scripted;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Postgres;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.Time.Testing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Leases that share a document at the target, on both databases: every interleaving that could bring one back to life.</summary>
[TestFixture(false)]
[TestFixture(true)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed partial class GroupTests(bool postgres)
{
    private const string Document = "shared";
    private static readonly ScriptedTemplate Shared = new() { Group = Document, Revocability = RevocabilityKind.DeniesWithin };

    private StoreDatabase _database = null!;
    private BrokerHarness _broker = null!;
    private Caller _agent = null!;
    private AgentTask _task = null!;

    private ScriptedCalls Calls => _broker.Target.Calls;

    private RevocationDispatcher Dispatcher => _broker.Get<RevocationDispatcher>();

    [SetUp]
    public async Task StartBroker()
    {
        _database = postgres ? new PostgresStoreDatabase(await PostgresServer.CreateDatabaseAsync()) : new SqliteStoreDatabase();
        _broker = await StartAsync();
        await RegisterAsync("shared", Shared);
        await RegisterAsync("small", Shared with { Group = "small", GroupCapacity = 2 });
        await RegisterAsync("guarded", Shared with { GuardsIssue = true });
        _agent = await _broker.CallerAsync();
        _task = await _broker.TaskAsync(_agent);
    }

    [TearDown]
    public async Task StopBroker()
    {
        await _broker.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task What_ends_together_dies_in_one_call_and_what_died_before_stays_dead_by_it()
    {
        var first = await IssueAsync();
        var others = new[] { await IssueAsync(), await IssueAsync() };
        await RevokeAsync(first);
        await _broker.LookAsync();
        Assert.That(others.Select(Lives), Is.All.True);

        Ok(await _broker.Get<TaskService>().EndAsync(_agent, _task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(2));
        Assert.That(Calls.Count(ScriptedOperation.Revoke), Is.Zero);
        await AssertDeadAsync([first, .. others]);
        Assert.That((await LeaseAsync(first)).Group, Is.EqualTo(LeaseGroup.Of(_broker.Target.Identity, new ExclusiveGroup(Document, 50))));
    }

    [Test]
    public async Task Whatever_undid_the_document_is_mended_by_the_next_call()
    {
        var (first, second) = (await IssueAsync(), await IssueAsync());
        await RevokeAsync(first);
        await _broker.LookAsync();
        _broker.Target.Documents.Empty(Document);
        Assert.That(Lives(first), "somebody emptied the document");
        await RevokeAsync(second);
        await _broker.LookAsync();
        await AssertDeadAsync([first, second]);
    }

    [Test]
    public async Task What_becomes_due_while_the_document_is_written_is_written_next()
    {
        var (first, second) = (await IssueAsync(), await IssueAsync());
        var gate = new ScriptedGate();
        Calls.Next(ScriptedOperation.RevokeGroup, new ScriptedStep { Before = gate });
        await RevokeAsync(first);
        await Dispatcher.LookAsync(CancellationToken.None);
        await gate.Reached;
        await RevokeAsync(second);
        await Dispatcher.LookAsync(CancellationToken.None);
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(1), "one at a time writes the document");
        Assert.That(Lives(second));

        gate.Open();
        await IdleAsync();
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(2));
        await AssertDeadAsync([first, second]);
    }

    [Test]
    public async Task A_node_that_dies_after_the_write_leaves_the_rest_to_the_next_one()
    {
        var (first, second) = (await IssueAsync(), await IssueAsync());
        await RevokeAsync(first);
        // The look of a node that claims, writes, and is gone before it settles.
        var groups = _broker.Get<ILeaseGroups>();
        var due = (await groups.AgendaAsync(CancellationToken.None)).Due.Single();
        var claim = (await groups.ClaimAsync(new GroupClaim(due.Group, due.Provider, 10, TimeSpan.FromSeconds(45)), CancellationToken.None))!;
        await using (var provider = _broker.Scripted.Create(TestContexts.Create(_broker.Time), ScriptedProviderType.Configure("one")))
        {
            var request = _broker.Get<AttemptVerdicts>().RequestFor(claim.Due.Single());
            await ((IGroupRevokingProvider)provider).RevokeGroupAsync(new GroupRevokeRequest { Group = claim.Name, Due = [request], StillDenied = claim.StillDenied }, CancellationToken.None);
        }

        await RevokeAsync(second);
        await _broker.LookAsync();
        Assert.That((await LeaseAsync(first)).State, Is.EqualTo(LeaseState.Revoking), "nothing is proven that nobody settled");
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(1), "and nobody writes while the claim lasts");
        _broker.Time.Advance(claim.Length);
        await _broker.LookAsync();
        await AssertDeadAsync([first, second]);
    }

    [Test]
    public async Task A_failed_call_that_may_still_act_is_waited_for()
    {
        var (first, second) = (await IssueAsync(), await IssueAsync());
        Calls.Next(ScriptedOperation.RevokeGroup, ScriptedStep.ActsLate(TimeSpan.FromSeconds(9)));
        await RevokeAsync(first);
        await _broker.LookAsync();
        await RevokeAsync(second);
        _broker.Time.Advance(TimeSpan.FromSeconds(8));
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(1), "its write may come within the 10 s that were declared");
        _broker.Time.Advance(TimeSpan.FromSeconds(3));
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(2));
        await AssertDeadAsync([first, second]);
    }

    [Test]
    public async Task A_call_that_definitely_did_nothing_gives_the_document_back_at_once()
    {
        var first = await IssueAsync();
        Calls.Next(ScriptedOperation.RevokeGroup, ScriptedStep.Refuses(ProviderFault.Throttled));
        await RevokeAsync(first);
        await _broker.LookAsync();
        Assert.That((await LeaseAsync(first)).LastError!.Fault, Is.EqualTo(ProviderFault.Throttled));
        _broker.Time.Advance(TimeSpan.FromSeconds(2));
        await _broker.LookAsync();
        await AssertDeadAsync([first]);
    }

    [Test]
    public async Task A_write_that_comes_after_its_claim_ran_out_is_found_out_and_mended()
    {
        var (early, late) = (await IssueAsync(), await IssueAsync());
        var gate = new ScriptedGate();
        Calls.Next(ScriptedOperation.RevokeGroup, ScriptedStep.Hangs(gate));
        await RevokeAsync(early);
        await Dispatcher.LookAsync(CancellationToken.None);
        await gate.Reached;
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await IdleAsync();
        Assert.That((await LeaseAsync(early)).LastError!.Fault, Is.EqualTo(ProviderFault.Unreachable));
        await RevokeAsync(late);
        await _broker.LookAsync();
        Assert.That(Calls.Count(ScriptedOperation.RevokeGroup), Is.EqualTo(1), "the claim outlasts the attempt");

        _broker.Time.Advance(TimeSpan.FromSeconds(30));
        await _broker.LookAsync();
        await AssertDeadAsync([early, late]);
        gate.Open();
        await UntilAsync(async () => (await LeaseAsync(late)).EndReason == EndReason.Reappeared, "what the late write forgot is reopened");
        Assert.That(Lives(late), "it does live: the late write did not name it");
        Assert.That((await LeaseAsync(early)).State, Is.EqualTo(LeaseState.Revoked), "this one it named");
        await _broker.LookAsync();
        await AssertDeadAsync([early, late]);
        Assert.That(await _broker.StoryAsync(_task), Does.Contain(AuditTypes.LeaseReappeared));
    }

    [Test]
    public async Task A_group_that_hangs_holds_up_nothing_beside_it()
    {
        var (grouped, alone) = (await IssueAsync(), await IssueAsync("read"));
        var other = await IssueAsync("small");
        var gate = new ScriptedGate();
        Calls.Next(ScriptedOperation.RevokeGroup, new ScriptedStep { Before = gate });
        await RevokeAsync(grouped);
        await Dispatcher.LookAsync(CancellationToken.None);
        await gate.Reached;
        await RevokeAsync(alone);
        await RevokeAsync(other);
        await Dispatcher.LookAsync(CancellationToken.None);
        await UntilAsync(async () => (await LeaseAsync(alone)).State == LeaseState.Revoked && (await LeaseAsync(other)).State == LeaseState.Revoked, "the others die meanwhile");
        gate.Open();
        await IdleAsync();
        await AssertDeadAsync([grouped, alone, other]);
    }

    [Test]
    public async Task Whatever_a_full_document_kills_is_ended_for_its_owner_too_and_only_that()
    {
        var several = new[] { await IssueAsync(), await IssueAsync(), await IssueAsync() };
        var bystander = await IssueAsync();
        var elsewhere = await IssueAsync("small");
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        _broker.Target.Documents.Room = 2;
        foreach (var lease in several) await RevokeAsync(lease);
        await _broker.LookAsync();
        Assert.That(Lives(bystander), Is.False, "the document denies everything that was issued before");
        _broker.Time.Advance(TimeSpan.FromSeconds(1));
        var later = await IssueAsync();
        for (var look = 0; look < 3; look++) await _broker.LookAsync();
        var more = await IssueAsync();
        await RevokeAsync(more);
        for (var look = 0; look < 3; look++) await _broker.LookAsync();

        await AssertDeadAsync([.. several, bystander, more]);
        Assert.That((await LeaseAsync(bystander)).EndReason, Is.EqualTo(EndReason.GroupOverflowed));
        Assert.That(await _broker.StoryAsync(_task), Does.Contain(AuditTypes.LeaseRevoking));
        Assert.That((await _broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [AuditTypes.GroupOverflowed] }, new PageRequest(10, null), CancellationToken.None)).Items, Has.Count.EqualTo(1));
        Assert.That(new[] { elsewhere, later }.Select(Lives), Is.All.True);
        foreach (var lease in new[] { elsewhere, later }) Assert.That((await _broker.LeaseAsync(lease.Lease.Lease.Id)).Effective.Live);
    }

    [Test]
    public async Task One_whose_mark_cannot_be_made_is_denied_with_the_others_and_not_taken_for_dead()
    {
        var (first, second) = (await IssueAsync(), await IssueAsync());
        await _database.ExecuteAsync($"UPDATE {_database.Schema}leases SET mark_key_id = 'ffffffff' WHERE external_name = '{(await LeaseAsync(first)).ExternalName}'");
        await RevokeAsync(first);
        await RevokeAsync(second);
        await _broker.LookAsync();
        await AssertDeadAsync([second]);
        Assert.That(Lives(first), Is.False);
        var stuck = await LeaseAsync(first);
        Assert.That((stuck.State, stuck.LastError!.Fault), Is.EqualTo((LeaseState.Revoking, ProviderFault.Credential)));
    }

    [Test]
    public async Task Without_its_store_the_broker_adds_to_what_the_document_says()
    {
        var (first, second) = (await IssueAsync(), await IssueAsync());
        await RevokeAsync(first);
        await _broker.LookAsync();
        await _broker.Get<RevocationAttempt>().WithoutStoreAsync(await LeaseAsync(second));
        Assert.That(Calls.Count(ScriptedOperation.Revoke), Is.EqualTo(1));
        Assert.That(new[] { first, second }.Select(Lives), Is.All.False);
    }

    [Test]
    public async Task Nodes_take_turns_in_one_group()
    {
        if (!postgres) Assert.Ignore("SQLite serves one node.");
        await using var other = await StartAsync(register: false, _broker.Time, _broker.Scripted);
        var all = new List<IssuedLease>();
        for (var round = 0; round < 10; round++)
        {
            for (var i = 0; i < 4; i++) all.Add(await IssueAsync(i % 2 == 0 ? "shared" : "guarded"));
            foreach (var lease in all.TakeLast(3)) await RevokeAsync(lease);
            await Task.WhenAll(_broker.LookAsync(), other.LookAsync());
        }

        Ok(await _broker.Get<TaskService>().EndAsync(_agent, _task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        for (var look = 0; look < 5; look++) await Task.WhenAll(_broker.LookAsync(), other.LookAsync());
        await AssertDeadAsync(all);
        Assert.That(_broker.Target.Documents.MostWritersAtOnce, Is.EqualTo(1));
    }

    private Task<BrokerHarness> StartAsync(bool register = true, FakeTimeProvider? time = null, ScriptedProviderType? scripted = null) => _database is SqliteStoreDatabase sqlite
        ? StoreHarness.SqliteAsync(sqlite.Path, register: register, time: time, scripted: scripted)
        : StoreHarness.PostgresAsync(((PostgresStoreDatabase)_database).Database.ConnectionString, register: register, time: time, scripted: scripted);

    private async Task RegisterAsync(string role, ScriptedTemplate template) => Ok(await _broker.Get<RegistryService>().CreateAsync(
        RegistryAuthor.Operator, ResourceTypes.Role, role, "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template(template) }, new ChangeOptions(), CancellationToken.None));

    private async Task<IssuedLease> IssueAsync(string role = "shared", TimeSpan? ttl = null) => Ok(await _broker.IssueAsync(_agent, _task, role, ttl));

    private async Task RevokeAsync(IssuedLease issued) => Ok(await _broker.Get<LeaseService>().RevokeAsync(_agent, null, issued.Lease.Lease.Id, CancellationToken.None));

    private async Task<Lease> LeaseAsync(IssuedLease issued) => (await _broker.LeaseAsync(issued.Lease.Lease.Id)).Lease;

    private bool Lives(IssuedLease issued) => _broker.Target.Open(issued.Credential["username"].Value.Reveal(), issued.Credential["password"].Value) is not null;

    private async Task AssertDeadAsync(IReadOnlyList<IssuedLease> several)
    {
        foreach (var issued in several)
        {
            Assert.That((await LeaseAsync(issued)).State, Is.EqualTo(LeaseState.Revoked));
            Assert.That(Lives(issued), Is.False, "the target refuses it");
        }
    }

    private Task IdleAsync() => Until(() => Dispatcher.Running == 0, "the attempts return");

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await holds())
            if (bound.IsCancellationRequested) throw new TimeoutException($"In 30 s it did not come true that {what}.");
    }
}
