using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Registry;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>More requests for credentials than a node can decide.</summary>
public sealed class AdmissionTests : EngineTests
{
    // An eighth of which is two.
    private const int Waiting = 16;

    private static CancellationToken None => CancellationToken.None;

    protected override BrokerLimits Limits => new() { IssuesAtOnce = 1, IssuesWaiting = Waiting };

    private Admission Admission => Broker.Get<Admission>();

    [Test]
    public async Task Whoever_comes_beyond_those_who_wait_is_told_when_to_come_again_and_nothing_is_decided_for_it()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var inside = await EnterAsync();
        var waiting = new[] { Broker.IssueAsync(agent, task), Broker.IssueAsync(agent, task) };
        await Until(() => Admission.Waiting == 2, "both wait");
        foreach (var role in new[] { "read", "absent" })
        {
            var refused = Refused(await Broker.IssueAsync(agent, task, role: role));
            Assert.That((refused.Reason, refused.RetryAfter), Is.EqualTo((Reasons.BrokerUnavailable, (TimeSpan?)TimeSpan.FromSeconds(1))));
        }

        Assert.That(await Broker.StoryAsync(task), Is.EqualTo(new[] { AuditTypes.Decision, AuditTypes.TaskCreated }));
        Assert.That(waiting.Any(one => one.IsCompleted), Is.False);
        var other = await Broker.CallerAsync("other");
        var others = Broker.IssueAsync(other, await Broker.TaskAsync(other));
        await Until(() => Admission.Waiting == 3, "one workload does not fill the line for another");
        inside.Dispose();
        inside.Dispose();
        foreach (var issued in await Task.WhenAll([.. waiting, others])) Ok(issued);
        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Admission.Waiting, Is.Zero);
    }

    [Test]
    public async Task No_more_wait_than_may_however_many_workloads_they_are_of()
    {
        using var admission = new Admission(new BrokerLimits { IssuesAtOnce = 1, IssuesWaiting = 2 });
        using var inside = await admission.EnterAsync(Uid.New(TimeProvider.System), None);
        var waiting = new[] { admission.EnterAsync(Uid.New(TimeProvider.System), None).AsTask(), admission.EnterAsync(Uid.New(TimeProvider.System), None).AsTask() };
        Assert.That(await admission.EnterAsync(Uid.New(TimeProvider.System), None), Is.Null);
        inside!.Dispose();
        (await waiting[0])!.Dispose();
        (await waiting[1])!.Dispose();
    }

    [Test]
    public async Task Whoever_hangs_up_while_it_waits_makes_room()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var inside = await EnterAsync();
        using var gone = new CancellationTokenSource();
        var waiting = Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "db", Role = "read" }, gone.Token);
        await Until(() => Admission.Waiting == 1, "it waits");
        await gone.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        var another = Broker.IssueAsync(agent, task);
        await Until(() => Admission.Waiting == 1, "another waits in its place");
        inside.Dispose();
        Ok(await another);
        Assert.That(await Broker.LeasesOfAsync(task), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_provider_that_hangs_does_not_keep_others_from_being_decided([Values(ScriptedOperation.Issue, ScriptedOperation.Check)] ScriptedOperation where)
    {
        var target = Broker.Scripted.Target("slow");
        // Who could not be asked when it was registered is asked before its first lease.
        if (where == ScriptedOperation.Check) target.Calls.Next(ScriptedOperation.Check, ScriptedStep.Fails(ProviderFault.Unreachable));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "slow", null, new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("slow") }, new ChangeOptions(), None));
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "slow", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), None));
        var gate = new ScriptedGate();
        target.Calls.Always(where, ScriptedStep.Hangs(gate));
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var held = Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "slow", Role = "read" }, None);
        await gate.Reached;
        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(held.IsCompleted, Is.False);
        gate.Open();
        await held;
    }

    private async Task<Admission.Turn> EnterAsync() => (await Admission.EnterAsync(Uid.New(TimeProvider.System), None))!;
}
