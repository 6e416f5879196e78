using System.Text;
using CredBroker.Cedar;

namespace CredBroker.Benchmarks.Cedar;

/// <summary>Policies as a broker has them (teams, actions, roles in providers, conditions on the context), with requests of which each is met by a few.</summary>
internal sealed class PolicyWorkload
{
    private const int PoliciesPerTeam = 5;
    private const string AllTeams = """{"uid": {"type": "Team", "id": "all"}, "attrs": {}, "parents": []}""";

    private PolicyWorkload(string policies, string entities, IReadOnlyList<string> principals, IReadOnlyList<string> resources) =>
        (Policies, Entities, Principals, Resources) = (policies, entities, principals, resources);

    public const string Context =
        """{"ttl": {"__extn": {"fn": "duration", "arg": "15m"}}, "sourceIp": {"__extn": {"fn": "ip", "arg": "10.1.2.3"}}, "chain": {"depth": 1}, "task": {"intent": "restore the nightly backup"}}""";

    public string Policies { get; }

    public string Entities { get; }

    /// <summary>The ids of workloads, to be asked for in turn.</summary>
    public IReadOnlyList<string> Principals { get; }

    /// <summary>The ids of roles, to be asked for in turn.</summary>
    public IReadOnlyList<string> Resources { get; }

    public int Count { get; private init; }

    public static PolicyWorkload Of(int policies)
    {
        var teams = policies / PoliciesPerTeam;
        var text = new StringBuilder();
        for (var team = 0; team < teams; team++)
        {
            text.Append($$"""
                permit (principal in Team::"t{{team}}", action == Action::"issue", resource in Provider::"p{{team}}")
                when { context.ttl <= duration("1h") && resource.sensitivity != "secret" };
                permit (principal in Team::"t{{team}}", action in [Action::"issue", Action::"renew"], resource == Role::"p{{team}}/admin")
                when { context.chain.depth < 3 && context.task.intent like "*backup*" };
                permit (principal == Workload::"w{{team}}", action, resource in Provider::"shared")
                when { principal.name == "w{{team}}" && context.sourceIp.isInRange(ip("10.0.0.0/8")) };
                permit (principal is Workload in Team::"t{{team}}", action == Action::"introspect", resource);
                forbid (principal in Team::"t{{team}}", action == Action::"issue", resource == Role::"p{{team}}/admin")
                unless { ["platform", "security"].contains(resource.owner) };

                """);
        }
        return new PolicyWorkload(text.ToString(), EntitiesOf(teams), [.. Enumerable.Range(0, teams).Select(t => $"w{t}")],
            [.. Enumerable.Range(0, teams).Select(t => $"p{t}/admin")])
        { Count = teams * PoliciesPerTeam };
    }

    public IReadOnlyList<Request> Requests()
    {
        var context = CedarJson.ParseContext(Context).OrThrow();
        return [.. Principals.Select((principal, i) =>
            new Request(new EntityUid("Workload", principal), new EntityUid("Action", "issue"), new EntityUid("Role", Resources[i]), context))];
    }

    /// <summary>A call of the official implementation, with the entities that this request needs and no others.</summary>
    public string CallFor(int number) => $$"""
        {"principal": {"type": "Workload", "id": "{{Principals[number]}}"}, "action": {"type": "Action", "id": "issue"}, "resource": {"type": "Role", "id": "{{Resources[number]}}"},
         "context": {{Context}}, "preparsedPolicySetId": "p", "entities": [{{string.Join(",", EntitiesOfTeam(number))}}]}
        """;

    private static string EntitiesOf(int teams) => $"[{string.Join(",\n", Enumerable.Range(0, teams).SelectMany(EntitiesOfTeam).Prepend(AllTeams))}]";

    private static IEnumerable<string> EntitiesOfTeam(int team) =>
    [
        $$$"""{"uid": {"type": "Team", "id": "t{{{team}}}"}, "attrs": {}, "parents": [{"type": "Team", "id": "all"}]}""",
        $$$"""{"uid": {"type": "Workload", "id": "w{{{team}}}"}, "attrs": {"name": "w{{{team}}}"}, "parents": [{"type": "Team", "id": "t{{{team}}}"}]}""",
        $$$"""{"uid": {"type": "Provider", "id": "p{{{team}}}"}, "attrs": {}, "parents": []}""",
        $$$"""{"uid": {"type": "Role", "id": "p{{{team}}}/admin"}, "attrs": {"sensitivity": "low", "owner": "platform"}, "parents": [{"type": "Provider", "id": "p{{{team}}}"}]}""",
    ];
}
