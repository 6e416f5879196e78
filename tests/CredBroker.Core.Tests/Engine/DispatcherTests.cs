using System.Reflection;
using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Retention;
using CredBroker.Core.Revocation;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Who decides what is done next: nothing for nothing, one thing's fault for that thing alone, and a person's stop before all else.</summary>
public sealed class DispatcherTests : EngineTests
{
    private const int Slots = 4;

    protected override BrokerLimits Limits => new() { LeasesPerTask = 2000, LeasesPerWorkload = 2000, LeasesPerWorkloadAndProvider = 2000, RevokeSlots = Slots, IssuesPerMinutePerTask = 10_000, IssuesPerMinutePerWorkload = 10_000 };

    private RevocationDispatcher Dispatcher => Broker.Get<RevocationDispatcher>();

    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task An_idle_look_writes_nothing_and_waits_for_no_writer()
    {
        var agent = await Broker.CallerAsync();
        Ok(await Broker.IssueAsync(agent, await Broker.TaskAsync(agent)));
        await Broker.LookAsync();
        // Somebody else has the file's one write lock: whoever asked for it would wait, and fail.
        await using var other = new SqliteConnection($"Data Source={Database};Pooling=False");
        await other.OpenAsync(None);
        await using var take = new SqliteCommand("BEGIN IMMEDIATE", other);
        await take.ExecuteNonQueryAsync(None);
        await Dispatcher.LookAsync(None);
        await Broker.Get<Pruner>().LookAsync(None);
    }

    [Test]
    public async Task A_step_that_fails_keeps_no_other_from_being_done()
    {
        await RestartAsync(services => Intercept<ITaskStore>(services, method => method.Name == nameof(ITaskStore.EndOverdueAsync) ? throw new InvalidOperationException("a fault") : false));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Assert.ThatAsync(() => Dispatcher.LookAsync(None), Throws.InstanceOf<InvalidOperationException>(), "whoever decides when to look must know");
        await Until(() => Dispatcher.Running == 0, "the attempt returns");
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task A_row_that_cannot_be_read_holds_up_its_own_provider_alone()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "torn", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("torn") }, new ChangeOptions(), None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "torn", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), None));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var torn = Ok(await Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "torn", Role = "read" }, None)).Lease.Lease;
        Ok(await Broker.Get<LeaseService>().RevokeAsync(agent, null, torn.Id, None));
        await using (var database = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            await database.OpenAsync(None);
            await using var tear = new SqliteCommand($"UPDATE leases SET decision_id = 'torn' WHERE external_name = '{torn.ExternalName}'", database);
            Assert.That(await tear.ExecuteNonQueryAsync(None), Is.EqualTo(1));
        }

        Broker.Time.Advance(TimeSpan.FromSeconds(1));
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Ok(await Broker.Get<LeaseService>().RevokeAsync(agent, null, lease.Id, None));
        await Assert.ThatAsync(() => Dispatcher.LookAsync(None), Throws.Exception, "whoever decides when to look must know");
        await Until(() => Dispatcher.Running == 0, "the attempt returns");
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task After_a_pause_one_lease_tries_however_often_somebody_looks()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 10; i++) Ok(await Broker.IssueAsync(agent, task));
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, ScriptedStep.Fails(ProviderFault.Unreachable));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();

        var gate = new ScriptedGate();
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, ScriptedStep.Hangs(gate));
        var before = Broker.Target.Calls.Count(ScriptedOperation.Revoke);
        Broker.Time.Advance(TimeSpan.FromMinutes(3));
        await Dispatcher.LookAsync(None);
        await gate.Reached;
        for (var i = 0; i < 5; i++) await Dispatcher.LookAsync(None);
        Assert.That(Broker.Target.Calls.Count(ScriptedOperation.Revoke) - before, Is.EqualTo(1));
        Broker.Target.Calls.Always(ScriptedOperation.Revoke, null);
        gate.Open();
        await Until(() => Dispatcher.Running == 0, "the attempt returns");
        for (var i = 0; i < 5; i++) await Broker.LookAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(3));
        for (var i = 0; i < 5; i++) await Broker.LookAsync();
        Assert.That((await Broker.LeasesOfAsync(task)).Select(view => view.Lease.State), Is.All.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task A_node_that_stops_gives_back_what_hangs_so_that_another_need_not_wait()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var (hanging, done) = (Ok(await Broker.IssueAsync(agent, task)).Lease.Lease, Ok(await Broker.IssueAsync(agent, task)).Lease.Lease);
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Revoke, [ScriptedStep.Hangs(gate)]);
        Ok(await Broker.Get<LeaseService>().RevokeAsync(agent, null, hanging.Id, None));
        await Dispatcher.LookAsync(None);
        await gate.Reached;
        Ok(await Broker.Get<LeaseService>().RevokeAsync(agent, null, done.Id, None));
        await Dispatcher.LookAsync(None);
        await Until(() => Dispatcher.Running == 1, "the other attempt returns");

        using var bound = new CancellationTokenSource();
        var draining = Dispatcher.DrainAsync(bound.Token);
        Assert.That(draining.IsCompleted, Is.False, "what may yet come to its end is waited for");
        await bound.CancelAsync();
        await draining;
        Assert.That((await Broker.LeaseAsync(done.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        var other = (await Broker.Leases.ClaimDueAsync(new Claim(hanging.Gates.Provider.Uid, 10, TimeSpan.FromMinutes(1)), None)).Single();
        Assert.That(other.Id, Is.EqualTo(hanging.Id), "another node has it before the first one's claim runs out");
        gate.Open();
        await Until(() => Dispatcher.Running == 0, "the attempt returns");
        Assert.That((await Broker.LeaseAsync(hanging.Id)).Lease.State, Is.EqualTo(LeaseState.Revoking), "and the first settles nothing of it");
    }

    [Test]
    public async Task What_was_suspended_is_proven_dead_before_a_storm_of_expiries_and_each_owner_in_turn()
    {
        var storm = await Broker.CallerAsync("storm");
        var stormTask = await Broker.TaskAsync(storm);
        for (var i = 0; i < 60; i++) Ok(await Broker.IssueAsync(storm, stormTask, ttl: TimeSpan.FromMinutes(5)));
        var modest = await Broker.CallerAsync("modest");
        var modestLease = Ok(await Broker.IssueAsync(modest, await Broker.TaskAsync(modest), ttl: TimeSpan.FromMinutes(5))).Lease.Lease;
        var (first, second) = (await HoldingAsync("first", 12), await HoldingAsync("second", 3));
        Broker.Time.Advance(TimeSpan.FromMinutes(5));

        // The storm has taken every slot, and does not let go.
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Revoke, Enumerable.Repeat(ScriptedStep.Hangs(gate), Slots));
        await Dispatcher.LookAsync(None);
        await Until(() => Broker.Target.Calls.Count(ScriptedOperation.Revoke) == Slots, "the slots are taken");
        var root = await RootAsync();
        foreach (var caller in new[] { first.Caller, second.Caller })
            Ok(await Broker.Get<SuspensionService>().SuspendAsync(root, new SuspendCommand($"workloads/{caller.Workload.Uid}", "it leaks"), None));
        gate.Open();
        while (await UnprovenAsync() > 0) await Broker.LookAsync();

        var order = Broker.Target.Calls.Made.Where(call => call.Operation == ScriptedOperation.Revoke).Select(call => call.Name).ToList();
        var places = first.Names.Concat(second.Names).Select(name => order.IndexOf(name)).ToList();
        // The last of them may share its claim with the first of the storm, and what was claimed together starts in any order.
        Assert.That(places, Is.All.LessThan(Slots + 15 + Slots - 1), "they wait for what was under way, and for nothing else");
        Assert.That(second.Names.Select(name => order.IndexOf(name)), Is.All.LessThan(Slots + 6 + Slots), "twelve of one do not stand before three of another");
        Assert.That(order.IndexOf(modestLease.ExternalName), Is.LessThan(Slots), "nor sixty before one in the storm");
        Assert.That(order, Is.Unique);
    }

    [Test]
    public async Task Claims_come_between_the_batches_of_a_great_end()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 1100; i++) Ok(await Broker.IssueAsync(agent, task));
        var other = await HoldingAsync("other", 1);
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(await RootAsync(), new SuspendCommand($"workloads/{other.Caller.Workload.Uid}", "it leaks"), None));
        await RestartAsync(services => Intercept<ILeaseStore>(services, method =>
        {
            // The third batch of the end never comes.
            if (method.Name == nameof(ILeaseStore.FanOutAsync) && ++_batches > 3) throw new InvalidOperationException("enough");
            return false;
        }), keep: true);
        await Assert.ThatAsync(() => Dispatcher.LookAsync(None), Throws.InstanceOf<InvalidOperationException>());
        await Until(() => Dispatcher.Running == 0, "the attempts return");
        Assert.That(Broker.Target.Calls.Made.First(call => call.Operation == ScriptedOperation.Revoke).Name, Is.EqualTo(other.Names.Single()));
    }

    [Test]
    public async Task Nothing_is_proven_by_a_look_before_the_bound_that_answers_after_it()
    {
        var hasty = new HastyType();
        await RestartAsync(services => services.AddSingleton<IProviderType>(hasty));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "hasty", null, new ProviderSpec { Type = "hasty", Config = ScriptedProviderType.Configure("x") }, new ChangeOptions(), None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "hasty", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), None));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Refused(await Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "hasty", Role = "read" }, None));
        var lease = (await Broker.LeasesOfAsync(task)).Single().Lease;
        Broker.Time.Advance(TimeSpan.FromSeconds(39));
        await Dispatcher.LookAsync(None);
        await hasty.Reached.Task;
        Broker.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(Broker.Time.Now(), Is.GreaterThan(lease.MayStillArriveUntil!.Value));
        hasty.Opened.SetResult();
        await Until(() => Dispatcher.Running == 0, "the attempt returns");
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoking), "the late login could be there by now");
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
    }

    [Test]
    public async Task A_late_answer_of_a_provider_that_was_deleted_is_revoked_all_the_same()
    {
        var gate = new ScriptedGate();
        Broker.Target.Calls.Next(ScriptedOperation.Issue, ScriptedStep.Hangs(gate));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issuing = Broker.IssueAsync(agent, task);
        await gate.Reached;
        var lease = (await Broker.LeasesOfAsync(task)).Single().Lease;
        Broker.Time.Advance(TimeSpan.FromSeconds(36));
        Assert.That(Refused(await issuing).Reason, Is.EqualTo(Reasons.ProviderUnavailable));
        Broker.Time.Advance(TimeSpan.FromSeconds(30));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        foreach (var role in new[] { "read", "two-steps" })
            Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Role, role, "db", new ChangeOptions(), None));
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions(), None));

        // The script refuses what comes after the deadline: this target was slow to say so, and made it before.
        Broker.Target.Plant(lease.ExternalName, Broker.Get<Core.Signing.LeaseMarks>().Make(lease.Id).ToString(), lease.ExpiresAt);
        await Broker.Leases.ApplyAsync(new LeaseChange(lease.Id, new LeaseEvent.Issued(null, lease.ExpiresAt), Audit.Actor.Broker), None);
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease, Has.Property(nameof(Lease.State)).EqualTo(LeaseState.Revoking).And.Property(nameof(Lease.EndReason)).EqualTo(EndReason.Reappeared));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked));
        Assert.That(Broker.Target.Credentials, Is.Empty);
        gate.Open();
    }

    [Test]
    public async Task A_target_that_was_never_seen_and_hangs_holds_a_request_up_for_a_while_and_not_for_ever()
    {
        var target = Broker.Scripted.Target("silent");
        target.Calls.Next(ScriptedOperation.Check, ScriptedStep.Fails(ProviderFault.Unreachable));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "silent", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("silent") }, new ChangeOptions(), None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "silent", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), None));
        var gate = new ScriptedGate();
        target.Calls.Always(ScriptedOperation.Check, ScriptedStep.Hangs(gate));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var issuing = Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "silent", Role = "read" }, None);
        await gate.Reached;
        // Whoever waits may arm its timer a moment later: the clock moves until it answers.
        await Until(
            () =>
            {
                Broker.Time.Advance(TimeSpan.FromMilliseconds(100));
                return issuing.IsCompleted;
            },
            "somebody stops waiting");
        Assert.That(Refused(await issuing).Reason, Is.EqualTo(Reasons.ProviderUnavailable));
        Assert.That(await Broker.LeasesOfAsync(task), Is.Empty);
        gate.Open();
    }

    [Test]
    public async Task A_decision_under_a_policy_that_changes_before_the_reservation_is_made_again()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var planned = ((Planned.Ready)await Broker.Get<IssuePlanner>().PlanAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "db", Role = "read" }, None)).Plan;
        Assert.That(planned.Decision.Allowed, Is.True);
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = "forbid (principal, action == Action::\"issue\", resource);" }, new ChangeOptions(), None));
        var now = Broker.Get<Catalog>().Current;
        Assert.That(now.PolicyVersion, Is.GreaterThan(planned.Generations.PolicyVersion), "what is noted is what was decided under, though the broker already knows better");
        var root = await RootAsync();
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(root, new SuspendCommand("providers/db", "it leaks"), None));
        Assert.That(planned.Gates.Provider.Suspension, Is.LessThan(Broker.Get<Catalog>().Current.GateOf(planned.Provider.Uid).Suspension));
    }

    private int _batches;

    private async Task<(Caller Caller, IReadOnlyList<string> Names)> HoldingAsync(string subject, int count)
    {
        var caller = await Broker.CallerAsync(subject);
        var task = await Broker.TaskAsync(caller);
        var names = new List<string>();
        for (var i = 0; i < count; i++) names.Add(Ok(await Broker.IssueAsync(caller, task)).Lease.Lease.ExternalName);
        return (caller, names);
    }

    private async Task<int> UnprovenAsync() => (await Broker.Leases.ListAsync(
        new LeaseQuery { States = [LeaseState.Pending, LeaseState.Active, LeaseState.Revoking] }, new PageRequest(1000, null), None)).Items.Count;

    /// <summary>Puts something before a store's members; whatever it does not throw at goes through.</summary>
    private static void Intercept<T>(IServiceCollection services, Func<MethodInfo, bool> before)
        where T : class
    {
        var registered = services.Single(service => service.ServiceType == typeof(T));
        services.Remove(registered);
        services.AddSingleton(registered.ImplementationType!);
        services.AddSingleton(provider =>
        {
            var proxy = DispatchProxy.Create<T, Interceptor>();
            ((Interceptor)(object)proxy).Set(provider.GetRequiredService(registered.ImplementationType!), before);
            return proxy;
        });
    }

    public class Interceptor : DispatchProxy
    {
        private object _inner = null!;
        private Func<MethodInfo, bool> _before = null!;

        internal void Set(object inner, Func<MethodInfo, bool> before) => (_inner, _before) = (inner, before);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            _before(targetMethod!);
            return targetMethod!.Invoke(_inner, args);
        }
    }

    /// <summary>A provider that loses the answer of what it makes, and then says at once that nothing is there.</summary>
    private sealed class HastyType : ProviderType<ScriptedConfiguration>
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override string Name => "hasty";

        public override string Description => "Does not wait for what may still arrive.";

        public override TimeSpan LateEffect => TimeSpan.FromSeconds(10);

        public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new ScriptedRoleKind()];

        protected override IEnumerable<ValidationError> Validate(ScriptedConfiguration configuration) => [];

        protected override IProvider Create(ProviderContext context, ScriptedConfiguration configuration) => new Hasty(this, context.Time);
    }

    private sealed class Hasty(HastyType type, TimeProvider time) : IProvider
    {
        public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) =>
            throw new ProviderException(ProviderFault.Unreachable, "The answer is lost.");

        public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
        {
            var seen = time.Now();
            type.Reached.TrySetResult();
            await type.Opened.Task;
            return new RevokeOutcome.Gone("hasty", new Evidence("absent", "It is not there.", seen));
        }

        public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => Task.FromResult(new ProviderHealth("hasty", []));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
