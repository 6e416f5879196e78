using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Revocation;
using CredBroker.Core.Suspensions;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Tests.Model;

/// <summary>What people, workloads and the clock ask of the nodes: several things at once, each of them waiting wherever the engine calls out.</summary>
internal sealed class Work(World world)
{
    private const int MostAtOnce = 7;
    private const int MostTasks = 5;
    private static readonly Caller Agent = ModelTemplateStore.Instance.Agent;
    private static readonly Caller Root = ModelTemplateStore.Instance.Root;
    private readonly List<Running> _running = [];
    private readonly List<Uid> _tasks = [];
    private readonly List<Uid> _delivered = [];
    private readonly List<Uid> _suspensions = [];
    private readonly List<(Uid Task, string Role, string Id, int Attempt)> _requests = [];

    /// <summary>The longest life that any credential was asked for.</summary>
    public TimeSpan LongestLife { get; } = TimeSpan.FromMinutes(4);

    /// <summary>Begins something on a node.</summary>
    public void Begin(Draw draw, ModelNode node)
    {
        var kind = draw.Next(100);
        if (kind >= 70)
        {
            Look(node);
            return;
        }

        if (_running.Count >= MostAtOnce) return;
        if (_tasks.Count == 0 || (kind < 8 && _tasks.Count < MostTasks))
        {
            Start(node, "opens a task", OpenAsync(node, draw.OneIn(3) && _tasks.Count > 0 ? draw.Of(_tasks) : null, draw));
            return;
        }

        switch (kind)
        {
            case < 44:
                Issue(node, draw);
                break;
            case < 49:
                var ending = Concerned(draw) ?? draw.Of(_tasks);
                _tasks.Remove(ending);
                Start(node, "ends a task", EndAsync(node, ending));
                Rush(draw, node);
                break;
            case < 52 when _delivered.Count > 0:
                Start(node, "revokes", RevokeAsync(node, draw.Of(_delivered)));
                break;
            case < 60 when _delivered.Count > 0:
                Start(node, "renews", RenewAsync(node, draw.OneIn(3) ? draw.Of(_delivered) : _delivered[^1], TimeSpan.FromSeconds(60 + draw.Next(180))));
                break;
            case < 61:
                Suspend(node, draw);
                Rush(draw, node);
                break;
            case < 63:
                Start(node, "changes the policies", PolicyAsync(node, draw.OneIn(2)));
                Rush(draw, node);
                break;
            default:
                Retry(node, draw);
                break;
        }
    }

    /// <summary>Asks for a credential of a task that runs. Null if there is none.</summary>
    public Task? IssueFresh(ModelNode node, string role, TimeSpan ttl, Draw draw)
    {
        var sight = world.Promises.Look();
        var running = _tasks.Where(task => sight.Tasks.TryGetValue(task, out var seen) && sight.TaskRuns(seen.Path)).ToList();
        if (running.Count == 0) return null;
        // Mostly of one that goes on for long: nothing else ends the lease then.
        var task = draw.OneIn(3) ? draw.Of(running) : running.MaxBy(id => sight.Tasks[id].Deadline);
        return Start(node, $"issues {role}", IssueAsync(node, task, role, ttl, "", 0), task);
    }

    /// <summary>Renews.</summary>
    public Task Renew(ModelNode node, Uid lease, TimeSpan ttl) => Start(node, "renews", RenewAsync(node, lease, ttl));

    /// <summary>Ends a task.</summary>
    public Task End(ModelNode node, Uid task)
    {
        _tasks.Remove(task);
        return Start(node, "ends a task", EndAsync(node, task));
    }

    /// <summary>Suspends the provider.</summary>
    public Task SuspendProvider(ModelNode node) => Start(node, "suspends providers", SuspendAsync(node, $"providers/{ModelTemplateStore.Provider}"));

    /// <summary>A node looks for what is due: one look at a time, as in the server.</summary>
    public void Look(ModelNode node)
    {
        if (node.Looking) return;
        node.Looking = true;
        Start(node, "looks", LookAsync(node));
    }

    /// <summary>What has come to its end is taken note of; what no caller may see is a fault.</summary>
    public void Settle()
    {
        foreach (var done in _running.Where(running => running.Task.IsCompleted).ToList())
        {
            _running.Remove(done);
            if (done.Task.Exception?.InnerException is { } error and not (StoreUnavailableException or OperationCanceledException))
                throw new BrokenPromiseException($"{done.Node.Name} {done.What}: {error}\n{world.Story}");
        }
    }

    /// <summary>A node is dead: nobody waits for it any more.</summary>
    public void Forget(ModelNode node) => _running.RemoveAll(running => running.Node == node);

    private Task Start(ModelNode node, string what, Task task, Uid? about = null)
    {
        world.Tell($"{node.Name} {what}");
        _running.Add(new Running(node, what, task, about));
        return task;
    }

    /// <summary>The task of something that is under way: what is ended then is ended in the middle of it.</summary>
    private Uid? Concerned(Draw draw)
    {
        var concerned = _running.Where(running => running.About is not null).ToList();
        return concerned.Count == 0 || draw.OneIn(3) ? null : draw.Of(concerned).About;
    }

    /// <summary>What was just begun is often done before anything else goes on.</summary>
    private void Rush(Draw draw, ModelNode node)
    {
        if (!draw.OneIn(3)) world.Rush(node, draw, _running[^1].Task);
    }

    private async Task OpenAsync(ModelNode node, Uid? parent, Draw draw)
    {
        var made = await node.Get<TaskService>().CreateAsync(
            new CreateTaskCommand
            {
                Caller = Agent,
                Intent = new Intent("model", "", "", new Dictionary<string, string>()),
                Parent = parent,
                Ttl = TimeSpan.FromSeconds(draw.Of([20, 90, 600, 3600])),
            },
            CancellationToken.None);
        if (made is Result<AgentTask>.Ok { Value.Id: var id }) _tasks.Add(id);
    }

    private void Issue(ModelNode node, Draw draw)
    {
        var (task, role, id) = (draw.Of(_tasks), draw.Of(ModelTemplateStore.Roles), draw.OneIn(3) ? "r" + _requests.Count : "");
        if (id.Length > 0) _requests.Add((task, role, id, 0));
        Start(node, $"issues {role}", IssueAsync(node, task, role, TimeSpan.FromSeconds(draw.Of([15, 60, 200])), id, 0), task);
    }

    private void Retry(ModelNode node, Draw draw)
    {
        if (_requests.Count == 0) return;
        var index = draw.Next(_requests.Count);
        var (task, role, id, attempt) = _requests[index];
        if (!draw.OneIn(4)) attempt++;
        _requests[index] = (task, role, id, attempt);
        Start(node, $"issues {role} again, attempt {attempt}", IssueAsync(node, task, role, TimeSpan.FromSeconds(60), id, attempt), task);
    }

    private async Task IssueAsync(ModelNode node, Uid task, string role, TimeSpan ttl, string requestId, int attempt)
    {
        var made = await node.Get<Core.Issuance.Issuance>().IssueAsync(
            new IssueCommand { Caller = Agent, Task = task, Provider = ModelTemplateStore.Provider, Role = role, Ttl = ttl, RequestId = requestId, Attempt = attempt }, CancellationToken.None);
        if (made is not Result<IssuedLease>.Ok { Value.Lease.Lease: { } lease }) return;
        world.Promises.Delivered(lease.Id);
        world.Tell($"{world.Short(lease.ExternalName)} is delivered");
        _delivered.Add(lease.Id);
    }

    private async Task EndAsync(ModelNode node, Uid task)
    {
        if (await node.Get<TaskService>().EndAsync(Agent, task, TaskOutcome.Succeeded, CancellationToken.None) is Result<AgentTask>.Ok) world.Promises.Note("task ended");
    }

    private static async Task RevokeAsync(ModelNode node, Uid lease) => await node.Get<LeaseService>().RevokeAsync(Agent, null, lease, CancellationToken.None);

    private async Task RenewAsync(ModelNode node, Uid lease, TimeSpan ttl)
    {
        if (await node.Get<Renewal>().RenewAsync(Agent, null, lease, ttl, "", CancellationToken.None) is Result<LeaseView>.Ok) world.Promises.Note("renewed");
    }

    private void Suspend(ModelNode node, Draw draw)
    {
        if (_suspensions.Count > 0)
        {
            var lifted = draw.Of(_suspensions);
            _suspensions.Remove(lifted);
            Start(node, "lifts a suspension", LiftAsync(node, lifted));
            return;
        }

        var target = draw.Of([$"providers/{ModelTemplateStore.Provider}", $"providers/{ModelTemplateStore.Provider}/roles/plain", $"workloads/{Agent.Workload.Uid}"]);
        Start(node, $"suspends {target.Split('/')[0]}", SuspendAsync(node, target));
    }

    private async Task SuspendAsync(ModelNode node, string target)
    {
        // It lifts itself, so that a history in which its answer is lost goes on.
        var made = await node.Get<SuspensionService>().SuspendAsync(Root, new SuspendCommand(target, "model", world.Time.Now().AddMinutes(1)), CancellationToken.None);
        if (made is not Result<SuspensionService.Counted>.Ok { Value.Suspension.Id: var id }) return;
        world.Promises.Note("suspended");
        _suspensions.Add(id);
    }

    private static async Task LiftAsync(ModelNode node, Uid suspension) => await node.Get<SuspensionService>().LiftAsync(Root, suspension, CancellationToken.None);

    private async Task PolicyAsync(ModelNode node, bool permit)
    {
        // Mostly it permits, or nothing would happen.
        var text = permit || !world.Promises.Permitted ? TestSupport.Harness.BrokerHarness.EverythingToAgents : "forbid (principal, action, resource);";
        await node.Get<RegistryService>().UpdateAsync(RegistryAuthor.Operator, ResourceTypes.PolicySet, "agents", null, new PolicySetSpec { Text = text }, new ChangeOptions(), CancellationToken.None);
        world.Promises.Note("policies changed");
    }

    private static async Task LookAsync(ModelNode node)
    {
        try
        {
            await node.Get<RevocationDispatcher>().LookAsync(CancellationToken.None);
        }
        finally
        {
            node.Looking = false;
        }
    }

    private sealed record Running(ModelNode Node, string What, Task Task, Uid? About);
}
