using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Receipts;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Evidence counts only from the target that a lease was made at; what a person says of it is never shown as proven.</summary>
public sealed class TargetIdentityTests : EngineTests
{
    private static readonly ProviderSpec Elsewhere = new() { Type = "scripted", Config = ScriptedProviderType.Configure("two") };

    private static CancellationToken None => CancellationToken.None;

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_configuration_of_another_target_is_refused_while_leases_are_unproven(bool validateOnly)
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        var options = new ChangeOptions { ValidateOnly = validateOnly };
        var refused = Refused(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, Elsewhere, options, None));
        Assert.That((refused.Reason, refused.Metadata["unproven"]), Is.EqualTo((Reasons.TargetIdentityChanged, "1")));

        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        Assert.That(Refused(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, Elsewhere, options, None)).Reason, Is.EqualTo(Reasons.TargetIdentityChanged), "ended is not proven dead");
        await Broker.LookAsync();
        Assert.That(Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, Elsewhere, options, None)).Entry.TargetIdentity, Is.EqualTo("scripted:two"));
    }

    [Test]
    public async Task A_target_that_cannot_be_asked_does_not_become_the_one_that_proves()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        var evil = Broker.Scripted.Target("two");
        evil.Calls.Next(ScriptedOperation.Check, ScriptedStep.Fails(ProviderFault.Unreachable));
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, Elsewhere, new ChangeOptions(), None));
        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        var left = (await Broker.LeaseAsync(lease.Id)).Lease;
        Assert.That((left.State, left.LastError?.Fault), Is.EqualTo((LeaseState.Revoking, (ProviderFault?)ProviderFault.TargetMismatch)), "it knows nothing of the lease, which proves nothing");
        Assert.That(Broker.Target.Credentials, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_rebuilt_target_is_accepted_as_it_was_seen_and_what_it_lost_is_written_off_on_a_persons_word()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        var leases = Broker.Get<LeaseService>();
        var root = await RootAsync();
        Broker.Target.Identity = "scripted:rebuilt";
        Broker.Target.Clear();
        Assert.That(Refused(await AcceptAsync(RegistryAuthor.Of(agent), "scripted:rebuilt")).Reason, Is.EqualTo(Reasons.PermissionDenied));
        Assert.That(Refused(await AcceptAsync(RegistryAuthor.Operator, "scripted:seen-before")).Reason, Is.EqualTo(Reasons.TargetIdentityChanged), "it may have become yet another one");
        Assert.That(Ok(await AcceptAsync(RegistryAuthor.Operator, "scripted:rebuilt")).Entry.TargetIdentity, Is.EqualTo("scripted:rebuilt"));
        Assert.That(Refused(await leases.WriteOffAsync(root, lease.Id, "gone", None)).Reason, Is.EqualTo(Reasons.StateConflict), "what lives is not written off");

        Ok(await Broker.Get<TaskService>().EndAsync(agent, task.Id, TaskOutcome.Succeeded, None));
        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(lease.Id)).Lease.State, Is.EqualTo(LeaseState.Revoking), "accepting another identity proves nothing of leases of the earlier one");
        Assert.That(Refused(await leases.WriteOffAsync(agent, lease.Id, "trust me", None)).Reason, Is.EqualTo(Reasons.ResourceNotFound), "an owner's word is not enough");
        Ok(await leases.WriteOffAsync(root, lease.Id, "the disk burned", None));

        var shown = (await Broker.Get<IReceiptStore>().FindAsync(task.Id, null, None))!.Entries.Single().Lease;
        Assert.That((shown.Asserted, shown.EndReason, shown.Evidence!.Kind), Is.EqualTo((true, (EndReason?)EndReason.WrittenOff, "asserted")));
        Assert.That(shown.Evidence.Text, Does.Contain("ci/root").And.Contain("the disk burned"));
    }

    private Task<Result<Registered<ProviderSpec>>> AcceptAsync(RegistryAuthor author, string identity) =>
        Resources.AcceptIdentityAsync(author, Broker.Get<TargetIdentities>(), "db", identity, "it was rebuilt", null, None);
}
