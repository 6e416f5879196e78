using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Policies;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Issuance;

/// <summary>Works out what exactly would be issued, and asks policy about exactly that.</summary>
public sealed class IssuePlanner(
    TaskAccess access, ITaskStore tasks, IWorkloadStore workloads, IRegistryStore registry, Catalog catalog, ProviderTypes types, Decider decider, TimeProvider time)
{
    /// <summary>
    /// Policy is asked before anything is said of the role: whoever may not have it learns neither whether there is one, nor what it takes, nor what
    /// hinders it.
    /// </summary>
    internal async Task<Planned> PlanAsync(IssueCommand command, CancellationToken cancellationToken)
    {
        var acted = await access.ToActAsync(command.Caller, command.Task, cancellationToken);
        if (acted is not Result<AgentTask>.Ok { Value: var task }) return new Planned.Refused(((Result<AgentTask>.Refused)acted).Error);
        var now = time.Now();
        var snapshot = catalog.Current;
        if (CallersHindrance(snapshot, command.Caller, task, now) is { } hindrance) return new Planned.Refused(hindrance);

        var wanted = WantedRole.Find(snapshot, types, command.Provider, command.Role);
        var fitted = wanted.Fit(command.Parameters);
        var longest = Shortest(wanted.Role.Spec.MaxTtl, wanted.Provider.Spec.MaxTtl, task.Deadline - now);
        var ttl = Shortest(longest, command.Ttl, null);
        var question = await QuestionAsync(command.Caller, task, wanted, fitted, ttl, command.Ttl, command.DeclaredDestination, cancellationToken);
        if (question is not Result<IssueQuestion>.Ok { Value: var asked }) return new Planned.Refused(((Result<IssueQuestion>.Refused)question).Error);
        var decision = decider.Issue(asked);
        if (!decision.Allowed || wanted is not { Type: { } type, Kind: { } kind }) return new Planned.Denied(decision, task.Id);

        if (RolesHindrance(snapshot, command.Caller, wanted.Provider, wanted.Role, now) is { } hindered) return new Planned.Refused(hindered);
        if (fitted.Wrong.Count > 0) return new Planned.Refused(new BrokerError(Reasons.ParametersInvalid, fitted.Complaint) { Violations = fitted.Wrong });
        if (kind.ShortestLife > task.Deadline - now || ttl < kind.ShortestLife)
            return new Planned.Refused(new BrokerError(Reasons.LifeTooShort, $"The provider cannot make a credential that lives shorter than {DurationConverter.Format(kind.ShortestLife)}."));
        // A fault of the provider's code: nothing could be stored of such a lease, nor revoked in such a group.
        var group = kind.ExclusiveGroupOf(fitted.Template);
        if (group?.WhyNot() is { } wrong)
            return new Planned.Refused(new BrokerError(Reasons.ProviderFailed, $"The role kind {kind.Name} says that its credentials share a document which cannot be: {wrong}. Nothing was issued."));
        var workload = command.Caller.Workload;
        return new Planned.Ready(new IssuePlan
        {
            Command = command,
            Task = task,
            Provider = wanted.Provider,
            Role = wanted.Role,
            Type = type,
            Template = fitted.Template,
            Parameters = fitted.Parameters,
            Revocability = asked.Revocability,
            CanMint = asked.CanMint,
            Group = group,
            Ttl = Shortest(ttl, decision.MaxTtl, null),
            LongestTtl = Shortest(longest, decision.MaxTtl, null),
            Decision = decision,
            Asked = new LeaseAsked
            {
                SourceIp = command.Caller.SourceIp.ToString(),
                RequestedTtl = command.Ttl,
                Ttl = ttl,
                ParentExpiresIn = asked.ParentDeadline - now,
                Destination = asked.Destination,
                DeclaredDestination = command.DeclaredDestination,
                Instance = command.Caller.Identity.Instance,
                Attributes = command.Caller.Identity.Attributes,
                Teams = [.. command.Caller.Identity.Teams],
                PermittedBy = [.. decision.Policies.Select(policy => policy.Split('/')[0]).Distinct()],
            },
            Generations = GenerationsOf(snapshot, command.Caller, wanted.Provider, wanted.Role),
            Gates = new LeaseGates(GateOf(workload.SourceUid), GateOf(workload.Uid), GateOf(wanted.Provider.Uid), GateOf(wanted.Role.Uid)),
        });

        // Of the snapshot that was taken before anything was asked: what changed while policy decided is found stale when the lease is reserved.
        Gate GateOf(Uid uid) => new(uid, snapshot.GateOf(uid).Suspension);
    }

    /// <summary>The question for a renewal: the lease's own role and parameters, a new life. Its holder knows the role, and is told what hinders it.</summary>
    internal async Task<Result<RenewalDecision>> RenewalAsync(Caller caller, AgentTask task, Lease lease, TimeSpan ttl, TimeSpan? requested, string declaredDestination, CancellationToken cancellationToken)
    {
        var snapshot = catalog.Current;
        var role = snapshot.Roles.FirstOrDefault(candidate => candidate.Uid == lease.Gates.Role.Uid);
        if (role is null || !snapshot.TryFindProvider(lease.Gates.Provider.Uid, out var provider) || provider.Entry.DeletedAt is not null)
            return new BrokerError(Reasons.NotRenewable, "The role is not registered any more.");
        var now = time.Now();
        if ((CallersHindrance(snapshot, caller, task, now) ?? RolesHindrance(snapshot, caller, provider, role, now)) is { } hindrance) return hindrance;
        var wanted = WantedRole.Find(snapshot, types, provider.Name, role.Name);
        var fitted = wanted.Fit(JsonSerializer.Deserialize<SortedDictionary<string, string>>(lease.ParametersJson)!);
        if (wanted.Kind is null || fitted.Wrong.Count > 0) return new BrokerError(Reasons.NotRenewable, "The role has changed since: the lease's parameters do not fit it any more. Ask for a new one.");
        var question = await QuestionAsync(caller, task, wanted, fitted, ttl, requested, declaredDestination, cancellationToken);
        // Noted before the decision is made: what changes meanwhile is found when the renewal is written.
        var generations = GenerationsOf(snapshot, caller, provider, role);
        return question.Match<Result<RenewalDecision>>(asked => new RenewalDecision(decider.Issue(asked with { Action = "renew" }), generations), error => error);
    }

    private static GenerationCheck GenerationsOf(RegistrySnapshot snapshot, Caller caller, Registered<ProviderSpec> provider, Registered<RoleSpec> role) => snapshot.Generations(
        (caller.Workload.SourceUid, snapshot.SourceVersion(caller.Workload.SourceUid)), (provider.Uid, provider.Entry.Version), (role.Uid, role.Entry.Version));

    private async Task<Result<IssueQuestion>> QuestionAsync(
        Caller caller, AgentTask task, WantedRole wanted, FittedRole fitted, TimeSpan ttl, TimeSpan? requested, string declaredDestination, CancellationToken cancellationToken)
    {
        var ancestors = await AncestorsAsync(task, cancellationToken);
        if (ancestors is not Result<List<(AgentTask, Workload)>>.Ok { Value: var above }) return ((Result<List<(AgentTask, Workload)>>.Refused)ancestors).Error;
        return new IssueQuestion
        {
            Action = "issue",
            Caller = caller,
            Task = task,
            Ancestors = above,
            Provider = wanted.Provider,
            Role = wanted.Role,
            Exists = wanted.Kind is not null,
            Parameters = fitted.Parameters,
            Unfit = [.. fitted.Wrong.Select(error => error.Path)],
            Destination = fitted.Destination,
            DeclaredDestination = declaredDestination,
            Revocability = fitted.Revocability,
            CanMint = fitted.CanMint,
            Ttl = ttl,
            RequestedTtl = requested,
            ParentDeadline = above.Count > 0 ? above[^1].Item1.Deadline : null,
            Counters = await CountersAsync(caller, task, wanted.Provider.Uid, wanted.Role.Uid, cancellationToken),
        };
    }

    /// <summary>The tasks above with their performers, from the root: one read of tasks and one of workloads, however deep.</summary>
    private async Task<Result<List<(AgentTask, Workload)>>> AncestorsAsync(AgentTask task, CancellationToken cancellationToken)
    {
        Uid[] ids = [.. task.Ancestors];
        if (ids.Length == 0) return new List<(AgentTask, Workload)>();
        var found = (await tasks.ListAsync(new TaskQuery { Among = ids }, new PageRequest(ids.Length, null), cancellationToken)).Items.ToDictionary(ancestor => ancestor.Id);
        if (ids.Any(id => found.GetValueOrDefault(id) is not { EndedAt: null })) return Errors.TaskOver;
        var performers = await workloads.FindAllAsync([.. found.Values.Select(PerformerOf).Distinct()], cancellationToken);
        var above = new List<(AgentTask, Workload)>();
        foreach (var id in ids)
        {
            if (performers.GetValueOrDefault(PerformerOf(found[id])) is not { } performer) return Errors.NotFound("workload");
            // It could get nothing new itself, and so can nobody below it.
            if (Reviews.OverdueOf(catalog.Current, performer.SourceUid, time.Now()) is { } overdue) return overdue;
            above.Add((found[id], performer));
        }

        return above;
    }

    private static Uid PerformerOf(AgentTask task) => task.Performer.Workload ?? task.Opener.Workload!.Value;

    // Only read where a policy looks at them: counting costs a query on the hot path.
    private async Task<LeaseCounts> CountersAsync(Caller caller, AgentTask task, Uid provider, Uid role, CancellationToken cancellationToken)
    {
        if (!catalog.Current.Policies.ReadsCounters) return default;
        var counts = await registry.CountersAsync([$"task:{task.Id}", $"workload:{caller.Workload.Uid}", $"role:{role}", $"provider:{provider}"], cancellationToken);
        return new LeaseCounts(counts[0], counts[1], counts[2], counts[3]);
    }

    /// <summary>Why this caller gets nothing new for this task, whatever the role.</summary>
    private static BrokerError? CallersHindrance(RegistrySnapshot snapshot, Caller caller, AgentTask task, DateTimeOffset now)
    {
        if (caller.Identity.People) return new BrokerError(Reasons.PermissionDenied, "A person cannot hold a task's credentials. The workload that performs it asks for them.");
        if (task.OverAt(now)) return Errors.TaskOver;
        if (snapshot.GateOf(caller.Workload.SourceUid).Suspended || snapshot.GateOf(caller.Workload.Uid).Suspended) return Errors.Suspended("The workload, or its identity source,");
        return Reviews.OverdueOf(snapshot, caller.Workload.SourceUid, now);
    }

    private static BrokerError? RolesHindrance(RegistrySnapshot snapshot, Caller caller, Registered<ProviderSpec> provider, Registered<RoleSpec> role, DateTimeOffset now)
    {
        if (snapshot.GateOf(provider.Uid).Suspended || snapshot.GateOf(role.Uid).Suspended) return Errors.Suspended("The role, or its provider,");
        if (provider.Spec.ReviewBy <= now || role.Spec.ReviewBy <= now) return Reviews.Overdue($"providers/{provider.Name} or its role {role.Name}");
        if (provider.Spec.Environment.Length > 0 && caller.Identity.Environment.Length > 0 && provider.Spec.Environment != caller.Identity.Environment)
            return Errors.Denied($"cross from the environment {caller.Identity.Environment} to {provider.Spec.Environment}");
        return null;
    }

    private static TimeSpan Shortest(TimeSpan first, TimeSpan? second, TimeSpan? third)
    {
        var shortest = second < first ? second.Value : first;
        return third < shortest ? third.Value : shortest;
    }
}
