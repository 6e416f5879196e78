using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Clocks;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.Providers.Token;
using CredBroker.Testing.Scripted;
using CredBroker.TestSupport.Harness;
using CredBroker.TestSupport.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>A backup is taken, the world goes on, the backup is restored: nothing that lives is revoked, and nothing that was revoked lives again.</summary>
[TestFixture(DatabaseKind.Sqlite)]
[TestFixture(DatabaseKind.Postgres)]
public sealed class RestoreTests(DatabaseKind kind)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private StoreDatabase _database = null!;
    private string _folder = "";
    private BrokerHarness _broker = null!;

    private static CancellationToken None => CancellationToken.None;

    private string WitnessFile => Path.Combine(_folder, "witness");

    private IQuarantineStore Quarantines => _broker.Get<IQuarantineStore>();

    [SetUp]
    public async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("credbroker-restore-").FullName;
        _database = await StoreDatabase.CreateAsync(kind);
        _broker = await OpenAsync(null, null);
        var tokens = new ProviderSpec { Type = "token", Config = JsonSerializer.SerializeToElement(new { }) };
        Ok(await _broker.Get<RegistryService>().CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "tokens", null, tokens, new ChangeOptions(), None));
        var role = new RoleSpec { Kind = "jwt", Template = JsonSerializer.SerializeToElement(new { audience = "orders" }) };
        Ok(await _broker.Get<RegistryService>().CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "call", "tokens", role, new ChangeOptions(), None));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _broker.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task After_a_restore_nothing_live_is_revoked_and_nothing_revoked_revives([Values] bool inUse)
    {
        var (agent, gone) = (await _broker.CallerAsync(), await _broker.CallerAsync("gone"));
        var (task, ended, goneTask) = (await _broker.TaskAsync(agent, ttl: Hour * 5), await _broker.TaskAsync(agent, ttl: Hour * 5), await _broker.TaskAsync(gone, ttl: Hour * 5));
        var renewed = await IssueAsync(agent, task);
        var revoked = await IssueAsync(agent, task);
        var endedOne = await IssueAsync(agent, ended);
        var suspended = await IssueAsync(gone, goneTask);
        var token = await IssueAsync(agent, task, "tokens", "call");
        await BackUpAsync(inUse);

        Ok(await _broker.Get<Renewal>().RenewAsync(agent, null, renewed.Id, TimeSpan.FromMinutes(50), "", None));
        Ok(await _broker.Get<LeaseService>().RevokeAsync(agent, null, revoked.Id, None));
        Ok(await _broker.Get<LeaseService>().RevokeAsync(agent, null, token.Id, None));
        Ok(await _broker.Get<TaskService>().EndAsync(agent, ended.Id, TaskOutcome.Succeeded, None));
        await SuspendAsync(gone);
        await _broker.LookAsync();
        var unknown = await IssueAsync(agent, task);
        Assert.That(AtTarget(), Is.EquivalentTo(new[] { renewed.ExternalName, unknown.ExternalName }));

        await RestoreAsync();
        var held = await Quarantines.ListAsync(None);
        Assert.That(held.Select(one => (one.ProviderName, one.Reason, one.Unproven, one.Local)), Is.EqualTo(new[] { ("db", QuarantineReason.Restored, 4L, 0L), ("tokens", QuarantineReason.Restored, 1L, 1L) }));
        Assert.That(Refused(await _broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.ProviderQuarantined));
        Assert.That((await _broker.LeaseAsync(token.Id)).Effective.Live, Is.False, "it had been revoked");
        Assert.That((await _broker.Leases.ListAsync(new LeaseQuery { Live = true }, new PageRequest(10, null), None)).Items.Select(view => view.Lease.RoleName), Has.None.Contain("tokens"));

        // Past what the row says of the renewed one: stored time revokes nothing. A person's word does.
        await PassAsync(TimeSpan.FromMinutes(35));
        await _broker.LookAsync();
        Assert.That(AtTarget(), Is.EquivalentTo(new[] { renewed.ExternalName, unknown.ExternalName }));
        Assert.That((await _broker.LeaseAsync(renewed.Id)).Lease.State, Is.EqualTo(LeaseState.Active));
        Ok(await _broker.Get<LeaseService>().RevokeAsync(agent, null, endedOne.Id, None));
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(endedOne.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), "what is explicit goes on");

        var report = await ReconcileAsync();
        Assert.That((report.Complete, report.Unknown, report.NotAccepted, report.Acted), Is.EqualTo((true, 1L, 1L, 1L)));
        Assert.That((await _broker.LeaseAsync(renewed.Id)).Lease.ExpiresAt, Is.EqualTo(renewed.ReservedAt + TimeSpan.FromMinutes(50)), "the target knows how long it was renewed for");
        Assert.That((await Quarantines.ListAsync(None)).Select(one => (one.ProviderName, one.Overdue)), Is.EqualTo(new[] { ("db", 2L), ("tokens", 0L) }), "with something unknown there a person must release it");

        var (service, root) = (_broker.Get<QuarantineService>(), await RootAsync());
        Assert.That(Refused(await service.ReleaseAsync(agent, "db", "I want to", false, None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Ok(await service.ReleaseAsync(root, "db", "", true, None)).Overdue, Is.EqualTo(2));
        Assert.That(await Quarantines.ListAsync(None), Has.Count.EqualTo(2), "only shown");
        Ok(await service.ReleaseAsync(root, "db", "looked at", false, None));
        Ok(await service.ReleaseAsync(root, "tokens", "looked at", false, None));
        await _broker.LookAsync();
        Assert.That(AtTarget(), Is.EquivalentTo(new[] { renewed.ExternalName, unknown.ExternalName }), "what lives, lives on");
        foreach (var dead in new[] { revoked, suspended, token })
            Assert.That((await _broker.LeaseAsync(dead.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), dead.RoleName);
        Assert.That((await ReconcileAsync()).NotAccepted, Is.Zero);
        Assert.That(await Quarantines.ListAsync(None), Is.Empty, "what a person has accepted puts it into no quarantine again");
        Ok(await _broker.IssueAsync(agent, task));

        await PassAsync(TimeSpan.FromMinutes(20));
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(renewed.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), "its time counts again");
        await RestartAsync();
        Assert.That(await Quarantines.ListAsync(None), Is.Empty);
        Assert.That(await EpochsAsync(), Is.EqualTo(2));
    }

    [Test]
    public async Task What_a_backup_caught_in_the_middle_is_revoked_by_no_time_and_by_every_end()
    {
        var agent = await _broker.CallerAsync();
        var tasks = new List<AgentTask>();
        for (var i = 0; i < 4; i++) tasks.Add(await _broker.TaskAsync(agent, ttl: Hour * 5));
        using var enough = new CancellationTokenSource();
        var working = tasks.Select(task => Task.Run(() => WorkAsync(agent, task, enough.Token))).ToList();
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            while (AtTarget().Length < 8 && !working.TrueForAll(task => task.IsCompleted)) await timer.WaitForNextTickAsync();
        await _database.BackUpWhileInUseAsync();
        await enough.CancelAsync();
        await Task.WhenAll(working);
        var tokens = (await _broker.Leases.ListAsync(new LeaseQuery { Live = true }, new PageRequest(1000, null), None)).Items.Where(view => view.Lease.RoleName.Contains("tokens", StringComparison.Ordinal)).ToList();
        await UntilRevokedAsync();
        var alive = AtTarget();
        Assert.That(alive, Has.Length.GreaterThan(3));
        Assert.That(tokens, Has.Count.GreaterThan(3));

        await RestoreAsync();
        Assert.That(await Quarantines.ListAsync(None), Has.Count.EqualTo(2));
        await PassAsync(TimeSpan.FromMinutes(45));
        await UntilRevokedAsync();
        Assert.That(AtTarget(), Is.EquivalentTo(alive), "time that is stored revokes nothing");
        foreach (var token in tokens)
            Assert.That((await _broker.Leases.FindAsync(token.Lease.Id, None))?.Effective.Live, Is.Not.True, "nobody can know");

        await ReconcileAsync();
        foreach (var one in await Quarantines.ListAsync(None)) Ok(await _broker.Get<QuarantineService>().ReleaseAsync(await RootAsync(), one.ProviderName, "looked at", false, None));
        foreach (var task in tasks) Ok(await _broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        for (var i = 0; i < 5; i++)
        {
            await PassAsync(TimeSpan.FromMinutes(1));
            await UntilRevokedAsync();
        }

        var known = (await _broker.Leases.ListAsync(new LeaseQuery(), new PageRequest(1000, null), None)).Items;
        Assert.Multiple(() =>
        {
            Assert.That(known.Where(view => view.Lease.State is not (LeaseState.Revoked or LeaseState.Void)).Select(view => (view.Lease.RoleName, view.Lease.State)), Is.Empty, "an end is carried out whatever the backup had caught");
            Assert.That(AtTarget().Intersect(known.Select(view => view.Lease.ExternalName)), Is.Empty);
            Assert.That(AtTarget(), Is.SubsetOf(alive), "nothing that was revoked lives again");
        });
    }

    /// <summary>Leases of both providers, some of them renewed, some revoked, until there is enough.</summary>
    private async Task WorkAsync(Caller agent, AgentTask task, CancellationToken enough)
    {
        for (var i = 0; i < 20 && !enough.IsCancellationRequested; i++)
        {
            var lease = await IssueAsync(agent, task);
            await IssueAsync(agent, task, "tokens", "call");
            if (i % 3 == 0) Ok(await _broker.Get<Renewal>().RenewAsync(agent, null, lease.Id, TimeSpan.FromMinutes(50), "", None));
            if (i % 3 == 1) Ok(await _broker.Get<LeaseService>().RevokeAsync(agent, null, lease.Id, None));
        }
    }

    [Test]
    public async Task A_complete_listing_that_knows_everything_releases_and_what_it_cannot_speak_of_waits_for_a_person()
    {
        var agent = await _broker.CallerAsync();
        var (task, idle) = (await _broker.TaskAsync(agent, ttl: TimeSpan.FromMinutes(40)), await _broker.TaskAsync(agent, ttl: TimeSpan.FromMinutes(40)));
        var lease = await IssueAsync(agent, task);
        await BackUpAsync();
        await IssueAsync(agent, task, "tokens", "call");
        await RestoreAsync();

        // Whoever dies before anybody looked finds it as it was.
        await RestartAsync();
        Assert.That(await Quarantines.ListAsync(None), Has.Count.EqualTo(2));
        Assert.That(await EpochsAsync(), Is.EqualTo(2), "found once");
        await PassAsync(TimeSpan.FromMinutes(45));
        await _broker.LookAsync();
        Assert.That((await _broker.Get<ITaskStore>().FindAsync(idle.Id, None))!.EndedAt, Is.Not.Null, "it holds nothing");
        Assert.That((await _broker.Get<ITaskStore>().FindAsync(task.Id, None))!.EndedAt, Is.Null, "what it holds would be revoked by that");
        Assert.That(await _broker.Get<ITaskStore>().NextDueAsync(None), Is.Null, "nobody looks for it in vain");
        Assert.That(AtTarget(), Has.Length.EqualTo(1));

        _broker.Target.Calls.Next(ScriptedOperation.List, ScriptedStep.Fails(ProviderFault.Unreachable));
        await ReconcileAsync();
        Assert.That(await Quarantines.ListAsync(None), Has.Count.EqualTo(2), "the listing did not come to its end");
        Assert.That((await ReconcileAsync()).Unknown, Is.Zero);
        Assert.That((await Quarantines.ListAsync(None)).Select(one => one.ProviderName), Is.EqualTo(new[] { "tokens" }));
        await _broker.LookAsync();
        Assert.That((await _broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        var told = (await _broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [AuditTypes.DatabaseRestored, AuditTypes.ProviderQuarantined, AuditTypes.ProviderReleased] }, new PageRequest(10, null), None)).Items;
        Assert.That(told.Select(one => (one.Draft.Type, one.Draft.Resource)), Is.EquivalentTo(new[]
        {
            (AuditTypes.DatabaseRestored, ""), (AuditTypes.ProviderQuarantined, "providers/db"), (AuditTypes.ProviderQuarantined, "providers/tokens"), (AuditTypes.ProviderReleased, "providers/db"),
        }));
    }

    [Test]
    public async Task The_same_database_is_in_no_quarantine_and_one_without_its_witness_is_as_far_as_that_says_something()
    {
        await RestartAsync();
        await RestartAsync();
        Assert.That(await Quarantines.ListAsync(None), Is.Empty);
        await CloseAsync();
        File.Delete(WitnessFile);
        await ReopenAsync();
        // One process has a file; nodes that share a server come and go.
        Assert.That(await Quarantines.ListAsync(None), Has.Count.EqualTo(kind == DatabaseKind.Sqlite ? 2 : 0));
        await CloseAsync();
        await File.WriteAllTextAsync(WitnessFile, "{ torn");
        await ReopenAsync();
        Assert.That(await Quarantines.ListAsync(None), Has.Count.EqualTo(2));
        Assert.That(await Quarantines.StartAsync((await Quarantines.ListAsync(None))[0].Provider, QuarantineReason.ByHand, Actor.Broker, "", None), Is.False, "it is in it already");
    }

    [Test]
    public async Task What_was_restored_twice_begins_one_epoch_whoever_has_seen_the_one_that_is_lost([Values] bool witnessed)
    {
        await BackUpAsync();
        await _broker.CallerAsync();
        await RestoreAsync();
        var provider = (await Quarantines.ListAsync(None))[0].Provider;
        Assert.That(await Quarantines.ReleaseAsync(provider, (await Quarantines.ListAsync(None))[0].Since, Actor.Broker, "", None), Is.True);
        var lost = (await Quarantines.ReadLatestAsync(None))!;
        Assert.That(await Quarantines.WeighAsync(lost, None), Is.EqualTo(NoteStanding.Known));

        await CloseAsync();
        await _database.RestoreAsync();
        // A node of a server that has no file finds the restore by a target's note.
        if (!witnessed) File.Delete(WitnessFile);
        await ReopenAsync();
        if (!witnessed && kind == DatabaseKind.Postgres)
        {
            Assert.That(await Quarantines.ListAsync(None), Is.Empty);
            Assert.That(await Quarantines.WeighAsync(lost, None), Is.EqualTo(NoteStanding.Strange));
            Assert.That(await Quarantines.StartIfLackingAsync(lost, "the anchor at db", None), Is.True);
        }
        else if (!witnessed)
        {
            // Of a witness that is missing nobody knows what it had seen: the first note says it.
            Assert.That(await Quarantines.StartIfLackingAsync(lost, "the anchor at db", None), Is.True);
        }

        foreach (var one in await Quarantines.ListAsync(None)) await Quarantines.ReleaseAsync(one.Provider, one.Since, Actor.Broker, "", None);
        Assert.That(await Quarantines.WeighAsync(lost, None), Is.EqualTo(NoteStanding.Known));
        Assert.That(await Quarantines.StartIfLackingAsync(lost, "a target that was out of reach", None), Is.False);
        var present = (await Quarantines.ReadLatestAsync(None))!;
        Assert.That(present.Epoch, Is.Not.EqualTo(lost.Epoch));
        Assert.That(await Quarantines.WeighAsync(present with { Commits = present.Commits + 100 }, None), Is.EqualTo(NoteStanding.Lacking));
        await RestartAsync();
        Assert.That(await Quarantines.ListAsync(None), Is.Empty);
    }

    [Test]
    public async Task A_node_notices_by_its_own_memory_that_the_database_behind_it_was_replaced()
    {
        if (kind == DatabaseKind.Sqlite) Assert.Ignore("Nobody replaces a file that is open.");
        var agent = await _broker.CallerAsync();
        await BackUpAsync();
        var task = await _broker.TaskAsync(agent);
        await ReplaceAsync();
        // Its connections are gone, each of them once.
        await AnsweredAsync(async () =>
        {
            await _broker.Get<IAuditLog>().AppendAsync(new AuditDraft(AuditTypes.HookRefused, Actor.Broker), None);
            return true;
        });
        Assert.That((await AnsweredAsync(() => Quarantines.ListAsync(None))).Select(one => one.Reason), Is.EqualTo(new[] { QuarantineReason.Restored, QuarantineReason.Restored }));
        Assert.That(await AnsweredAsync(() => _broker.Get<ITaskStore>().FindAsync(task.Id, None)), Is.Null);
    }

    private static async Task<T> AnsweredAsync<T>(Func<Task<T>> ask)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask();
            }
            catch (StoreUnavailableException e) when (attempt < 10)
            {
                TestContext.Out.WriteLine(e.Message);
            }
        }
    }

    // As much passes as a node would not leave unmeasured.
    private async Task PassAsync(TimeSpan time)
    {
        _broker.Time.Advance(time);
        await _broker.Get<BrokerLife>().LookAsync(None);
    }

    private async Task<Lease> IssueAsync(Caller caller, AgentTask task, string provider = "db", string role = "read") =>
        Ok(await _broker.Issuance.IssueAsync(new IssueCommand { Caller = caller, Task = task.Id, Provider = provider, Role = role, Ttl = TimeSpan.FromMinutes(30) }, None)).Lease.Lease;

    // One look takes no more than a provider has slots.
    private async Task UntilRevokedAsync()
    {
        do await _broker.LookAsync();
        while ((await _broker.Leases.ListAsync(new LeaseQuery(), new PageRequest(1000, null), None)).Items.Any(view => view.Lease.State == LeaseState.Revoking && view.Lease.DueAt <= _broker.Time.Now()));
    }

    private async Task SuspendAsync(Caller caller)
    {
        var suspension = new Suspension { Id = Uid.New(_broker.Time), Target = caller.Workload.Uid, TargetName = "workloads/gone", Reason = "stolen", By = Actor.Broker, CreatedAt = _broker.Time.Now() };
        await _broker.Get<ISuspensionStore>().SuspendAsync(suspension, null, None);
    }

    private async Task<ReconciliationReport> ReconcileAsync()
    {
        var catalog = await _broker.Get<Catalog>().RefreshAsync(None);
        return await _broker.Get<Reconciler>().RunNowAsync(catalog.Providers["db"], None) ?? throw new InvalidOperationException("It is being reconciled.");
    }

    private string[] AtTarget() => [.. _broker.Target.Credentials.Select(credential => credential.Name)];

    private async Task<long> EpochsAsync() => Convert.ToInt64(await _database.ScalarAsync($"SELECT count(*) FROM {_database.Schema}epochs"), System.Globalization.CultureInfo.InvariantCulture);

    private async Task<Caller> RootAsync()
    {
        var person = await _broker.CallerAsync("root");
        return person with { IsRoot = true, Identity = person.Identity with { OperatorOwned = true } };
    }

    /// <summary>Takes a backup, with the broker stopped, or while it commits one thing after another.</summary>
    private async Task BackUpAsync(bool inUse = false)
    {
        if (inUse)
        {
            var taking = Task.Run(_database.BackUpWhileInUseAsync);
            do await _broker.Get<IAuditLog>().AppendAsync(new AuditDraft(AuditTypes.HookRefused, Actor.Broker), None);
            while (!taking.IsCompleted);
            await taking;
            return;
        }

        await CloseAsync();
        await _database.BackUpAsync();
        await ReopenAsync();
    }

    private async Task RestoreAsync()
    {
        await CloseAsync();
        await _database.RestoreAsync();
        await ReopenAsync();
    }

    private Task ReplaceAsync() => _database.RestoreAsync();

    private async Task RestartAsync()
    {
        await CloseAsync();
        await ReopenAsync();
    }

    private async Task CloseAsync() => await _broker.DisposeAsync();

    private async Task ReopenAsync() => _broker = await OpenAsync(_broker.Time, _broker.Scripted);

    private Task<BrokerHarness> OpenAsync(FakeTimeProvider? time, ScriptedProviderType? scripted)
    {
        static void Tokens(IServiceCollection services) => services.AddSingleton<IProviderType, TokenProviderType>();
        return _database switch
        {
            SqliteStoreDatabase sqlite => StoreHarness.SqliteAsync(sqlite.Path, null, time is null, time, scripted, Tokens, witness: WitnessFile),
            PostgresStoreDatabase postgres => StoreHarness.PostgresAsync(postgres.Database.ConnectionString, null, time is null, time, scripted, Tokens, witness: WitnessFile),
            _ => throw new InvalidOperationException(),
        };
    }
}
