using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Who administers, and what a stranger learns by trying.</summary>
public sealed class AdministrationTests : EngineTests
{
    private static readonly IdentitySourceSpec Evil = new() { Oidc = new OidcSpec { Issuer = "https://evil.example", JwksUri = "https://evil.example/jwks" } };
    private static readonly ProviderSpec Provider = new() { Type = "scripted", Config = ScriptedProviderType.Configure("two") };
    private static readonly RoleSpec Role = new() { Kind = "scripted", Template = ScriptedRoleKind.Template() };
    private static readonly HookSpec Hook = new() { IdentitySources = ["ci"], PublicKeys = ["whpk_" + Convert.ToBase64String(new byte[32])] };
    private static readonly PolicySetSpec Everything = new() { Kind = PolicySetKinds.Operator, Text = "permit (principal, action, resource);" };

    private static CancellationToken None => CancellationToken.None;

    [Test]
    public async Task Only_callers_of_the_operators_sources_administer_whatever_policy_says()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "loose", null, Everything, new ChangeOptions(), None));
        var author = RegistryAuthor.Of(await Broker.CallerAsync());
        var before = Broker.Get<Catalog>().Current.Generation;
        await AssertRefusedAlikeAsync(author, ResourceTypes.IdentitySource, "ci", null, Evil);
        await AssertRefusedAlikeAsync(author, ResourceTypes.Provider, "db", null, Provider);
        await AssertRefusedAlikeAsync(author, ResourceTypes.Role, "read", "db", Role);
        await AssertRefusedAlikeAsync(author, ResourceTypes.Hook, "ci", null, Hook);
        await AssertRefusedAlikeAsync(author, ResourceTypes.PolicySet, "agents", null, Everything);
        Assert.That((await Broker.Get<Catalog>().RefreshAsync(None)).Generation, Is.EqualTo(before), "nothing was changed");
    }

    [Test]
    public async Task The_api_does_not_change_what_the_operators_file_says_not_even_for_root()
    {
        var author = RegistryAuthor.Of(await RootAsync());
        Assert.That(Refused(await Resources.UpdateAsync(author, ResourceTypes.IdentitySource, "ci", null, Evil, new ChangeOptions(), None)).Reason, Is.EqualTo(Reasons.ManagedElsewhere));
        Assert.That(Refused(await Resources.DeleteAsync(author, ResourceTypes.IdentitySource, "ci", null, new ChangeOptions { Force = true }, None)).Reason, Is.EqualTo(Reasons.ManagedElsewhere));
        Assert.That(Refused(await Resources.CreateAsync(author, ResourceTypes.IdentitySource, "ci", null, Evil, new ChangeOptions { ReuseName = true }, None)).Reason, Is.EqualTo(Reasons.AlreadyExists));

        Ok(await Resources.CreateAsync(author, ResourceTypes.IdentitySource, "mine", null, Evil, new ChangeOptions(), None));
        Assert.That(Broker.Get<Catalog>().Current.FindSource("mine")!.OperatorOwned, Is.False, "what the API registers vouches for no administrator");
    }

    [Test]
    public async Task A_stranger_cannot_tell_what_is_there_from_what_is_not()
    {
        var owner = await Broker.CallerAsync("owner");
        var task = await Broker.TaskAsync(owner);
        var lease = Ok(await Broker.IssueAsync(owner, task)).Lease.Lease;
        var suspension = Ok(await Broker.Get<SuspensionService>().SuspendAsync(await RootAsync(), new SuspendCommand("providers/db/roles/two-steps", "old"), None)).Suspension;
        var decision = lease.DecisionId;
        var stranger = await Broker.CallerAsync("stranger");
        var absent = Uid.New(Broker.Time);
        await AssertAlikeAsync(lease.Id, absent, async id => Refused(await Broker.Get<LeaseService>().GetAsync(stranger, null, id, None)));
        await AssertAlikeAsync(lease.Id, absent, async id => Refused(await Broker.Get<LeaseService>().GetAsync(stranger, task.Id, id, None)));
        await AssertAlikeAsync(lease.Id, absent, async id => Refused(await Broker.Get<LeaseService>().RevokeAsync(stranger, null, id, None)));
        await AssertAlikeAsync(lease.Id, absent, async id => Refused(await Broker.Get<LeaseService>().WriteOffAsync(stranger, id, "gone", None)));
        await AssertAlikeAsync(task.Id, absent, async id => Refused(await Broker.Get<Receipts.ReceiptService>().GetAsync(stranger, id, null, None)));
        await AssertAlikeAsync(task.Id, absent, async id => Refused(await Broker.Get<AuditService>().ListAsync(stranger, new AuditQuery { Task = id }, new PageRequest(1, null), None)));
        await AssertAlikeAsync(decision, absent, async id => Refused(await Broker.Get<AuditService>().GetDecisionAsync(stranger, id, None)));
        await AssertAlikeAsync(owner.Workload.Uid, absent, async id => Refused(await Broker.Get<WorkloadService>().GetAsync(stranger, id, None)));
        await AssertAlikeAsync(owner.Workload.Uid, absent, async id => Refused(await Broker.Get<WorkloadService>().AcceptAsync(stranger, id, None)));
        await AssertAlikeAsync(owner.Workload.Uid, absent, async id => Refused(await Broker.Get<SuspensionService>().SuspendAsync(stranger, new SuspendCommand($"workloads/{id}", "?", ValidateOnly: true), None)));
        await AssertAlikeAsync(suspension.Id, absent, async id => Refused(await Broker.Get<SuspensionService>().GetAsync(stranger, id, None)));
        await AssertAlikeAsync(suspension.Id, absent, async id => Refused(await Broker.Get<SuspensionService>().LiftAsync(stranger, id, None)));
        var all = Ok(await Broker.Get<LeaseService>().ListAsync(stranger, new LeaseQuery { Provider = lease.Gates.Provider.Uid }, new PageRequest(10, null), None));
        Assert.That((all.Items.Count, all.Next), Is.EqualTo((0, (string?)null)));
    }

    private static async Task AssertAlikeAsync(Uid there, Uid absent, Func<Uid, Task<BrokerError>> ask)
    {
        var (one, other) = (await ask(there), await ask(absent));
        Assert.That((one.Reason, one.Message.Replace(there.ToString(), "x", StringComparison.Ordinal)), Is.EqualTo((other.Reason, other.Message.Replace(absent.ToString(), "x", StringComparison.Ordinal))));
        Assert.That(one.Metadata, Is.EqualTo(other.Metadata));
    }

    private async Task AssertRefusedAlikeAsync<TSpec>(RegistryAuthor author, ResourceType<TSpec> type, string existing, string? parent, TSpec spec)
        where TSpec : class
    {
        var errors = new List<BrokerError>();
        foreach (var name in new[] { existing, "absent" })
        {
            errors.Add(Refused(await Resources.CreateAsync(author, type, name, parent, spec, new ChangeOptions(), None)));
            errors.Add(Refused(await Resources.CreateAsync(author, type, name, parent, spec, new ChangeOptions { ValidateOnly = true, ReuseName = true }, None)));
            errors.Add(Refused(await Resources.UpdateAsync(author, type, name, parent, spec, new ChangeOptions { ExpectedVersion = 999 }, None)));
            errors.Add(Refused(await Resources.DeleteAsync(author, type, name, parent, new ChangeOptions { Force = true }, None)));
        }

        Assert.That(errors.Select(error => (error.Reason, error.Message)).Distinct(), Is.EqualTo(new[] { (Reasons.PermissionDenied, errors[0].Message) }), type.Collection);
    }
}
