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
    internal async Task<Result<IssuePlan>> PlanAsync(IssueCommand command, CancellationToken cancellationToken)
    {
        var acted = await access.ToActAsync(command.Caller, command.Task, cancellationToken);
        if (acted is not Result<AgentTask>.Ok { Value: var task }) return ((Result<AgentTask>.Refused)acted).Error;
        if (command.Caller.Identity.People) return new BrokerError(Reasons.PermissionDenied, "A person cannot hold a task's credentials. The workload that performs it asks for them.");
        var now = time.Now();
        if (task.OverAt(now)) return Errors.TaskOver;

        var snapshot = catalog.Current;
        // Who may not use a role learns the same as who misspells one: authorisation comes first where the role exists, and both are refused alike.
        if (!snapshot.TryFindRole(command.Provider, command.Role, out var provider, out var role) || types.Find(provider.Spec.Type) is not { } type)
            return NoSuchRole(command);
        if (ProviderTypes.FindKind(type, role.Spec.Kind) is not { } kind) return NoSuchRole(command);
        if (Hindrance(command.Caller, provider, role, now) is { } hindrance) return hindrance;

        var (parameters, wrong) = Parameters.Canonicalise(role.Spec.Parameters, command.Parameters);
        if (wrong.Count > 0) return new BrokerError(Reasons.ParametersInvalid, "The parameters do not fit the role.") { Violations = wrong };
        var template = Parameters.Fill(role.Spec.Template, parameters);
        if (kind.Validate(template) is { Count: > 0 } unfit) return new BrokerError(Reasons.ParametersInvalid, "With these parameters the role's template is not valid.") { Violations = unfit };

        var longest = Shortest(role.Spec.MaxTtl, provider.Spec.MaxTtl, task.Deadline - now);
        var ttl = Shortest(longest, command.Ttl, null);
        if (kind.ShortestLife > task.Deadline - now || ttl < kind.ShortestLife)
            return new BrokerError(Reasons.LifeTooShort, $"The provider cannot make a credential that lives shorter than {DurationConverter.Format(kind.ShortestLife)}.");

        var question = await QuestionAsync(command, task, provider, role, kind, template, parameters, ttl, cancellationToken);
        if (question is not Result<IssueQuestion>.Ok { Value: var asked }) return ((Result<IssueQuestion>.Refused)question).Error;
        var decision = decider.Issue(asked);
        var workload = command.Caller.Workload;
        return new IssuePlan
        {
            Command = command,
            Task = task,
            Provider = provider,
            Role = role,
            Type = type,
            Template = template,
            Parameters = parameters,
            Revocability = asked.Revocability,
            CanMint = asked.CanMint,
            Group = kind.ExclusiveGroupOf(template),
            Ttl = Shortest(ttl, decision.MaxTtl, null),
            LongestTtl = Shortest(longest, decision.MaxTtl, null),
            Decision = decision,
            Generations = snapshot.Generations(
                (workload.SourceUid, snapshot.SourceVersion(workload.SourceUid)), (provider.Uid, provider.Entry.Version), (role.Uid, role.Entry.Version)),
            Gates = new LeaseGates(GateOf(workload.SourceUid), GateOf(workload.Uid), GateOf(provider.Uid), GateOf(role.Uid)),
        };

        // Of the snapshot that was taken before anything was asked: what changed while policy decided is found stale when the lease is reserved.
        Gate GateOf(Uid uid) => new(uid, snapshot.GateOf(uid).Suspension);
    }

    /// <summary>The question for a renewal: the lease's own role and parameters, a new life.</summary>
    internal async Task<Result<Decision>> RenewalAsync(Caller caller, AgentTask task, Lease lease, TimeSpan ttl, CancellationToken cancellationToken)
    {
        var snapshot = catalog.Current;
        var role = snapshot.Roles.FirstOrDefault(candidate => candidate.Uid == lease.Gates.Role.Uid);
        if (role is null || !snapshot.TryFindProvider(lease.Gates.Provider.Uid, out var provider) || provider.Entry.DeletedAt is not null
            || types.Find(provider.Spec.Type) is not { } type || ProviderTypes.FindKind(type, role.Spec.Kind) is not { } kind)
        {
            return new BrokerError(Reasons.NotRenewable, "The role is not registered any more.");
        }

        if (Hindrance(caller, provider, role, time.Now()) is { } hindrance) return hindrance;
        var parameters = JsonSerializer.Deserialize<SortedDictionary<string, string>>(lease.ParametersJson)!;
        var command = new IssueCommand { Caller = caller, Task = task.Id, Provider = provider.Name, Role = role.Name };
        var question = await QuestionAsync(command, task, provider, role, kind, Parameters.Fill(role.Spec.Template, parameters), parameters, ttl, cancellationToken);
        return question.Match<Result<Decision>>(asked => decider.Issue(asked with { Action = "renew" }), error => error);
    }

    private async Task<Result<IssueQuestion>> QuestionAsync(
        IssueCommand command, AgentTask task, Registered<ProviderSpec> provider, Registered<RoleSpec> role, RoleKind kind, JsonElement template,
        SortedDictionary<string, string> parameters, TimeSpan ttl, CancellationToken cancellationToken)
    {
        var ancestors = await AncestorsAsync(task, cancellationToken);
        if (ancestors is not Result<List<(AgentTask, Workload)>>.Ok { Value: var above }) return ((Result<List<(AgentTask, Workload)>>.Refused)ancestors).Error;
        return new IssueQuestion
        {
            Action = "issue",
            Caller = command.Caller,
            Task = task,
            Ancestors = above,
            Provider = provider,
            Role = role,
            Parameters = parameters,
            Destination = role.Spec.Destination.Length > 0 ? role.Spec.Destination : kind.DestinationOf(template),
            Revocability = kind.RevocabilityOf(template),
            CanMint = kind.CanMint(template),
            Ttl = ttl,
            ParentDeadline = above.Count > 0 ? above[^1].Item1.Deadline : null,
            Counters = await CountersAsync(command.Caller, task, provider.Uid, role.Uid, cancellationToken),
        };
    }

    private async Task<Result<List<(AgentTask, Workload)>>> AncestorsAsync(AgentTask task, CancellationToken cancellationToken)
    {
        var above = new List<(AgentTask, Workload)>();
        foreach (var id in task.Ancestors)
        {
            var ancestor = await tasks.FindAsync(id, cancellationToken);
            if (ancestor is null || ancestor.EndedAt is not null) return Errors.TaskOver;
            var performer = await workloads.FindAsync(ancestor.Performer.Workload ?? ancestor.Opener.Workload!.Value, cancellationToken);
            if (performer is null) return Errors.NotFound("workload");
            above.Add((ancestor, performer));
        }

        return above;
    }

    // Only read where a policy looks at them: counting costs a query on the hot path.
    private async Task<LeaseCounts> CountersAsync(Caller caller, AgentTask task, Uid provider, Uid role, CancellationToken cancellationToken)
    {
        if (!catalog.Current.Policies.ReadsCounters) return default;
        var counts = await registry.CountersAsync([$"task:{task.Id}", $"workload:{caller.Workload.Uid}", $"role:{role}", $"provider:{provider}"], cancellationToken);
        return new LeaseCounts(counts[0], counts[1], counts[2], counts[3]);
    }

    private BrokerError? Hindrance(Caller caller, Registered<ProviderSpec> provider, Registered<RoleSpec> role, DateTimeOffset now)
    {
        var snapshot = catalog.Current;
        if (snapshot.GateOf(caller.Workload.SourceUid).Suspended || snapshot.GateOf(caller.Workload.Uid).Suspended) return Errors.Suspended("The workload, or its identity source,");
        if (snapshot.GateOf(provider.Uid).Suspended || snapshot.GateOf(role.Uid).Suspended) return Errors.Suspended("The role, or its provider,");
        if (provider.Spec.ReviewBy <= now || role.Spec.ReviewBy <= now)
            return new BrokerError(Reasons.ReviewOverdue, $"The review of providers/{provider.Name} or its role {role.Name} is overdue: its owner must look at it and move review_by.");
        if (provider.Spec.Environment.Length > 0 && caller.Identity.Environment.Length > 0 && provider.Spec.Environment != caller.Identity.Environment)
            return Errors.Denied($"cross from the environment {caller.Identity.Environment} to {provider.Spec.Environment}");
        return null;
    }

    private static BrokerError NoSuchRole(IssueCommand command) => Errors.NotFound($"role providers/{command.Provider}/roles/{command.Role}");

    private static TimeSpan Shortest(TimeSpan first, TimeSpan? second, TimeSpan? third)
    {
        var shortest = second < first ? second.Value : first;
        return third < shortest ? third.Value : shortest;
    }
}
