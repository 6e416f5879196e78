using System.Net;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Hooks;
using CredBroker.Core.Identity;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What a correctly signed signal can and cannot end.</summary>
public sealed class HookTests : EngineTests
{
    private const int PageOfCandidates = 200;

    private static CancellationToken None => CancellationToken.None;

    [SetUp]
    public async Task RegisterHook()
    {
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "other", null,
            new IdentitySourceSpec { Oidc = new OidcSpec { Issuer = "https://other.example", JwksUri = "https://other.example/jwks" } }, new ChangeOptions(), None));
        await RegisterAsync("ci", "ci");
        await RegisterAsync("foreign", "other");
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "hooks", null,
            new PolicySetSpec { Text = "permit (principal is Hook, action == Action::\"endTask\", resource);" }, new ChangeOptions(), None));
    }

    [Test]
    public async Task Ends_the_one_task_that_matches()
    {
        var task = await OpenAsync("run-1");
        var other = await OpenAsync("run-2");
        Assert.That(Ok(await SignalAsync("ci", "m-1", match: "run-1")).Id, Is.EqualTo(task.Id));
        Assert.That((await RunsAsync(task), await RunsAsync(other)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task More_than_one_match_ends_none_and_is_recorded()
    {
        var (one, two) = (await OpenAsync("run-1"), await OpenAsync("run-1"));
        Assert.That(Refused(await SignalAsync("ci", "m-1", match: "run-1")).Reason, Is.EqualTo(Reasons.StateConflict));
        Assert.That((await RunsAsync(one), await RunsAsync(two)), Is.EqualTo((true, true)));
        var told = await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [AuditTypes.HookRefused] }, new PageRequest(10, null), None);
        Assert.That(told.Items, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_second_match_is_found_however_far_behind_the_first_it_comes()
    {
        var root = await OpenAsync("run-1");
        var child = await OpenAsync("run-1", root.Id);
        for (var i = 0; i < PageOfCandidates; i++) await OpenAsync("run-2");
        var behind = await OpenAsync("run-1");
        Assert.That(Refused(await SignalAsync("ci", "m-1", match: "run-1")).Reason, Is.EqualTo(Reasons.StateConflict));
        Assert.That((await RunsAsync(root), await RunsAsync(child), await RunsAsync(behind)), Is.EqualTo((true, true, true)));
    }

    [Test]
    public async Task A_tree_ends_as_one()
    {
        var root = await OpenAsync("run-1");
        var child = await OpenAsync("run-1", root.Id);
        Ok(await SignalAsync("ci", "m-1", match: "run-1"));
        Assert.That((await RunsAsync(root), await RunsAsync(child)), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task The_same_signal_acts_once_even_if_it_names_another_task()
    {
        var (one, two) = (await OpenAsync("run-1"), await OpenAsync("run-2"));
        Ok(await SignalAsync("ci", "m-1", task: one.Id));
        await SignalAsync("ci", "m-1", task: two.Id);
        Assert.That((await RunsAsync(one), await RunsAsync(two)), Is.EqualTo((false, true)));
        Ok(await SignalAsync("ci", "m-2", task: two.Id));
        Assert.That(await RunsAsync(two), Is.False);
    }

    [Test]
    public async Task A_signal_is_remembered_for_the_largest_tolerance_that_its_hook_may_be_given()
    {
        var (one, two) = (await OpenAsync("run-1"), await OpenAsync("run-2"));
        Ok(await SignalAsync("ci", "m-1", task: one.Id));
        Broker.Time.Advance(HookSpec.LongestTolerance);
        await Broker.Get<Retention.Pruner>().LookAsync(None);
        await SignalAsync("ci", "m-1", task: two.Id);
        Assert.That(await RunsAsync(two), Is.True, "somebody may have raised the tolerance meanwhile, so that the old signal is accepted again");
        Broker.Time.Advance(TimeSpan.FromMinutes(2));
        await Broker.Get<Retention.Pruner>().LookAsync(None);
        await SignalAsync("ci", "m-1", task: two.Id);
        Assert.That(await RunsAsync(two), Is.False, "no tolerance accepts it now: this is another");
    }

    [Test]
    public async Task A_hook_of_another_source_ends_nothing_and_learns_nothing()
    {
        var task = await OpenAsync("run-1");
        var theirs = Refused(await SignalAsync("foreign", "m-1", task: task.Id));
        var absent = Refused(await SignalAsync("foreign", "m-2", task: Uid.New(Broker.Time)));
        var matching = Refused(await SignalAsync("foreign", "m-3", match: "run-1"));
        Assert.That(new[] { theirs, absent, matching }.Select(error => (error.Reason, error.Message)).Distinct(), Has.Exactly(1).Items);
        Assert.That(await RunsAsync(task), Is.True);
    }

    [TestCase("team")]
    [TestCase("Instance")]
    [TestCase("ci/instance")]
    [TestCase("")]
    public async Task Matches_by_nothing_that_was_not_registered(string name)
    {
        var task = await OpenAsync("run-1");
        Assert.That(Refused(await HandleAsync("ci", new HookSignal("m-1", Broker.Time.Now(), null, new Dictionary<string, string> { ["instance"] = "run-1", [name] = "x" }, TaskOutcome.Succeeded))).Reason, Is.EqualTo(Reasons.FieldsInvalid));
        Assert.That(Refused(await HandleAsync("ci", new HookSignal("m-2", Broker.Time.Now(), null, new Dictionary<string, string>(), TaskOutcome.Succeeded))).Reason, Is.EqualTo(Reasons.FieldsInvalid));
        Assert.That(await RunsAsync(task), Is.True);
    }

    [Test]
    public async Task A_hook_that_policy_does_not_permit_ends_nothing()
    {
        var task = await OpenAsync("run-1");
        Ok(await Resources.DeleteAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "hooks", null, new ChangeOptions(), None));
        Assert.That(Refused(await SignalAsync("ci", "m-1", task: task.Id)).Reason, Is.EqualTo(Reasons.PolicyDenied));
        Assert.That(await RunsAsync(task), Is.True);
    }

    [Test]
    public async Task Attributes_are_those_of_the_run_that_performs_the_task_not_of_the_workloads_last_token([Values] bool named)
    {
        await RegisterAsync("by-ref", "ci", "ref");
        var opener = await Broker.CallerAsync(named ? "orchestrator" : "agent", "run-0", ("ref", "main"));
        var task = await Broker.TaskAsync(opener, performer: named ? ("ci", "agent") : null);
        if (named)
        {
            Assert.That(Refused(await RefAsync("main", "m-0")).Reason, Is.EqualTo(Reasons.ResourceNotFound), "nothing is attested of a performer that nobody is bound to");
            Ok(await Broker.IssueAsync(await Broker.CallerAsync("agent", "run-1", ("ref", "main")), task));
        }

        // Another run of the same workload calls later, with another ref, and opens a task of its own.
        var later = await Broker.CallerAsync("agent", "run-2", ("ref", "feature"));
        var other = await Broker.TaskAsync(later);
        Assert.That(Ok(await RefAsync("main", "m-1")).Id, Is.EqualTo(task.Id));
        Assert.That((await RunsAsync(task), await RunsAsync(other)), Is.EqualTo((false, true)));
        await Broker.CallerAsync("agent", "run-2", ("ref", "main"));
        Assert.That(Refused(await RefAsync("main", "m-2")).Reason, Is.EqualTo(Reasons.ResourceNotFound), "a later token of the same run changes nothing either");
        Assert.That(Ok(await RefAsync("feature", "m-3")).Id, Is.EqualTo(other.Id));

        Task<Result<AgentTask>> RefAsync(string value, string id) =>
            HandleAsync("by-ref", new HookSignal(id, Broker.Time.Now(), null, new Dictionary<string, string> { ["ref"] = value }, TaskOutcome.Succeeded));
    }

    [Test]
    public async Task Matching_by_claims_reads_the_performers_of_a_page_at_once()
    {
        var calls = new CountedCalls();
        await RestartAsync(calls.Watch);
        await RegisterHook();
        await RegisterAsync("by-id", "ci", "id");
        for (var i = 0; i < 20; i++) await Broker.TaskAsync(await Broker.CallerAsync($"agent-{i}"));
        calls.Take();
        Ok(await HandleAsync("by-id", new HookSignal("m-1", Broker.Time.Now(), null, new Dictionary<string, string> { ["id"] = "agent-7" }, TaskOutcome.Succeeded)));
        Assert.That(calls.Take().Where(call => call.StartsWith("IWorkloadStore", StringComparison.Ordinal)), Is.EqualTo(new[] { "IWorkloadStore.FindAllAsync" }));
        Ok(await HandleAsync("ci", new HookSignal("m-2", Broker.Time.Now(), (await Broker.TaskAsync(await Broker.CallerAsync("one", "run-9"))).Id, new Dictionary<string, string>(), TaskOutcome.Succeeded)));
        calls.Take();
        Refused(await SignalAsync("ci", "m-3", match: "run-404"));
        Assert.That(calls.Take().Where(call => call.StartsWith("IWorkloadStore", StringComparison.Ordinal)), Is.Empty, "a task knows its own instance");
    }

    private async Task<AgentTask> OpenAsync(string instance, Uid? parent = null)
    {
        // Ids are in the order of time, and so are pages.
        Broker.Time.Advance(TimeSpan.FromMilliseconds(2));
        return await Broker.TaskAsync(await Broker.CallerAsync("agent", instance), parent);
    }

    private Task<Result<AgentTask>> SignalAsync(string hook, string id, Uid? task = null, string? match = null) =>
        HandleAsync(hook, new HookSignal(id, Broker.Time.Now(), task, match is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["instance"] = match }, TaskOutcome.Succeeded));

    private Task<Result<AgentTask>> HandleAsync(string hook, HookSignal signal)
    {
        var service = Broker.Get<HookService>();
        return service.HandleAsync(service.Find(hook)!, signal, IPAddress.Loopback, None);
    }

    private async Task<bool> RunsAsync(AgentTask task) => (await Broker.Get<ITaskStore>().FindAsync(task.Id, None))!.EndedAt is null;

    private async Task RegisterAsync(string name, string source, string claim = "instance") =>
        Ok(await Resources.CreateAsync(RegistryAuthor.Operator, ResourceTypes.Hook, name, null,
            new HookSpec { IdentitySources = [source], PublicKeys = ["whpk_" + Convert.ToBase64String(new byte[32])], MatchClaims = [claim] }, new ChangeOptions(), None));
}
