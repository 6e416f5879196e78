using System.Collections.Immutable;
using System.Net;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>A name is recyclable, an id is not: whoever gets a name that somebody else had gets nothing else of theirs.</summary>
public sealed class RecycledNameTests : EngineTests
{
    private static readonly ChangeOptions Reuse = new() { ReuseName = true };

    private static CancellationToken None => CancellationToken.None;

    // Policies speak of names: nothing here may permit what ownership alone should.
    [SetUp]
    public async Task PermitOnlyWhatOwnersNeed() =>
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null,
            new PolicySetSpec { Text = "permit (principal in IdentitySource::\"ci\", action in [Action::\"createTask\", Action::\"issue\"], resource);" }, new ChangeOptions(), None));

    [Test]
    public async Task A_provider_of_a_deleted_ones_name_inherits_nothing()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var old = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Assert.That(Refused(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.HasLiveLeases));
        Assert.That(Refused(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.StateConflict));
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, new ChangeOptions { Force = true }, None));
        Assert.That((await Broker.LeaseAsync(old.Id)).Effective.Live, Is.False, "it died with its provider");

        var spec = new ProviderSpec { Type = "scripted", Config = ScriptedProviderType.Configure("two") };
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, spec, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        var reused = Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Provider, "db", null, spec, Reuse, None));
        Assert.That(reused.Uid, Is.Not.EqualTo(old.Gates.Provider.Uid));
        Assert.That(Refused(await Broker.IssueAsync(agent, task)).Reason, Is.Not.Empty, "the roles are gone too");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template() }, new ChangeOptions(), None));
        var fresh = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Assert.That(await Broker.Get<IRegistryStore>().CountersAsync([$"provider:{reused.Uid}"], None), Is.EqualTo(new[] { 1L }), "what the other held is not counted here");

        await Broker.LookAsync();
        Assert.That((await Broker.LeaseAsync(old.Id)).Lease.State, Is.EqualTo(LeaseState.Revoked), "it is revoked at its own target, though its provider is deleted");
        Assert.That(Broker.Target.Credentials, Is.Empty);
        Assert.That((await Broker.LeaseAsync(fresh.Id)).Effective.Live, Is.True);
    }

    [Test]
    public async Task An_identity_source_of_a_deleted_ones_name_vouches_for_nobody_that_was_known()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(await RootAsync(), new SuspendCommand("identitySources/ci", "it was sold", MostLeases: 1), None));
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, new ChangeOptions(), None));
        var spec = new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://evil.example", JwksUri = "https://evil.example/jwks", StableIdClaims = ["id"] } };
        Assert.That(Refused(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, spec, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.NameWasUsed));
        var reused = Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "ci", null, spec, Reuse, None));

        var twin = await AsAsync(agent, identity => identity with { SourceUid = reused.Uid });
        Assert.That((twin.Workload.Name, twin.Workload.Uid == agent.Workload.Uid), Is.EqualTo((agent.Workload.Name, false)), "the same name, somebody else");
        await AssertHasNoPartInAsync(twin, task, lease);
        // The suspension was the other's.
        Ok(await Broker.IssueAsync(twin, await Broker.TaskAsync(twin)));
    }

    [Test]
    public async Task A_subject_with_other_stable_ids_is_refused_and_once_accepted_inherits_nothing()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        var lease = Ok(await Broker.IssueAsync(agent, task)).Lease.Lease;
        var directory = Broker.Get<CallerDirectory>();
        var thief = agent.Identity with { StableIds = ImmutableSortedDictionary<string, string>.Empty.Add("id", "other"), TokenHash = "thief" };
        Assert.That(Refused(await directory.IdentifyAsync(thief, IPAddress.Loopback, None)).Reason, Is.EqualTo(Reasons.SubjectRecycled));
        var workloads = Broker.Get<WorkloadService>();
        Assert.That(Refused(await workloads.AcceptAsync(agent, agent.Workload.Uid, None)).Reason, Is.EqualTo(Reasons.PermissionDenied), "nobody accepts himself");
        Assert.That(Refused(await directory.IdentifyAsync(thief, IPAddress.Loopback, None)).Reason, Is.EqualTo(Reasons.SubjectRecycled));

        var root = await RootAsync();
        Ok(await Broker.Get<SuspensionService>().SuspendAsync(root, new SuspendCommand($"workloads/{agent.Workload.Uid}", "it leaks"), None));
        Ok(await workloads.AcceptAsync(root, agent.Workload.Uid, None));
        var accepted = Ok(await directory.IdentifyAsync(thief, IPAddress.Loopback, None));
        Assert.That(accepted.Workload.Uid, Is.Not.EqualTo(agent.Workload.Uid));
        await AssertHasNoPartInAsync(accepted, task, lease);
        // The suspension was the other's.
        Ok(await Broker.IssueAsync(accepted, await Broker.TaskAsync(accepted)));
        Assert.That(Refused(await directory.IdentifyAsync(agent.Identity, IPAddress.Loopback, None)).Reason, Is.EqualTo(Reasons.SubjectRecycled), "now the first is the stranger");
    }

    private async Task<Caller> AsAsync(Caller caller, Func<AttestedIdentity, AttestedIdentity> change) =>
        Ok(await Broker.Get<CallerDirectory>().IdentifyAsync(change(caller.Identity) with { TokenHash = "changed" }, IPAddress.Loopback, None));

    private async Task AssertHasNoPartInAsync(Caller caller, AgentTask task, Lease lease)
    {
        var tasks = Broker.Get<TaskService>();
        var leases = Broker.Get<LeaseService>();
        Assert.That(Refused(await tasks.GetAsync(caller, task.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await tasks.EndAsync(caller, task.Id, TaskOutcome.Failed, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await tasks.HeartbeatAsync(caller, task.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await Broker.IssueAsync(caller, task)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await leases.GetAsync(caller, null, lease.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That(Refused(await leases.RevokeAsync(caller, null, lease.Id, None)).Reason, Is.EqualTo(Reasons.ResourceNotFound));
        Assert.That((await tasks.ListAsync(caller, new TaskQuery(), new PageRequest(10, null), None)).Items, Is.Empty);
    }
}
