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
    private static CancellationToken None => CancellationToken.None;

    protected override BrokerLimits Limits => new() { IssuesAtOnce = 1, IssuesWaiting = 1 };

    private Admission Admission => Broker.Get<Admission>();

    [Test]
    public async Task Whoever_comes_beyond_those_who_wait_is_told_when_to_come_again_and_nothing_is_decided_for_it()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var inside = await Admission.EnterAsync(None);
        var waiting = Broker.IssueAsync(agent, task);
        await Until(() => Admission.Waiting == 1, "it waits");
        foreach (var role in new[] { "read", "absent" })
        {
            var refused = Refused(await Broker.IssueAsync(agent, task, role: role));
            Assert.That((refused.Reason, refused.RetryAfter), Is.EqualTo((Reasons.BrokerUnavailable, (TimeSpan?)TimeSpan.FromSeconds(1))));
        }

        Assert.That(await Broker.StoryAsync(task), Is.EqualTo(new[] { AuditTypes.Decision, AuditTypes.TaskCreated }));
        Assert.That(waiting.IsCompleted, Is.False);
        inside!.Dispose();
        inside.Dispose();
        Ok(await waiting);
        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Admission.Waiting, Is.Zero);
    }

    [Test]
    public async Task Whoever_hangs_up_while_it_waits_makes_room()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var inside = await Admission.EnterAsync(None);
        using var gone = new CancellationTokenSource();
        var waiting = Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "db", Role = "read" }, gone.Token);
        await Until(() => Admission.Waiting == 1, "it waits");
        await gone.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        var another = Broker.IssueAsync(agent, task);
        await Until(() => Admission.Waiting == 1, "another waits in its place");
        inside!.Dispose();
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
}
