using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Cedar;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;

namespace CredBroker.Core.Policies;

/// <summary>
/// Asks policy. Every question is put from what is attested and what is registered; what a caller merely says is kept apart, as declared.
/// A policy that fails denies.
/// </summary>
public sealed class Decider(Catalog catalog, PolicySchema schema, TimeProvider time)
{
    /// <summary>Whether a caller may open a task, and below the parent where there is one.</summary>
    public Decision CreateTask(Caller caller, AgentTask task, AgentTask? parent)
    {
        var snapshot = catalog.Current;
        var question = Put(caller, parent is null ? "createTask" : "delegate", parent is null ? BrokerEntities.Installation : BrokerEntities.Task(parent))
            .With(PartyOf(snapshot, task.Performer))
            .About(task)
            .Context("performer", BrokerEntities.Workload(task.Performer.Name))
            .Context("ttl", CedarDuration.From(task.Deadline - task.CreatedAt))
            .Context("chain", CedarRecord.Of(("depth", (long)task.Depth)));
        question.Input["ttl"] = DurationConverter.Format(task.Deadline - task.CreatedAt);
        question.Input["performer"] = task.Performer.Name;
        if (parent is not null)
            question.With(BrokerEntities.Of(parent)).Context("parentExpiresIn", CedarDuration.From(parent.Deadline - task.CreatedAt));
        return Decide(question);
    }

    /// <summary>Whether a caller may issue, or renew, with the permits that every ancestor needs too.</summary>
    public Decision Issue(IssueQuestion asked)
    {
        ArgumentNullException.ThrowIfNull(asked);
        var snapshot = catalog.Current;
        var book = asked.Unfit.Count > 0 ? snapshot.Policies.ForAnyParameters : snapshot.Policies;
        var own = Decide(IssueFor(asked, BrokerEntities.Of(asked.Caller), asked.Caller.Workload, asked.Task, null), book);
        foreach (var (ancestor, performer) in asked.Ancestors)
        {
            if (!own.Allowed) break;
            var theirs = Decide(IssueFor(asked, BrokerEntities.Of(performer, snapshot.FindSource(performer.SourceName)), performer, ancestor, asked.Task), book);
            own = Narrow(own, theirs, ancestor);
        }

        return asked.Exists ? own : own with { Allowed = false, Policies = [], Errors = ["There is no such role."], MaxTtl = null };
    }

    /// <summary>Whether a caller may do something about a task that is not its own, or that nothing binds to it.</summary>
    public Decision OnTask(Caller caller, string action, AgentTask task) =>
        Decide(Put(caller, action, BrokerEntities.Task(task)).With(BrokerEntities.Of(task)).About(task));

    /// <summary>Whether a hook may end a task.</summary>
    public Decision EndTask(Registered<HookSpec> hook, AgentTask task, System.Net.IPAddress sourceIp) =>
        Decide(new Question
        {
            Principal = BrokerEntities.Hook(hook.Name),
            Action = "endTask",
            Resource = BrokerEntities.Task(task),
            Scope = new PolicyScope("endTask", null, task.Performer.SourceName),
        }.Call(time.Now(), sourceIp, []).With(BrokerEntities.Of(hook), BrokerEntities.Of(task)).About(task));

    /// <summary>Whether a caller may ask about tokens for an audience.</summary>
    public Decision Introspect(Caller caller, string audience) =>
        Decide(Put(caller, "introspect", BrokerEntities.Installation).Context("audience", audience));

    /// <summary>Whether a caller may read what is not its own: everywhere, or of one task.</summary>
    public Decision Audit(Caller caller, AgentTask? task)
    {
        var question = Put(caller, "audit", task is null ? BrokerEntities.Installation : BrokerEntities.Task(task));
        return Decide(task is null ? question : question.With(BrokerEntities.Of(task)));
    }

    /// <summary>Whether a caller may read everything that is not its own: the root, and whom policy lets audit the installation.</summary>
    public bool MaySeeAll(Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return caller.IsRoot || Audit(caller, null).Allowed;
    }

    /// <summary>Whether a caller may administer, suspend or lift. Only callers of the operator's identity sources ever may; the root by code.</summary>
    public Decision? Administer(Caller caller, string action, EntityUid resource, params IEnumerable<Entity> entities)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if (caller.IsRoot) return null;
        var question = Put(caller, action, resource).With(entities);
        return caller.Identity.OperatorOwned ? Decide(question) : Denied(question);
    }

    private Question IssueFor(IssueQuestion asked, IEnumerable<Entity> principal, Workload workload, AgentTask task, AgentTask? below)
    {
        var snapshot = catalog.Current;
        var now = time.Now();
        var question = new Question
        {
            Principal = BrokerEntities.Workload(workload.Name),
            Action = asked.Action,
            Resource = BrokerEntities.Role(asked.Provider.Name, asked.Role.Name),
            Scope = new PolicyScope(asked.Action, asked.Provider.Name, workload.SourceName),
        };
        question.Call(now, asked.Caller.SourceIp, workload.Attributes)
            .With(principal).With(SourcesOf(snapshot, workload.SourceName))
            .With(BrokerEntities.Of(asked.Provider), BrokerEntities.Of(asked.Provider, asked.Role, asked.Revocability.PolicyName, asked.CanMint))
            .With(BrokerEntities.Tags(BrokerEntities.Params, asked.Parameters))
            .About(task)
            .Context("params", BrokerEntities.Params)
            .Context("destination", asked.Destination)
            .Context("declared", asked.DeclaredDestination.Length == 0 ? CedarRecord.Empty : CedarRecord.Of(("destination", asked.DeclaredDestination)))
            .Context("target", CedarRecord.Of(
                ("type", asked.Provider.Spec.Type), ("provider", asked.Provider.Name), ("environment", asked.Provider.Spec.Environment), ("identity", asked.Provider.Entry.TargetIdentity)))
            .Context("sensitivity", asked.Role.Spec.Sensitivity)
            .Context("revocability", asked.Revocability.PolicyName)
            .Context("ttl", CedarDuration.From(asked.Ttl))
            .Context("chain", CedarRecord.Of(("depth", (long)asked.Task.Depth)))
            .Context("counters", CedarRecord.Of(
                ("taskLeases", asked.Counters.Task), ("workloadLeases", asked.Counters.Workload), ("roleLeases", asked.Counters.Role), ("providerLeases", asked.Counters.Provider)));
        if (asked.ParentDeadline is { } deadline) question.Context("parentExpiresIn", CedarDuration.From(deadline - now));
        question.Input["ttl"] = DurationConverter.Format(asked.Ttl);
        question.Input["params"] = new JsonObject(asked.Parameters.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        question.Input["target"] = asked.Provider.Entry.TargetIdentity;
        if (asked.Unfit.Count > 0) question.Input["unfit_parameters"] = new JsonArray([.. asked.Unfit.Select(name => JsonValue.Create(name))]);
        if (below is not null) question.Input["on_behalf_of"] = task.Id.ToString();
        return question;
    }

    /// <summary>A child gets only what every task above it could get: the first refusal counts, and the shortest life.</summary>
    private static Decision Narrow(Decision own, Decision theirs, AgentTask ancestor)
    {
        if (!theirs.Allowed)
            return theirs with { Id = own.Id, Policies = theirs.Policies, Errors = [.. theirs.Errors, $"the task {ancestor.Id} above could not get this itself"] };
        var shortest = own.MaxTtl is { } mine && theirs.MaxTtl is { } other ? TimeSpan.FromTicks(Math.Min(mine.Ticks, other.Ticks)) : own.MaxTtl ?? theirs.MaxTtl;
        return own with { MaxTtl = shortest, Policies = [.. own.Policies.Union(theirs.Policies)] };
    }

    private Question Put(Caller caller, string action, EntityUid resource) =>
        new Question
        {
            Principal = BrokerEntities.Workload(caller.Workload.Name),
            Action = action,
            Resource = resource,
            Scope = new PolicyScope(action, null, caller.Workload.SourceName),
        }
        .Call(time.Now(), caller.SourceIp, caller.Identity.Attributes)
        .With(BrokerEntities.Of(caller)).With(SourcesOf(catalog.Current, caller.Workload.SourceName));

    private Decision Decide(Question question) => Decide(question, catalog.Current.Policies);

    private Decision Decide(Question question, PolicyBook policies)
    {
        var verdict = policies.Ask(question.ToRequest(), question.ToStore(schema.Common), question.Scope, time.Now());
        if (verdict.Lapsed.Count > 0) question.Input["review_overdue"] = new JsonArray([.. verdict.Lapsed.Select(set => JsonValue.Create($"policySets/{set}"))]);
        return Of(question, verdict, policies.Hash);
    }

    private Decision Denied(Question question) => Of(question, new Verdict(false, [], [], []), catalog.Current.Policies.Hash);

    private Decision Of(Question question, Verdict verdict, string policyHash) => new()
    {
        Id = Uid.New(time),
        Allowed = verdict.Allowed,
        Action = question.Action,
        Principal = question.Principal.ToString(),
        Resource = question.Resource.ToString(),
        Policies = [.. verdict.Determining.Select(policy => policy.Id).Distinct()],
        Errors = verdict.Errors,
        PolicyHash = policyHash,
        InputHash = question.Hash(),
        Input = question.Input,
        MaxTtl = verdict.Allowed ? ShortestLife(verdict) : null,
    };

    private static TimeSpan? ShortestLife(Verdict verdict)
    {
        var lives = verdict.Determining
            .Select(policy => policy.Policy.FindAnnotation(ReservedAnnotations.MaxTtl)?.Value)
            .Select(text => DurationConverter.TryParse(text, out var life) ? life : (TimeSpan?)null)
            .Where(life => life is not null);
        return lives.Min();
    }

    private static IEnumerable<Entity> SourcesOf(RegistrySnapshot snapshot, string name) =>
        snapshot.FindSource(name) is { } source ? [BrokerEntities.Of(source)] : [];

    private static IEnumerable<Entity> PartyOf(RegistrySnapshot snapshot, TaskParty party) =>
        SourcesOf(snapshot, party.SourceName).Append(BrokerEntities.Unseen(party, snapshot.FindSource(party.SourceName)));
}

/// <summary>What is said of a task to policy.</summary>
internal static class TaskQuestions
{
    public static Question About(this Question question, AgentTask task)
    {
        question.With(BrokerEntities.Tags(BrokerEntities.Labels, task.Intent.Labels));
        question.Input["task"] = task.Id.ToString();
        return question.Context("task", CedarRecord.Of(
            ("id", task.Id.ToString()),
            ("depth", (long)task.Depth),
            ("intent", CedarRecord.Of(("what", task.Intent.What), ("forWhom", task.Intent.ForWhom), ("data", task.Intent.Data))),
            ("labels", BrokerEntities.Labels),
            ("openedByPerformer", task.Opener.Name == task.Performer.Name)));
    }
}
