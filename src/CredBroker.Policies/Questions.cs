using System.Net;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>
/// Puts questions to policy together. The server and the tools that test policies ask by this code alone, so that a table of expected decisions asks what the
/// broker asks. What a caller merely says is kept apart, as declared.
/// </summary>
public static class Questions
{
    /// <summary>Whether a task may be opened, and below the parent where there is one.</summary>
    public static Question Open(AskerFacts asker, OpeningFacts opening)
    {
        ArgumentNullException.ThrowIfNull(opening);
        var question = Put(asker, opening.Parent is null ? "createTask" : "delegate", opening.Parent is null ? BrokerEntities.Installation : BrokerEntities.Task(opening.Parent.Id))
            .With(SourceOf(opening.PerformerSource)).With(BrokerEntities.Of(opening.Performer))
            .About(opening.Task)
            .Context("performer", BrokerEntities.Workload(opening.Performer.Name))
            .Context("ttl", CedarDuration.From(opening.Ttl))
            .Context("chain", CedarRecord.Of(("depth", (long)opening.Task.Depth)));
        question.Input["ttl"] = DurationConverter.Format(opening.Ttl);
        question.Input["performer"] = opening.Performer.Name;
        if (opening.Parent is not null) question.With(BrokerEntities.Of(opening.Parent));
        if (opening.ParentExpiresIn is { } parent) question.Context("parentExpiresIn", CedarDuration.From(parent));
        return question;
    }

    /// <summary>Whether a credential may be made, or live longer.</summary>
    public static Question Grant(AskerFacts asker, GrantFacts grant)
    {
        ArgumentNullException.ThrowIfNull(asker);
        ArgumentNullException.ThrowIfNull(grant);
        var (role, provider) = (grant.Role, grant.Role.Provider);
        var question = Put(asker, grant.Action, BrokerEntities.Role(provider.Name, role.Name), provider.Name, grant.OnBehalfOf ? grant.Task.Id : null)
            .With(BrokerEntities.Of(provider), BrokerEntities.Of(role))
            .With(BrokerEntities.Tags(BrokerEntities.Params, grant.Parameters))
            .About(grant.Task)
            .Context("params", BrokerEntities.Params)
            .Context("destination", grant.Destination)
            .Context("declared", grant.DeclaredDestination.Length == 0 ? CedarRecord.Empty : CedarRecord.Of(("destination", grant.DeclaredDestination)))
            .Context("target", CedarRecord.Of(
                ("type", provider.Type), ("provider", provider.Name), ("environment", provider.Environment), ("identity", provider.TargetIdentity)))
            .Context("sensitivity", role.Sensitivity)
            .Context("revocability", role.Revocability)
            .Context("ttl", CedarDuration.From(grant.Ttl))
            .Context("chain", CedarRecord.Of(("depth", (long)grant.ChainDepth)))
            .Context("counters", CedarRecord.Of(
                ("taskLeases", grant.Counters.Task), ("workloadLeases", grant.Counters.Workload),
                ("roleLeases", grant.Counters.Role), ("providerLeases", grant.Counters.Provider)));
        if (grant.RequestedTtl is { } requested)
        {
            question.Context("requestedTtl", CedarDuration.From(requested));
            question.Input["requested_ttl"] = DurationConverter.Format(requested);
        }

        if (grant.ParentExpiresIn is { } parent) question.Context("parentExpiresIn", CedarDuration.From(parent));
        question.Input["ttl"] = DurationConverter.Format(grant.Ttl);
        question.Input["params"] = new JsonObject(grant.Parameters.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        question.Input["target"] = provider.TargetIdentity;
        if (grant.OnBehalfOf) question.Input["on_behalf_of"] = grant.Task.Id;
        return question;
    }

    /// <summary>Whether something may be done about a task: <c>actOnTask</c> or <c>endTask</c>.</summary>
    public static Question OnTask(AskerFacts asker, string action, TaskFacts task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return Put(asker, action, BrokerEntities.Task(task.Id)).With(BrokerEntities.Of(task)).About(task);
    }

    /// <summary>Whether a hook may end a task.</summary>
    public static Question EndByHook(HookFacts hook, TaskFacts task, DateTimeOffset now, IPAddress sourceIp)
    {
        ArgumentNullException.ThrowIfNull(hook);
        ArgumentNullException.ThrowIfNull(task);
        return new Question
        {
            Principal = BrokerEntities.Hook(hook.Name),
            Action = "endTask",
            Resource = BrokerEntities.Task(task.Id),
            Scope = new PolicyScope("endTask", null, task.Performer.Split('/')[0]),
        }.Call(now, sourceIp, []).With(BrokerEntities.Of(hook), BrokerEntities.Of(task)).About(task);
    }

    /// <summary>Whether somebody may ask about tokens for an audience.</summary>
    public static Question Introspect(AskerFacts asker, string audience) => Put(asker, "introspect", BrokerEntities.Installation).Context("audience", audience);

    /// <summary>Whether somebody may read what is not its own: everywhere, or of one task.</summary>
    public static Question Audit(AskerFacts asker, TaskFacts? task)
    {
        var question = Put(asker, "audit", task is null ? BrokerEntities.Installation : BrokerEntities.Task(task.Id));
        return task is null ? question : question.With(BrokerEntities.Of(task));
    }

    /// <summary>Whether somebody may administer, suspend or lift. Only callers of the operator's identity sources ever may.</summary>
    public static Question Administer(AskerFacts asker, string action, EntityUid resource, IEnumerable<Entity> entities) =>
        Put(asker, action, resource, isBeyondPolicy: asker is not { OfOperator: true }).With(entities);

    private static Question Put(AskerFacts asker, string action, EntityUid resource, string? provider = null, string? onBehalfOf = null, bool isBeyondPolicy = false)
    {
        ArgumentNullException.ThrowIfNull(asker);
        return new Question
        {
            Principal = BrokerEntities.Workload(asker.Workload.Name),
            Action = action,
            Resource = resource,
            Scope = new PolicyScope(action, provider, asker.Workload.Source),
            OnBehalfOf = onBehalfOf,
            IsBeyondPolicy = isBeyondPolicy,
        }
        .Call(asker.Now, asker.SourceIp, asker.Attested)
        .With(BrokerEntities.Of(asker.Workload)).With(SourceOf(asker.Source));
    }

    private static Question About(this Question question, TaskFacts task)
    {
        question.With(BrokerEntities.Tags(BrokerEntities.Labels, task.Labels));
        question.Input["task"] = task.Id;
        return question.Context("task", CedarRecord.Of(
            ("id", task.Id),
            ("depth", (long)task.Depth),
            ("intent", CedarRecord.Of(("what", task.What), ("forWhom", task.ForWhom), ("data", task.Data))),
            ("labels", BrokerEntities.Labels),
            ("openedByPerformer", task.Opener == task.Performer)));
    }

    private static IEnumerable<Entity> SourceOf(SourceFacts? source) => source is null ? [] : [BrokerEntities.Of(source)];
}
