using CredBroker.Abstractions;
using CredBroker.Core;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using NUnit.Framework;

namespace CredBroker.TestSupport.Stores;

/// <summary>A source, a provider with a role, and workloads, to make tasks and leases of.</summary>
public sealed class StoreWorld
{
    private readonly TimeProvider _time;

    private StoreWorld(TimeProvider time)
    {
        _time = time;
        Source = Uid.New(time);
        Workload = Uid.New(time);
        Provider = Uid.New(time);
        Role = Uid.New(time);
    }

    /// <summary>The identity source.</summary>
    public Uid Source { get; }

    /// <summary>The workload that holds leases, unless a test names another.</summary>
    public Uid Workload { get; set; }

    /// <summary>The provider.</summary>
    public Uid Provider { get; }

    /// <summary>Its role.</summary>
    public Uid Role { get; }

    /// <summary>Who acts.</summary>
    public static Actor Actor { get; } = new("workload", "ci/agent");

    /// <summary>Registers the provider and the role.</summary>
    public static async Task<StoreWorld> CreateAsync(StoreNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var world = new StoreWorld(node.Time);
        await node.Registry.PutAsync(world.Registration(world.Provider, ResourceKind.Provider, $"p-{world.Provider}"), CancellationToken.None).ConfigureAwait(false);
        await node.Registry.PutAsync(world.Registration(world.Role, ResourceKind.Role, "reader", world.Provider), CancellationToken.None).ConfigureAwait(false);
        return world;
    }

    /// <summary>A registration of something new.</summary>
    public RegistryChange Registration(Uid uid, ResourceKind kind, string name, Uid? parent = null) => new(
        new RegistryEntry
        {
            Uid = uid,
            Kind = kind,
            Name = name,
            ParentUid = parent,
            Version = 1,
            SpecJson = "{}",
            ManagedBy = "api",
            CreatedAt = _time.Now(),
            UpdatedAt = _time.Now(),
        },
        null,
        Actor)
    {
        Audit = new AuditDraft(AuditTypes.ResourceCreated, Actor) { Resource = name },
    };

    /// <summary>A task, not yet created.</summary>
    public NewTask NewTask(AgentTask? parent = null, TimeSpan? life = null, TimeSpan? heartbeat = null)
    {
        var id = Uid.New(_time);
        var party = new TaskParty(Workload, Source, "ci", "agent", "run-1");
        var now = _time.Now();
        return new NewTask
        {
            Task = new AgentTask
            {
                Id = id,
                Path = parent is null ? id.ToString() : $"{parent.Path}/{id}",
                ParentId = parent?.Id,
                Opener = party,
                Performer = party,
                Intent = new Intent("deploy", "team", "images", new Dictionary<string, string> { ["run"] = "7" }),
                CreatedAt = now,
                Deadline = now + (life ?? TimeSpan.FromHours(1)),
                HeartbeatInterval = heartbeat,
                AliveUntil = heartbeat is { } interval ? now + interval * 3 : null,
            },
            TreeDepth = 8,
            TreeSize = 1000,
            Charges = [new QuotaCharge($"tasks:{Workload}", 10_000, "running tasks")],
            Generations = new GenerationCheck(new Dictionary<Uid, long> { [Source] = 0 }, 0),
            Gates = [new Gate(Source, 0), new Gate(Workload, 0)],
            By = Actor,
            Audit = [new AuditDraft(AuditTypes.Decision, Actor) { TaskId = id, DecisionId = Uid.New(_time) }],
        };
    }

    /// <summary>Creates a task.</summary>
    public async Task<AgentTask> CreateTaskAsync(StoreNode node, AgentTask? parent = null, TimeSpan? life = null, TimeSpan? heartbeat = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        var outcome = await node.Tasks.CreateAsync(NewTask(parent, life, heartbeat), CancellationToken.None).ConfigureAwait(false);
        return outcome is CreateTaskOutcome.Created { Task: var task } ? task : throw new AssertionException($"The task was not created: {outcome}");
    }

    /// <summary>A lease, not yet reserved.</summary>
    public Lease NewLease(AgentTask task, TimeSpan? life = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        var id = Uid.New(_time);
        var now = _time.Now();
        var expires = now + (life ?? TimeSpan.FromMinutes(10));
        return new Lease
        {
            Id = id,
            TaskId = task.Id,
            TaskPath = task.Path,
            Gates = new LeaseGates(new Gate(Source, 0), new Gate(Workload, 0), new Gate(Provider, 0), new Gate(Role, 0)),
            ProviderVersion = 1,
            RoleVersion = 1,
            RoleName = "providers/p/roles/reader",
            RoleKind = "login",
            WorkloadName = "ci/agent",
            ExternalName = $"cb-a1b2c3-{id}",
            TargetIdentity = "target-1",
            Local = false,
            Revocability = new Revocability(RevocabilityKind.DeletesAndCutsSessions, TimeSpan.FromSeconds(2), ""),
            CanMint = false,
            ParametersJson = """{"table":"orders"}""",
            DecisionId = Uid.New(_time),
            IssueDeadline = now + TimeSpan.FromSeconds(30),
            LateEffect = TimeSpan.FromSeconds(5),
            ReservedAt = now,
            ExpiresAt = expires,
            PossibleDeathAt = expires,
            MaxExpiresAt = expires + TimeSpan.FromMinutes(50),
            DueAt = now + TimeSpan.FromSeconds(30),
        };
    }

    /// <summary>A reservation of a lease.</summary>
    public Reservation Reservation(Lease lease, RequestKey? request = null, params QuotaCharge[] charges) => new()
    {
        Lease = lease,
        Generations = new GenerationCheck(new Dictionary<Uid, long> { [Source] = 0, [Provider] = 1, [Role] = 1 }, 0),
        Charges = charges,
        Request = request,
        SupersedeWindow = TimeSpan.FromMinutes(10),
        By = Actor,
        Audit = [new AuditDraft(AuditTypes.Decision, Actor) { TaskId = lease.TaskId, LeaseId = lease.Id, DecisionId = lease.DecisionId }],
    };

    /// <summary>Reserves a lease.</summary>
    public async Task<Lease> ReserveAsync(StoreNode node, AgentTask task, TimeSpan? life = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        var outcome = await node.Leases.ReserveAsync(Reservation(NewLease(task, life)), CancellationToken.None).ConfigureAwait(false);
        return outcome is ReserveOutcome.Reserved { Lease: var lease } ? lease : throw new AssertionException($"The lease was not reserved: {outcome}");
    }

    /// <summary>Reserves and activates a lease.</summary>
    public async Task<Lease> IssueAsync(StoreNode node, AgentTask task, TimeSpan? life = null)
    {
        var lease = await ReserveAsync(node, task, life).ConfigureAwait(false);
        return await ApplyAsync(node, lease, new LeaseEvent.Issued(new Handle($"handle of {lease.Id}"), lease.ExpiresAt)).ConfigureAwait(false);
    }

    /// <summary>Applies an event that must be possible.</summary>
    public static async Task<Lease> ApplyAsync(StoreNode node, Lease lease, LeaseEvent @event, long? fence = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(lease);
        var outcome = await node.Leases.ApplyAsync(new LeaseChange(lease.Id, @event, Actor) { Fence = fence }, CancellationToken.None).ConfigureAwait(false);
        return outcome is ApplyOutcome.Applied { After.Lease: var after } ? after : throw new AssertionException($"{@event} was not applied: {outcome}");
    }

    /// <summary>Kills a lease: claims it and settles it by the provider's evidence.</summary>
    public async Task<Lease> KillAsync(StoreNode node, Lease lease)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(lease);
        await ApplyAsync(node, lease, new LeaseEvent.Ended(EndReason.Revoked)).ConfigureAwait(false);
        var claimed = (await ClaimAsync(node, 1000).ConfigureAwait(false)).Single(candidate => candidate.Id == lease.Id);
        return await ApplyAsync(node, claimed, Gone(), claimed.Fence).ConfigureAwait(false);
    }

    /// <summary>Claims what is due.</summary>
    public Task<IReadOnlyList<Lease>> ClaimAsync(StoreNode node, int max = 100)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Leases.ClaimDueAsync(new Claim(Provider, max, TimeSpan.FromSeconds(60)), CancellationToken.None);
    }

    /// <summary>The evidence that something is gone.</summary>
    public LeaseEvent.ProvenGone Gone() => new(new Evidence("role_absent", "The role is not there.", _time.Now()));

    /// <summary>Fans out all that there is.</summary>
    public static async Task<int> FanOutAllAsync(StoreNode node, int batch = 500)
    {
        ArgumentNullException.ThrowIfNull(node);
        var rounds = 0;
        while (await node.Leases.FanOutAsync(batch, CancellationToken.None).ConfigureAwait(false)) rounds++;
        return rounds;
    }

    /// <summary>The lease as it is stored.</summary>
    public static async Task<LeaseView> FindAsync(StoreNode node, Lease lease)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(lease);
        return await node.Leases.FindAsync(lease.Id, CancellationToken.None).ConfigureAwait(false) ?? throw new AssertionException("There is no such lease.");
    }

    /// <summary>A counter's value.</summary>
    public static async Task<long> CounterAsync(StoreNode node, string key)
    {
        ArgumentNullException.ThrowIfNull(node);
        return (await node.Registry.CountersAsync([key], CancellationToken.None).ConfigureAwait(false))[0];
    }
}
