using CsCheck;

namespace CredBroker.Cedar.Tests.Policies;

internal sealed class PolicyIndexTests
{
    private static readonly Gen<string> Name = OneOf("a", "b", "c", "d");
    private static readonly Gen<EntityUid> Uid = Gen.Select(OneOf("U", "G"), Name, (type, id) => new EntityUid(type, id));
    private static readonly Gen<EntityUid> Action = Name.Select(id => new EntityUid("Action", id));

    private static readonly Gen<string> Policy = Gen.Select(OneOf("permit", "forbid"), Scope("principal"), ActionScope, Scope("resource"),
        OneOf("", " when { context.x }", " unless { principal == resource }"),
        (effect, principal, action, resource, condition) => $"{effect}({principal}, {action}, {resource}){condition};");

    // Groups are in groups with a later name only, so there are no cycles.
    private static readonly Gen<EntityStore> Entities = Gen.Select(Gen.Int[0, 15].Array[4], Gen.Int[0, 15].Array[4], Gen.Int[0, 15].Array[4], (users, groups, actions) =>
    {
        string[] names = ["a", "b", "c", "d"];
        EntityUid[] In(string type, int mask, int from) => [.. Enumerable.Range(from, 4 - from).Where(i => (mask >> i & 1) == 1).Select(i => new EntityUid(type, names[i]))];
        return EntityStore.Create(Enumerable.Range(0, 4).SelectMany(i => new[]
        {
            new Entity(new EntityUid("U", names[i]), null, [.. In("G", users[i], 0)]),
            new Entity(new EntityUid("G", names[i]), null, [.. In("G", groups[i], i + 1)]),
            new Entity(new EntityUid("Action", names[i]), null, [.. In("Action", actions[i], i + 1)]),
        }));
    });

    [Test]
    public void Finds_exactly_what_trying_every_policy_finds() => Gen.Select(Policy.Array[0, 60], Entities, Gen.Select(Uid, Action, Uid)).Sample((policies, entities, request) =>
    {
        var set = PolicySet.Parse(string.Join('\n', policies)).OrThrow();
        var question = new Request(request.Item1, request.Item2, request.Item3, CedarRecord.Of(("x", true)));
        var response = new Authorizer(set).IsAuthorized(question, entities);
        // A set of one policy has no index to speak of.
        var alone = set.Policies.Select(p => (Policy: p, Answer: new Authorizer(PolicySet.Parse(p.Text).OrThrow()).IsAuthorized(question, entities))).ToList();
        var applying = alone.Where(a => !a.Answer.Determining.IsEmpty).Select(a => a.Policy).ToList();
        var forbids = applying.Where(p => p.Effect == Effect.Forbid).ToList();
        return response.Determining.SequenceEqual(forbids.Count > 0 ? forbids : applying) && response.Errors.IsEmpty;
    }, iter: 2_000);

    [Test]
    public void A_large_set_costs_only_what_applies()
    {
        var set = PolicySet.Parse(string.Join('\n', Enumerable.Range(0, 10_000).Select(i =>
            $"permit(principal in G::\"{i / 10}\", action == Action::\"a\", resource in R::\"{i % 10}\") when {{ context.n == {i} }};"))).OrThrow();
        var entities = EntityStore.Create([new Entity(new EntityUid("U", "u"), null, new EntityUid("G", "77"))]);
        var request = new Request(new EntityUid("U", "u"), new EntityUid("Action", "a"), new EntityUid("R", "3"), CedarRecord.Of(("n", 773)));
        // One policy of the ten thousand takes three steps and the comparison.
        var response = new Authorizer(set, maxSteps: 10).IsAuthorized(request, entities);
        Assert.That(response.Determining.Single().Id, Is.EqualTo("policy773"));
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<string> Scope(string variable) => Gen.Select(Gen.Int[0, 5], Uid, OneOf("U", "G"), (kind, uid, type) => kind switch
    {
        0 or 1 => $"{variable} == {uid}",
        2 => $"{variable} in {uid}",
        3 => $"{variable} is {type}",
        4 => $"{variable} is {type} in {uid}",
        _ => variable,
    });

    private static Gen<string> ActionScope => Gen.Select(Gen.Int[0, 3], Action, Action.Array[0, 3], (kind, uid, many) => kind switch
    {
        0 => $"action == {uid}",
        1 => $"action in {uid}",
        2 => $"action in [{string.Join(", ", (object[])many)}]",
        _ => "action",
    });
}
