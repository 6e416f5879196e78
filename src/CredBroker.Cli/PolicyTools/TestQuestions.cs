using CredBroker.Cedar;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>The questions that the broker would ask for a row: what it says, given to the code that the broker asks by.</summary>
internal static class TestQuestions
{
    /// <summary>What is asked, first for who asks and then for each task above.</summary>
    public static IEnumerable<Question> LineOf(PolicyTest test, Given given)
    {
        if (test.Hook is { } hook) return [Questions.EndByHook(hook, test.Task!.Facts, test.Now, test.SourceIp)];
        var asker = Asker(test, given, test.Who!);
        return test.Action switch
        {
            "createTask" or "delegate" => [Questions.Open(asker, Opening(test, given))],
            "issue" or "renew" => Grants(test, given, asker),
            "actOnTask" or "endTask" => [Questions.OnTask(asker, test.Action, test.Task!.Facts)],
            "introspect" => [Questions.Introspect(asker, test.Audience)],
            "audit" => [Questions.Audit(asker, test.Task?.Facts)],
            _ => [Administer(test, given, asker)],
        };
    }

    private static AskerFacts Asker(PolicyTest test, Given given, WorkloadFacts workload) => new()
    {
        Workload = workload,
        Source = given.Sources.GetValueOrDefault(workload.Source),
        OfOperator = given.OperatorSources.Contains(workload.Source),
        Now = test.Now,
        SourceIp = test.SourceIp,
        Attested = workload.Attributes,
    };

    private static OpeningFacts Opening(PolicyTest test, Given given)
    {
        var task = test.Task!;
        var performer = given.Workloads[task.Performer];
        return new OpeningFacts
        {
            Task = task.Facts,
            Parent = task.Parent is null ? null : given.Tasks[task.Parent].Facts,
            // Of a performer that only has a name nothing is proven yet.
            Performer = performer with { Attributes = new Dictionary<string, string>(), Teams = [], Instance = null },
            PerformerSource = given.Sources.GetValueOrDefault(performer.Source),
            Ttl = test.Ttl,
            ParentExpiresIn = task.Parent is null ? null : test.ParentExpiresIn ?? test.Ttl,
        };
    }

    private static IEnumerable<Question> Grants(PolicyTest test, Given given, AskerFacts asker)
    {
        var task = test.Task!;
        yield return Questions.Grant(asker, Grant(test, task, onBehalfOf: false));
        foreach (var above in task.Facts.Ancestors.Select(id => given.Tasks[id]))
            yield return Questions.Grant(Asker(test, given, given.Workloads[above.Performer]), Grant(test, above, onBehalfOf: true));
    }

    private static GrantFacts Grant(PolicyTest test, GivenTask task, bool onBehalfOf) => new()
    {
        Action = test.Action,
        Task = task.Facts,
        OnBehalfOf = onBehalfOf,
        Role = test.Role!,
        Parameters = test.Parameters,
        Destination = test.Destination,
        DeclaredDestination = test.DeclaredDestination,
        Ttl = test.Ttl,
        RequestedTtl = test.RequestedTtl,
        ParentExpiresIn = test.Task!.Parent is null ? null : test.ParentExpiresIn ?? test.Ttl,
        ChainDepth = test.Task.Facts.Depth,
        Counters = test.Counters,
    };

    private static Question Administer(PolicyTest test, Given given, AskerFacts asker)
    {
        var (kind, name) = test.Resource!.Value;
        IReadOnlyList<Entity> entities = kind switch
        {
            "provider" => [BrokerEntities.Of(given.Providers[name])],
            "role" => [BrokerEntities.Of(given.Roles[name].Provider), BrokerEntities.Of(given.Roles[name])],
            "identitySource" => [BrokerEntities.Of(given.Sources[name])],
            "workload" => [BrokerEntities.Of(given.Workloads[name])],
            "hook" => [BrokerEntities.Of(given.Hooks[name])],
            "task" => [BrokerEntities.Of(given.Tasks[name].Facts)],
            _ => [BrokerEntities.OfPolicySet(name, "", "")],
        };
        return Questions.Administer(asker, test.Action, entities[^1].Uid, entities);
    }
}
