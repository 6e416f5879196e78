using System.Collections.Immutable;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

public sealed class SuspensionTests : EngineTests
{
    private SuspensionService Suspensions => Broker.Get<SuspensionService>();

    [TestCase("workload")]
    [TestCase("identitySources/ci")]
    [TestCase("providers/db")]
    [TestCase("providers/db/roles/read")]
    public async Task Kills_all_that_its_target_holds_and_refuses_more(string target)
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease.Id;
        var responder = await ResponderAsync();
        var suspended = Ok(await Suspensions.SuspendAsync(responder, new SuspendCommand(target == "workload" ? $"workloads/{agent.Workload.Uid}" : target, "it leaks", MostLeases: 1), CancellationToken.None));
        Assert.Multiple(async () =>
        {
            Assert.That(suspended.Held, Is.EqualTo(1));
            Assert.That((await Broker.LeaseAsync(lease)).Effective.Reason, Is.EqualTo(EndReason.Suspended));
            Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.Suspended));
        });
        await Broker.LookAsync();
        Assert.That(Broker.Target.Credentials, Is.Empty);

        Ok(await Suspensions.LiftAsync(responder, suspended.Suspension.Id, CancellationToken.None));
        Assert.That((await Broker.LeaseAsync(lease)).Effective.Live, Is.False, "lifting revives nothing");
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task Shows_what_would_die_and_changes_nothing_when_it_only_validates()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Ok(await Suspensions.SuspendAsync(await ResponderAsync(), new SuspendCommand("providers/db", "?", ValidateOnly: true), CancellationToken.None)).Held, Is.EqualTo(1));
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task A_repeat_answers_the_same_suspension_and_another_under_its_id_is_refused()
    {
        var responder = await ResponderAsync();
        var command = new SuspendCommand("providers/db", "it leaks", RequestId: "s-1");
        var made = Ok(await Suspensions.SuspendAsync(responder, command, CancellationToken.None)).Suspension;
        Broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(Ok(await Suspensions.SuspendAsync(responder, command, CancellationToken.None)).Suspension, Is.EqualTo(made));
        foreach (var other in new[] { command with { Reason = "it leaks again" }, command with { Target = "providers/db/roles/read" }, command with { Until = Broker.Time.Now().AddHours(1) } })
            Assert.That(Refused(await Suspensions.SuspendAsync(responder, other, CancellationToken.None)).Reason, Is.EqualTo(Reasons.RequestIdReused));
        var colleague = await Broker.CallerAsync("colleague");
        var theirs = Ok(await Suspensions.SuspendAsync(colleague with { IsRoot = true, Identity = colleague.Identity with { OperatorOwned = true } }, command, CancellationToken.None)).Suspension;
        Assert.That(theirs.Id, Is.Not.EqualTo(made.Id), "an id is its caller's own");
    }

    [Test]
    public async Task Lifts_itself_at_its_end()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Suspensions.SuspendAsync(await ResponderAsync(), new SuspendCommand("providers/db", "a maintenance", Broker.Time.Now().AddMinutes(5)), CancellationToken.None));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.EqualTo(Reasons.Suspended));
        Broker.Time.Advance(TimeSpan.FromMinutes(5));
        await Broker.LookAsync();
        Ok(await Broker.IssueAsync(agent, task));
    }

    [Test]
    public async Task Only_callers_of_the_operators_sources_may_suspend_whatever_policy_says()
    {
        Ok(await Broker.Get<RegistryService>().CreateAsync(
            RegistryAuthor.Operator, ResourceTypes.PolicySet, "loose", null,
            new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = "permit (principal, action, resource);" }, new ChangeOptions(), CancellationToken.None));
        var agent = await Broker.CallerAsync();
        Assert.That(Refused(await Suspensions.SuspendAsync(agent, new SuspendCommand("providers/db", "mischief"), CancellationToken.None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
    }

    [Test]
    public async Task A_whole_identity_source_is_suspended_only_by_who_knows_how_much_dies()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        for (var i = 0; i < 3; i++) Ok(await Broker.IssueAsync(agent, task));
        var responder = await ResponderAsync();
        foreach (var most in (long?[])[null, 0, 2])
        {
            var refused = Refused(await Suspensions.SuspendAsync(responder, new SuspendCommand("identitySources/ci", "it leaks", MostLeases: most), CancellationToken.None));
            Assert.That((refused.Reason, refused.Metadata["leases"]), Is.EqualTo((Reasons.StateConflict, "3")), $"{most}");
        }

        Ok(await Broker.IssueAsync(agent, task));
        Assert.That(Ok(await Suspensions.SuspendAsync(responder, new SuspendCommand("identitySources/ci", "it leaks", ValidateOnly: true), CancellationToken.None)).Held, Is.EqualTo(4));
        Ok(await Suspensions.SuspendAsync(responder, new SuspendCommand("identitySources/ci", "it leaks", MostLeases: 1_000_000), CancellationToken.None));
        Assert.That((await Broker.LeasesOfAsync(task)).Select(view => view.Effective.Live), Is.All.False);
    }

    [Test]
    public async Task The_operators_root_and_its_source_cannot_be_suspended_by_anybody()
    {
        var root = await ResponderAsync();
        Ok(await Broker.Get<RegistryService>().CreateAsync(
            RegistryAuthor.Operator, ResourceTypes.PolicySet, "loose", null,
            new PolicySetSpec { Kind = PolicySetKinds.Operator, Text = "permit (principal, action, resource);" }, new ChangeOptions(), CancellationToken.None));
        var service = new SuspensionService(
            Broker.Get<ISuspensionStore>(), Broker.Get<IWorkloadStore>(), Broker.Get<Catalog>(), Broker.Get<Decider>(), new OperatorRoot("ci", "responder"), Broker.Get<Signals>(), Broker.Time);
        foreach (var caller in new[] { root, root with { IsRoot = false } })
        {
            foreach (var target in new[] { $"workloads/{root.Workload.Uid}", "identitySources/ci" })
            {
                foreach (var validate in new[] { true, false })
                    Assert.That(Refused(await service.SuspendAsync(caller, new SuspendCommand(target, "mutiny", ValidateOnly: validate, MostLeases: long.MaxValue), CancellationToken.None)).Reason, Is.EqualTo(Reasons.PermissionDenied));
            }
        }

        Assert.That((await Broker.Get<ISuspensionStore>().ListAsync(false, new PageRequest(10, null), CancellationToken.None)).Items, Is.Empty);
        Ok(await service.SuspendAsync(root, new SuspendCommand($"workloads/{(await Broker.CallerAsync("somebody")).Workload.Uid}", "another"), CancellationToken.None));
    }

    [Test]
    public async Task What_a_folder_declares_never_lifts_a_suspension()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var responder = await ResponderAsync();
        var folder = RegistryAuthor.Folder("manifests", "0a");
        var provider = new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("one") };
        var role = new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() };
        Ok(await Resources.CreateAsync(folder, ResourceTypes.Provider, "kept", null, provider, new ChangeOptions(), CancellationToken.None));
        Ok(await Resources.CreateAsync(folder, ResourceTypes.Role, "read", "kept", role, new ChangeOptions(), CancellationToken.None));
        Task<Result<IssuedLease>> IssueAsync() => Broker.Issuance.IssueAsync(new IssueCommand { Caller = agent, Task = task.Id, Provider = "kept", Role = "read" }, CancellationToken.None);
        Ok(await IssueAsync());
        foreach (var target in new[] { "providers/kept", "providers/kept/roles/read", "identitySources/ci" })
            Ok(await Suspensions.SuspendAsync(responder, new SuspendCommand(target, "it leaks", MostLeases: 1), CancellationToken.None));

        // Applied again, changed or as it was, by another hash.
        var again = RegistryAuthor.Folder("manifests", "0b");
        Ok(await Resources.UpdateAsync(again, ResourceTypes.Provider, "kept", null, provider with { Owner = "somebody" }, new ChangeOptions(), CancellationToken.None));
        Ok(await Resources.UpdateAsync(again, ResourceTypes.Role, "read", "kept", role with { Owner = "somebody" }, new ChangeOptions(), CancellationToken.None));
        var source = Broker.Get<Catalog>().Current.FindSource("ci")!.Spec;
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, source, new ChangeOptions(), CancellationToken.None));
        Assert.That(Refused(await IssueAsync()).Reason, Is.EqualTo(Reasons.Suspended));
        Assert.That((await Suspensions.ListAsync(responder, true, new PageRequest(10, null), CancellationToken.None)).Match(page => page.Items.Count, _ => 0), Is.EqualTo(3));

        // Nor does taking it out of the folder and putting it in again: the name is a tombstone, and a folder does not say that it means to reuse it.
        await Broker.LookAsync();
        Ok(await Resources.DeleteAsync(again, ResourceTypes.Role, "read", "kept", new ChangeOptions(), CancellationToken.None));
        Assert.That(Refused(await Resources.CreateAsync(again, ResourceTypes.Role, "read", "kept", role, new ChangeOptions(), CancellationToken.None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        Ok(await Resources.DeleteAsync(again, ResourceTypes.Provider, "kept", null, new ChangeOptions(), CancellationToken.None));
        Assert.That(Refused(await Resources.CreateAsync(again, ResourceTypes.Provider, "kept", null, provider, new ChangeOptions(), CancellationToken.None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
    }

    private async Task<Caller> ResponderAsync()
    {
        var anyone = await Broker.CallerAsync("responder");
        return anyone with { IsRoot = true, Identity = anyone.Identity with { OperatorOwned = true, Teams = ImmutableSortedSet<string>.Empty } };
    }
}
