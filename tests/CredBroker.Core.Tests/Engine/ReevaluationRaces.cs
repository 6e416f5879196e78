using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Reevaluation;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using CredBroker.Testing.Scripted;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using static CredBroker.TestSupport.Harness.BrokerHarness;

namespace CredBroker.Core.Tests.Engine;

/// <summary>
/// Issues, renewals, changes of policies and their roll-backs in any order, also in the middle of a page that is decided again, on two nodes one of which may
/// die at any moment: in the end nothing lives that policies do not permit, and nothing has died that they always permitted.
/// </summary>
public sealed class ReevaluationRaces : EngineTests
{
    private static readonly string[] Texts = [.. new[] { "read", "two-steps", "" }.Select(forbidden => $"""
        permit (principal, action, resource);
        forbid (principal, action in [Action::"issue", Action::"renew"], resource) when {"{"} "{forbidden}" != "" && resource == Role::"db/{(forbidden.Length == 0 ? "none" : forbidden)}" {"}"};
        """)];

    private static readonly Gen<Step> Plain = Gen.OneOf(
        Gen.Int[0, 2].Select(text => new Step(Kind.Change, text)), Gen.Int[0, 1].Select(role => new Step(Kind.Issue, role)), Gen.Const(new Step(Kind.Renew, 0)), Gen.Int[0, 1].Select(node => new Step(Kind.Die, node)));

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (3, Plain), (2, Gen.Select(Gen.Int[0, 1], Plain.Array[0, 2], Plain.Array[0, 2], (node, reading, settling) => new Step(Kind.Look, node) { WhileReading = reading, WhileSettling = settling })));

    // Two a page, so that something can come between pages.
    protected override BrokerLimits Limits => new() { ReevaluationPage = 2, IssuesPerMinutePerWorkload = 1_000_000, IssuesPerMinutePerRole = 1_000_000, IssuesPerMinutePerTask = 1_000_000, IssuesPerMinutePerProvider = 1_000_000 };

    private readonly List<string> _inForce = [];
    private readonly Dictionary<Uid, (int From, int Role)> _issued = [];
    private Node[] _nodes = [];
    private Caller _agent = null!;
    private AgentTask _task = null!;

    [Test]
    public async Task Nothing_forbidden_lives_and_nothing_permitted_dies_whatever_comes_between()
    {
        Ok(await Resources.UpdateAsync(RegistryAuthor.Operator, ResourceTypes.Role, "read", "db", new RoleSpec { Kind = "scripted", Template = ScriptedRoleKind.Template(), MaxTtl = TimeSpan.FromHours(12) }, new ChangeOptions(), CancellationToken.None));
        _agent = await Broker.CallerAsync();
        var iterations = int.TryParse(Environment.GetEnvironmentVariable("CREDBROKER_TEST_RACES"), out var many) ? many : 25;
        Steps.Array[1, 14].Sample(steps => RunAsync(steps).GetAwaiter().GetResult(), iter: iterations, threads: 1);
    }

    [Test]
    public async Task What_is_issued_after_the_change_is_not_followed()
    {
        var agent = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(agent);
        Ok(await Broker.IssueAsync(agent, task));
        await DoAsync(new Step(Kind.Change, 2));
        Broker.Time.Advance(TimeSpan.FromMinutes(5));
        for (var i = 0; i < 8; i++) Ok(await Broker.IssueAsync(agent, task));
        await Broker.ReevaluateAsync();
        var events = await Broker.Get<IAuditLog>().ListAsync(new AuditQuery { Types = [AuditTypes.PolicyReevaluated] }, new PageRequest(10, null), CancellationToken.None);
        Assert.That((long)events.Items[^1].Draft.Detail["examined"]!, Is.EqualTo(2), "one page: the old lease, and the first new one beside it");
    }

    private async Task RunAsync(Step[] steps)
    {
        _inForce.Clear();
        _issued.Clear();
        _nodes = [NewNode(), NewNode()];
        await DoAsync(new Step(Kind.Change, 2));
        _task = await Broker.TaskAsync(_agent, ttl: TimeSpan.FromHours(10));
        foreach (var step in steps) await DoAsync(step);

        // Quiet: whoever held something died, and one node goes on.
        Broker.Time.Advance(TimeSpan.FromMinutes(2));
        _nodes = [NewNode(), NewNode()];
        await Broker.ReevaluateAsync();
        foreach (var (id, (from, role)) in _issued)
        {
            var lease = await Broker.LeaseAsync(id);
            var since = _inForce.Skip(from).ToList();
            Assert.That(lease.Effective.Live && Forbids(since[^1], role), Is.False, "what is forbidden now is dead");
            Assert.That(lease.Effective.Live || since.Any(text => Forbids(text, role)), Is.True, "what was never forbidden lives");
        }

        Ok(await Broker.Get<TaskService>().EndAsync(_agent, _task.Id, TaskOutcome.Succeeded, CancellationToken.None));
        await Broker.LookAsync();
    }

    private async Task DoAsync(Step step)
    {
        switch (step.What)
        {
            case Kind.Change:
                // Behind the back of whoever has a copy, as another node would.
                var store = Broker.Get<IRegistryStore>();
                var entry = (await store.LoadAsync(CancellationToken.None)).Entries.Single(entry => entry.Kind == ResourceKind.PolicySet);
                var change = new RegistryChange(entry with { SpecJson = SpecJson.Write(new PolicySetSpec { Text = Texts[step.Value] }) }, entry.Version, Actor.Broker)
                {
                    ReevaluateAfter = TimeSpan.FromSeconds(1),
                    Audit = new AuditDraft(AuditTypes.ResourceUpdated, Actor.Broker),
                };
                Assert.That(await store.PutAsync(change, CancellationToken.None), Is.InstanceOf<RegistryOutcome.Changed>());
                _inForce.Add(Texts[step.Value]);
                break;
            case Kind.Issue:
                var role = step.Value == 0 ? "read" : "two-steps";
                if (await Broker.IssueAsync(_agent, _task, role, TimeSpan.FromHours(1)) is Result<IssuedLease>.Ok { Value.Lease.Lease: var made })
                {
                    Assert.That(Forbids(_inForce[^1], step.Value), Is.False, "nothing is issued under policies of before");
                    _issued[made.Id] = (_inForce.Count - 1, step.Value);
                }

                break;
            case Kind.Renew:
                foreach (var (id, (_, held)) in _issued.ToList())
                {
                    var before = (await Broker.LeaseAsync(id)).Lease.ExpiresAt;
                    Broker.Time.Advance(TimeSpan.FromMilliseconds(10));
                    if (await Broker.Get<Renewal>().RenewAsync(_agent, _task.Id, id, null, "", CancellationToken.None) is Result<LeaseView>.Ok { Value.Lease: var after } && after.ExpiresAt > before)
                        Assert.That(Forbids(_inForce[^1], held), Is.False, "nothing is renewed under policies of before");
                }

                break;
            case Kind.Die:
                _nodes[step.Value] = NewNode();
                Broker.Time.Advance(TimeSpan.FromSeconds(61));
                break;
            case Kind.Look:
                Broker.Time.Advance(TimeSpan.FromSeconds(1));
                var node = _nodes[step.Value];
                node.Store.BeforePage = () => AllAsync(step.WhileReading);
                node.Store.BeforeSettle = () => AllAsync(step.WhileSettling);
                await node.Reevaluator.LookAsync(CancellationToken.None);
                break;
        }
    }

    private async Task AllAsync(Step[] steps)
    {
        foreach (var step in steps) await DoAsync(step);
    }

    private static bool Forbids(string text, int role) => text.Contains(role == 0 ? "\"read\" != \"\"" : "\"two-steps\" != \"\"", StringComparison.Ordinal);

    /// <summary>A node of its own mind: what it knows of the registry is as old as its last look.</summary>
    private Node NewNode()
    {
        var store = new InterruptedStore(Broker.Get<IReevaluationStore>());
        var catalog = new Catalog(Broker.Get<IRegistryStore>(), Broker.Get<PolicyCompiler>(), NullLogger<Catalog>.Instance);
        var decider = new Decider(catalog, Broker.Get<PolicySchema>(), Broker.Time);
        var judge = new LeaseJudge(Broker.Get<ITaskStore>(), Broker.Get<IWorkloadStore>(), Broker.Get<IRegistryStore>(), decider, Broker.Time);
        return new Node(store, new Reevaluator(store, judge, catalog, Broker.Get<BrokerLimits>(), Broker.Get<BrokerMetrics>(), Broker.Get<Signals>(), NullLogger<Reevaluator>.Instance, Broker.Time));
    }

    private enum Kind
    {
        Change,
        Issue,
        Renew,
        Die,
        Look,
    }

    private sealed record Step(Kind What, int Value)
    {
        public Step[] WhileReading { get; init; } = [];

        public Step[] WhileSettling { get; init; } = [];

        public override string ToString() => What == Kind.Look ? $"Look({Value}, [{string.Join(", ", (object[])WhileReading)}], [{string.Join(", ", (object[])WhileSettling)}])" : $"{What}({Value})";
    }

    private sealed record Node(InterruptedStore Store, Reevaluator Reevaluator);

    /// <summary>The store, with something that happens just before a page is read and just before it is settled.</summary>
    private sealed class InterruptedStore(IReevaluationStore store) : IReevaluationStore
    {
        public Func<Task>? BeforePage { get; set; }

        public Func<Task>? BeforeSettle { get; set; }

        public Task<ReevaluationWork?> ClaimAsync(TimeSpan holdFor, CancellationToken cancellationToken) => store.ClaimAsync(holdFor, cancellationToken);

        public async Task<IReadOnlyList<LeaseView>> PageAsync(ReevaluationScope scope, Uid? after, int size, CancellationToken cancellationToken)
        {
            var interruption = BeforePage;
            BeforePage = null;
            if (interruption is not null) await interruption();
            return await store.PageAsync(scope, after, size, cancellationToken);
        }

        public async Task<ReevaluationOutcome> SettleAsync(ReevaluationStep step, CancellationToken cancellationToken)
        {
            var interruption = BeforeSettle;
            BeforeSettle = null;
            if (interruption is not null) await interruption();
            return await store.SettleAsync(step, cancellationToken);
        }
    }
}
