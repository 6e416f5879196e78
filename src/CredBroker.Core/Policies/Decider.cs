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
        ArgumentNullException.ThrowIfNull(task);
        var snapshot = catalog.Current;
        var source = snapshot.FindSource(task.Performer.SourceName);
        return Decide(Questions.Open(FactsOf(caller), new OpeningFacts
        {
            Task = task.ToFacts(),
            Parent = parent?.ToFacts(),
            Performer = task.Performer.ToFacts(source),
            PerformerSource = source?.ToFacts(),
            Ttl = task.Deadline - task.CreatedAt,
            ParentExpiresIn = parent?.Deadline - task.CreatedAt,
        }));
    }

    /// <summary>Whether a caller may issue, or renew, with the permits that every ancestor needs too.</summary>
    public Decision Issue(IssueQuestion asked)
    {
        ArgumentNullException.ThrowIfNull(asked);
        var snapshot = catalog.Current;
        var book = asked.Unfit.Count > 0 ? snapshot.Policies.ForAnyParameters : snapshot.Policies;
        var own = Decide(IssueFor(asked, asked.Caller.ToWorkloadFacts(), asked.Task, isAncestor: false), book);
        foreach (var (ancestor, performer) in asked.Ancestors)
        {
            if (!own.Allowed) break;
            var theirs = Decide(IssueFor(asked, performer.ToFacts(snapshot.FindSource(performer.SourceName)), ancestor, isAncestor: true), book);
            own = Narrow(own, theirs, ancestor);
        }

        return asked.Exists ? own : own with { Allowed = false, Policies = [], Errors = ["There is no such role."], MaxTtl = null };
    }

    /// <summary>Whether a caller may do something about a task that is not its own, or that nothing binds to it.</summary>
    public Decision OnTask(Caller caller, string action, AgentTask task) =>
        Decide(Questions.OnTask(FactsOf(caller), action, task.ToFacts()));

    /// <summary>Whether a hook may end a task.</summary>
    public Decision EndTask(Registered<HookSpec> hook, AgentTask task, System.Net.IPAddress sourceIp) =>
        Decide(Questions.EndByHook(hook.ToFacts(), task.ToFacts(), time.Now(), sourceIp));

    /// <summary>Whether a caller may ask about tokens for an audience.</summary>
    public Decision Introspect(Caller caller, string audience) => Decide(Questions.Introspect(FactsOf(caller), audience));

    /// <summary>Whether a caller may read what is not its own: everywhere, or of one task.</summary>
    public Decision Audit(Caller caller, AgentTask? task) => Decide(Questions.Audit(FactsOf(caller), task?.ToFacts()));

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
        var question = Questions.Administer(FactsOf(caller), action, resource, entities);
        return caller.Identity.OperatorOwned ? Decide(question) : Denied(question);
    }

    private Question IssueFor(IssueQuestion asked, WorkloadFacts workload, AgentTask task, bool isAncestor)
    {
        var now = time.Now();
        var asker = new AskerFacts
        {
            Workload = workload,
            Source = catalog.Current.FindSource(workload.Source)?.ToFacts(),
            Now = now,
            SourceIp = asked.Caller.SourceIp,
            Attested = workload.Attributes,
        };
        var question = Questions.Grant(asker, new GrantFacts
        {
            Action = asked.Action,
            Task = task.ToFacts(),
            Role = asked.Role.ToFacts(asked.Provider, asked.Revocability.PolicyName, asked.CanMint),
            Parameters = asked.Parameters,
            Destination = asked.Destination,
            DeclaredDestination = asked.DeclaredDestination,
            Ttl = asked.Ttl,
            ParentExpiresIn = asked.ParentDeadline - now,
            ChainDepth = asked.Task.Depth,
            Counters = asked.Counters,
        });
        if (asked.Unfit.Count > 0) question.Input["unfit_parameters"] = new JsonArray([.. asked.Unfit.Select(name => JsonValue.Create(name))]);
        if (isAncestor) question.Input["on_behalf_of"] = task.Id.ToString();
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

    private AskerFacts FactsOf(Caller caller) => caller.ToFacts(time.Now(), catalog.Current.FindSource(caller.Workload.SourceName));

    private Decision Decide(Question question) => Decide(question, catalog.Current.Policies);

    private Decision Decide(Question question, PolicyBook policies)
    {
        var verdict = policies.Ask(question, schema);
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
}
