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
        var own = Decide([.. LineOf(asked)], book) with { AnyParameters = asked.Unfit.Count > 0, OfNothing = !asked.Exists };
        return asked.Exists ? own : own with { Allowed = false, ApprovalRequired = false, Policies = [], Errors = ["There is no such role."], MaxTtl = null };
    }

    /// <summary>
    /// Whether what was issued may live on under these policies, with the permits that every ancestor needs too. The first that no longer permits it decides;
    /// else the first that fails. <paramref name="permittedBy"/>: the sets that permitted it.
    /// </summary>
    public (Holding Holding, Decision Decision) Holds(IssueQuestion asked, IReadOnlyCollection<string> permittedBy, PolicyBook policies)
    {
        ArgumentNullException.ThrowIfNull(asked);
        ArgumentNullException.ThrowIfNull(policies);
        var line = LineOf(asked).ToList();
        (Holding Holding, Decision Decision)? unclear = null;
        foreach (var question in line)
        {
            var (holding, verdict) = policies.AskOfLiving(question.ToRequest(), question.ToStore(schema.Common), question.Scope, permittedBy);
            if (holding == Holding.NoLongerPermitted) return (holding, Of(question, verdict, policies.Hash));
            if (holding == Holding.Unclear) unclear ??= (holding, Of(question, verdict, policies.Hash));
        }

        return unclear ?? (Holding.Permitted, Of(line[0], new Verdict(true, [], [], []), policies.Hash));
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
        return Decide(Questions.Administer(FactsOf(caller), action, resource, entities));
    }

    /// <summary>Whether a caller could administer under other policies than those in force.</summary>
    public bool MayAdministerUnder(PolicyBook policies, Caller caller, string action, EntityUid resource, params IEnumerable<Entity> entities)
    {
        ArgumentNullException.ThrowIfNull(policies);
        ArgumentNullException.ThrowIfNull(caller);
        return caller.IsRoot || Decide([Questions.Administer(FactsOf(caller), action, resource, entities)], policies).Allowed;
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
            OnBehalfOf = isAncestor,
            Role = asked.Role.ToFacts(asked.Provider, asked.Revocability.PolicyName, asked.CanMint),
            Parameters = asked.Parameters,
            Destination = asked.Destination,
            DeclaredDestination = asked.DeclaredDestination,
            Ttl = asked.Ttl,
            RequestedTtl = asked.RequestedTtl,
            ParentExpiresIn = asked.ParentDeadline - now,
            ChainDepth = asked.Task.Depth,
            Counters = asked.Counters,
        });
        if (asked.Unfit.Count > 0) question.Input["unfit_parameters"] = new JsonArray([.. asked.Unfit.Select(name => JsonValue.Create(name))]);
        return question;
    }

    private AskerFacts FactsOf(Caller caller) => caller.ToFacts(time.Now(), catalog.Current.FindSource(caller.Workload.SourceName));

    private IEnumerable<Question> LineOf(IssueQuestion asked) => asked.Ancestors
        .Select(above => IssueFor(asked, above.Performer.ToFacts(catalog.Current.FindSource(above.Performer.SourceName)), above.Task, isAncestor: true))
        .Prepend(IssueFor(asked, asked.Caller.ToWorkloadFacts(), asked.Task, isAncestor: false));

    private Decision Decide(Question question) => Decide([question], catalog.Current.Policies);

    private Decision Decide(IReadOnlyList<Question> line, PolicyBook policies)
    {
        var (verdict, question) = policies.Ask(line, schema);
        if (verdict.Lapsed.Count > 0) question.Input["review_overdue"] = new JsonArray([.. verdict.Lapsed.Select(set => JsonValue.Create($"policySets/{set}"))]);
        return Of(question, verdict, policies.Hash) with { Line = line };
    }

    private Decision Of(Question question, Verdict verdict, string policyHash) => new()
    {
        Id = Uid.New(time),
        Allowed = verdict.Allowed,
        ApprovalRequired = verdict.AwaitsApproval,
        Action = question.Action,
        Principal = question.Principal.ToString(),
        Resource = question.Resource.ToString(),
        Policies = [.. verdict.Determining.Select(policy => policy.Id).Distinct()],
        Errors = verdict.RefusedAbove is { } above ? [.. verdict.Errors, $"the task {above} above could not get this itself"] : verdict.Errors,
        PolicyHash = policyHash,
        InputHash = question.Hash(),
        Input = question.Input,
        MaxTtl = verdict.MaxTtl,
    };
}
