using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>Asks both implementations the same and says where they differ.</summary>
internal sealed class Comparison(Oracle oracle)
{
    private readonly List<string> _differences = [];

    /// <summary>How often both said the same of something, by what it was.</summary>
    public Dictionary<string, int> Agreements { get; } = [];

    public IReadOnlyList<string> Differences => _differences;

    public void Compare(GeneratedWorld world)
    {
        var schema = Schema.Parse(world.Schema);
        var theirs = oracle.Preparse("preparseSchema", "s", JsonSerializer.Serialize(world.Schema));
        Expect("schema read", IsSuccess(theirs), schema.IsValid, () => $"{string.Join('\n', schema.Errors)}{theirs.ToJsonString()}");
        var policies = PolicySet.Parse(world.Policies);
        var read = oracle.Preparse("preparsePolicySet", "p", $$"""{"staticPolicies": {{JsonSerializer.Serialize(world.Policies)}}}""");
        Expect("policies read", IsSuccess(read), policies.IsValid, () => $"{string.Join('\n', policies.Errors)}{read.ToJsonString()}");
        if (!schema.IsValid || !policies.IsValid || _differences.Count > 0)
            return;
        CompareValidation(world, schema.Value, policies.Value);
        CompareEntities(world, schema.Value);
        var entities = CedarJson.ParseEntities(world.Entities);
        var authorizer = new Authorizer(policies.Value);
        foreach (var request in world.Requests)
            CompareDecision(world, request, schema.Value, authorizer, entities.Value);
    }

    private void CompareValidation(GeneratedWorld world, Schema schema, PolicySet policies)
    {
        var answer = oracle.Call("validate", $$"""{"schema": {{JsonSerializer.Serialize(world.Schema)}}, "policies": {"staticPolicies": {{JsonSerializer.Serialize(world.Policies)}} } }""");
        var issues = new Validator(schema).Validate(policies);
        string Ids(IEnumerable<string> ids) => string.Join(' ', ids.Distinct().Order(StringComparer.Ordinal));
        string Theirs(string name) => Ids(answer[name]!.AsArray().Select(e => e!["policyId"]!.GetValue<string>()));
        var rejected = Ids(issues.Where(i => !i.IsWarning).Select(i => i.Policy.Id));
        Expect("validation", Theirs("validationErrors"), rejected, () => $"{string.Join('\n', issues)}\n{answer.ToJsonString()}");
        Count(rejected.Length == 0 ? "valid sets" : "invalid sets");
        // They warn of more than impossible policies (of confusable names, say); of these both must warn.
        var impossible = Ids(answer["validationWarnings"]!.AsArray().Where(w => w!["error"]!["message"]!.GetValue<string>().Contains("impossible", StringComparison.Ordinal)).Select(w => w!["policyId"]!.GetValue<string>()).Except(rejected.Split(' ')));
        Expect("impossible policies", impossible, Ids(issues.Where(i => i.IsWarning).Select(i => i.Policy.Id).Except(rejected.Split(' '))), () => $"{string.Join('\n', issues)}\n{answer.ToJsonString()}");
    }

    private void CompareEntities(GeneratedWorld world, Schema schema)
    {
        var plain = oracle.Call("checkParseEntities", $$"""{"entities": {{world.Entities}}}""");
        var ours = CedarJson.ParseEntities(world.Entities);
        Expect("entities read", IsSuccess(plain), ours.IsValid, () => $"{string.Join('\n', ours.Errors)}\n{plain.ToJsonString()}");
        var checkedBySchema = oracle.Call("checkParseEntities", $$"""{"entities": {{world.Entities}}, "schema": {{JsonSerializer.Serialize(world.Schema)}}}""");
        var typed = CedarJson.ParseEntities(world.Entities, schema);
        var issues = typed.IsValid ? new Validator(schema).Validate(typed.Value).Select(i => i.ToString()) : typed.Errors.Select(e => e.ToString());
        Expect("entities checked", IsSuccess(checkedBySchema), !issues.Any(), () => $"{string.Join('\n', issues)}\n{checkedBySchema.ToJsonString()}");
        Count(issues.Any() ? "invalid entities" : "valid entities");
    }

    private void CompareDecision(GeneratedWorld world, GeneratedRequest asked, Schema schema, Authorizer authorizer, EntityStore? entities)
    {
        var answer = oracle.Call("statefulIsAuthorized", $$"""
            {"principal": {{asked.Principal}}, "action": {{asked.Action}}, "resource": {{asked.Resource}}, "context": {{asked.Context}}, "preparsedPolicySetId": "p", "entities": {{world.Entities}}}
            """);
        var context = CedarJson.ParseContext(asked.Context);
        if (context.Value is null || entities is null)
        {
            Expect("request read", IsSuccess(answer), false, () => answer.ToJsonString());
            return;
        }
        var request = new Request(Uid(asked.Principal), Uid(asked.Action), Uid(asked.Resource), context.Value);
        var response = authorizer.IsAuthorized(request, entities);
        var ours = Describe(response.Decision == Decision.Allow ? "allow" : "deny", response.Determining.Select(p => p.Id), response.Errors.Select(e => e.Policy.Id));
        Expect(ours.Contains("errors=p", StringComparison.Ordinal) ? "decision with errors" : ours.StartsWith("allow", StringComparison.Ordinal) ? "allow" : "deny", DescribeTheirs(answer), ours, () => $"{request}\n{response}\n{answer.ToJsonString()}");
        if (Agreements.Values.Sum() % 10 == 0)
            CompareRequestValidation(asked, schema);
    }

    private void CompareRequestValidation(GeneratedRequest asked, Schema schema)
    {
        var answer = oracle.Call("statefulIsAuthorized", $$"""
            {"principal": {{asked.Principal}}, "action": {{asked.Action}}, "resource": {{asked.Resource}}, "context": {{asked.Context}}, "preparsedPolicySetId": "p", "preparsedSchemaName": "s", "validateRequest": true, "entities": []}
            """);
        var context = CedarJson.ParseContext(asked.Context, schema, Uid(asked.Action));
        var issues = context.IsValid
            ? new Validator(schema).Validate(new Request(Uid(asked.Principal), Uid(asked.Action), Uid(asked.Resource), context.Value)).Select(i => i.ToString())
            : context.Errors.Select(e => e.ToString());
        Expect("request checked", IsSuccess(answer), !issues.Any(), () => $"{asked}\n{string.Join('\n', issues)}\n{answer.ToJsonString()}");
    }

    private static string DescribeTheirs(JsonNode answer)
    {
        if (!IsSuccess(answer))
            return "failure";
        var response = answer["response"]!;
        return Describe(response["decision"]!.GetValue<string>(), response["diagnostics"]!["reason"]!.AsArray().Select(r => r!.GetValue<string>()),
            response["diagnostics"]!["errors"]!.AsArray().Select(e => e!["policyId"]!.GetValue<string>()));
    }

    private static string Describe(string decision, IEnumerable<string> reasons, IEnumerable<string> errors) =>
        $"{decision} reasons={string.Join(' ', reasons.Order(StringComparer.Ordinal))} errors={string.Join(' ', errors.Order(StringComparer.Ordinal))}";

    private void Expect<T>(string what, T theirs, T ours, Func<string> details)
    {
        if (Equals(theirs, ours))
            Count(what);
        else
            _differences.Add($"{what}: theirs {theirs}, ours {ours}\n{details()}");
    }

    private void Count(string what) => Agreements[what] = Agreements.GetValueOrDefault(what) + 1;

    private static bool IsSuccess(JsonNode answer) => answer["type"]!.GetValue<string>() == "success";

    private static EntityUid Uid(string json)
    {
        var uid = JsonNode.Parse(json)!;
        return new EntityUid(uid["type"]!.GetValue<string>(), uid["id"]!.GetValue<string>());
    }
}
