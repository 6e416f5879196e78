namespace CredBroker.Cedar.Tests.Json;

/// <summary>Errors of JSON's shape say where they are, and several come in one run.</summary>
internal sealed class JsonPlaceTests
{
    [Test]
    public void Every_entity_that_is_wrong_is_named_with_its_place()
    {
        const string Json = """
            [
              {"uid": {"type": "User", "id": "é"}, "attrs": {}, "parents": []},
              {"uid": {"type": "User", "id": "b"}, "attrs": {"age": 1.5}, "parents": []},
              {"uid": {"type": "User", "id": "c"}, "attrs": {"note": "ö", "deep": [1, {"x": null}]},
               "parents": []},
              {"uid": {"type": "User", "id": "d"}, "attrs": {}}
            ]
            """;
        var errors = CedarJson.ParseEntities(Json, file: "e.json").Errors;
        Assert.That(errors.Select(e => e.ToString()), Is.EqualTo(new[]
        {
            "e.json:3:57: $[1].attrs.age: 1.5 is no whole number of 64 bits",
            "e.json:4:81: $[2].attrs.deep[1].x: null is no Cedar value",
            "e.json:6:3: $[3]: 'parents' is missing",
        }));
        Assert.That(errors[0].Show(Json), Does.EndWith("^"));
    }

    [Test]
    public void Every_policy_that_is_wrong_is_named_with_its_place()
    {
        const string Json = """
            {"staticPolicies": {
              "a": {"effect": "allow", "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"}, "conditions": []},
              "b": {"effect": "permit", "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"}, "conditions": []},
              "c": {"effect": "permit", "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"}, "conditions": [{"kind": "when", "body": {"Valu": 1}}]}
            }}
            """;
        var errors = PolicySet.ParseJson(Json, "p.json").Errors;
        Assert.That(errors.Select(e => (e.Location.Line, e.Location.Column)), Is.EqualTo(new[] { (2, 19), (4, 158) }), string.Join('\n', errors));
    }

    [Test]
    public void A_schema_says_where_it_is_wrong()
    {
        var errors = Schema.ParseJson("{\"\": {\n  \"entityTypes\": {\n    \"User\": {\"shapes\": {}}\n  },\n  \"actions\": {}}}", "s.json").Errors;
        Assert.That(errors.Single().ToString(), Does.StartWith("s.json:3:13: "));
    }

    [Test]
    public void What_is_missing_is_placed_where_it_would_be() =>
        Assert.That(CedarJson.ParseEntities("[\n {}]").Errors.Single().ToString(), Is.EqualTo("2:2: $[0]: 'uid' is missing"));

    [Test]
    public void So_many_errors_are_enough() =>
        Assert.That(CedarJson.ParseEntities($"[{string.Join(',', Enumerable.Repeat("1", 1_000))}]").Errors, Has.Length.EqualTo(20));
}
