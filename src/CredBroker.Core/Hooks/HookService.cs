using System.Net;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Hooks;

/// <summary>A signal whose signature was verified.</summary>
/// <param name="Id">Its <c>webhook-id</c>.</param>
/// <param name="SentAt">Its time stamp.</param>
/// <param name="Task">The task that it names; null when it matches.</param>
/// <param name="Match">Claims and labels that the performer's task must have.</param>
/// <param name="Outcome">How the task ended.</param>
public sealed record HookSignal(string Id, DateTimeOffset SentAt, Uid? Task, IReadOnlyDictionary<string, string> Match, TaskOutcome Outcome);

/// <summary>
/// Ends a task on an orchestrator's signed word. A hook is a principal that policy must permit, bound to identity sources: it ends only tasks whose
/// performers these vouch for. A signal that matches more than one task ends none, and somebody is told.
/// </summary>
public sealed class HookService(ITaskStore tasks, TaskService service, IWorkloadStore workloads, Catalog catalog, Decider decider, IAuditLog audit, TimeProvider time)
{
    private const int MostCandidates = 200;
    private static readonly string[] OfTheTask = ["subject", "instance"];

    // A signal can be accepted until its time stamp is the tolerance old. The hook's may be raised at any time: what counts is the largest that there can be.
    private static readonly TimeSpan RememberedFor = HookSpec.LongestTolerance + TimeSpan.FromMinutes(1);

    /// <summary>A hook by name, for verifying a signature.</summary>
    public Registered<HookSpec>? Find(string name) => catalog.Current.Hooks.GetValueOrDefault(name);

    /// <summary>Ends what the signal names. The same signal again changes nothing.</summary>
    public async Task<Result<AgentTask>> HandleAsync(Registered<HookSpec> hook, HookSignal signal, IPAddress sourceIp, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hook);
        ArgumentNullException.ThrowIfNull(signal);
        var actor = new Actor("hook", hook.Name);
        var found = signal.Task is { } id ? await NamedAsync(hook, id, cancellationToken) : await MatchedAsync(hook, signal.Match, cancellationToken);
        if (found is not Result<AgentTask>.Ok { Value: var task }) return await RefuseAsync(hook, actor, ((Result<AgentTask>.Refused)found).Error, cancellationToken);
        if (task.EndedAt is not null) return task;
        var decision = decider.EndTask(hook, task, sourceIp);
        await audit.AppendAsync(decision.ToAudit(actor, task.Id), cancellationToken);
        if (!decision.Allowed) return await RefuseAsync(hook, actor, decision.ToError(), cancellationToken);
        var delivery = new HookDelivery(hook.Uid, signal.Id, Instants.Truncate(Instants.Max(signal.SentAt, time.Now()) + RememberedFor));
        return await service.EndAsync(new TaskEnd(task.Id, signal.Outcome, TaskEndReason.Hook, actor) { Delivery = delivery }, cancellationToken);
    }

    private async Task<Result<AgentTask>> NamedAsync(Registered<HookSpec> hook, Uid id, CancellationToken cancellationToken) =>
        await tasks.FindAsync(id, cancellationToken) is { } task && SourcesOf(hook).Contains(task.Performer.SourceUid) ? task : NoMatch;

    private async Task<Result<AgentTask>> MatchedAsync(Registered<HookSpec> hook, IReadOnlyDictionary<string, string> match, CancellationToken cancellationToken)
    {
        if (match.Count == 0) return new BrokerError(Reasons.FieldsInvalid, "A signal names a task, or what its performer must match.");
        var foreign = match.Keys.Where(key => !hook.Spec.MatchClaims.Contains(key) && !hook.Spec.MatchLabels.Contains(key)).ToList();
        if (foreign.Count > 0) return new BrokerError(Reasons.FieldsInvalid, "The hook may not match by one of these names: add it to match_claims or match_labels.");
        var claims = match.Where(pair => hook.Spec.MatchClaims.Contains(pair.Key)).ToDictionary();
        var labels = match.Where(pair => hook.Spec.MatchLabels.Contains(pair.Key) && !hook.Spec.MatchClaims.Contains(pair.Key)).ToDictionary();
        var query = new TaskQuery { Running = true, PerformerSources = [.. SourcesOf(hook)], Labels = labels.Count > 0 ? labels : null };
        var matched = new List<AgentTask>();
        IReadOnlyList<AgentTask> roots;
        string? after = null;
        do
        {
            var page = await tasks.ListAsync(query, new PageRequest(MostCandidates, after), cancellationToken);
            var performers = await PerformersOfAsync(page.Items, claims, cancellationToken);
            matched.AddRange(page.Items.Where(task => claims.All(claim => ClaimOf(task, performers, claim.Key) == claim.Value)));
            after = page.Next;
            roots = RootsOf(matched);
        }
        while (after is not null && roots.Count < 2);

        return roots switch
        {
            [var only] => only,
            [] => NoMatch,
            _ => new BrokerError(Reasons.StateConflict, "The signal matches more than one task, and ends none. Match by what names one run alone."),
        };
    }

    // A tree that one workload opened and performs ends as one.
    private static List<AgentTask> RootsOf(List<AgentTask> matched) =>
        [.. matched.Where(task => !matched.Any(other => other.Id != task.Id && task.Path.StartsWith(other.Path + "/", StringComparison.Ordinal)))];

    // One read for a page; none where only what the tasks themselves know is matched.
    private async Task<IReadOnlyDictionary<Uid, Workload>> PerformersOfAsync(IReadOnlyList<AgentTask> page, Dictionary<string, string> claims, CancellationToken cancellationToken) =>
        claims.Keys.All(OfTheTask.Contains) ? new Dictionary<Uid, Workload>() : await workloads.FindAllAsync([.. page.Select(task => task.Performer.Workload).OfType<Uid>().Distinct()], cancellationToken);

    /// <summary>What is attested of a task's performer: its own run, as it was when it was bound, and the ids that its issuer never gives to another.</summary>
    private static string? ClaimOf(AgentTask task, IReadOnlyDictionary<Uid, Workload> performers, string name) => task.Performer.Workload is not { } performer ? null : name switch
    {
        "subject" => task.Performer.Subject,
        "instance" => task.Performer.Instance,
        _ => performers.GetValueOrDefault(performer)?.StableIds.GetValueOrDefault(name) ?? task.PerformerAttributes.GetValueOrDefault($"{task.Performer.SourceName}/{name}"),
    };

    private HashSet<Uid> SourcesOf(Registered<HookSpec> hook) =>
        [.. hook.Spec.IdentitySources.Select(catalog.Current.FindSource).OfType<RegisteredIdentitySource>().Select(source => source.Uid)];

    private async Task<BrokerError> RefuseAsync(Registered<HookSpec> hook, Actor actor, BrokerError error, CancellationToken cancellationToken)
    {
        await audit.AppendAsync(
            new AuditDraft(AuditTypes.HookRefused, actor) { Resource = $"hooks/{hook.Name}", Detail = new JsonObject { ["reason"] = error.Reason } }, cancellationToken);
        return error;
    }

    private static BrokerError NoMatch => Errors.NotFound("running task that this hook may end and that matches");
}
