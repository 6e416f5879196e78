using System.Globalization;
using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>
/// Templates and links, given to this library and to the official implementation. Each is a generated policy with the entities of its scope taken out and linked in again:
/// so both must decide as they do, and as the policy does that was written out.
/// </summary>
internal sealed class TemplateTests
{
    // The same in every run; other seeds are for long runs.
    private const int FixedSeed = 71_000_000;

    private const int RequestsPerWorld = 30;
    private const int ShortRun = 1_500;

    [Test]
    public void Linked_templates_decide_as_they_do_for_the_official_implementation()
    {
        var wanted = Setting("CREDBROKER_TEST_CEDAR_TEMPLATE_REQUESTS") ?? ShortRun;
        var seed = Setting("CREDBROKER_TEST_CEDAR_SEED") ?? FixedSeed;
        TestContext.Progress.WriteLine($"CREDBROKER_TEST_CEDAR_SEED={seed}, {wanted} requests of templates");
        var (asked, links, allowed) = (0, 0, 0);
        using var oracle = OracleModule.Start();
        for (var number = 0; number * RequestsPerWorld < wanted; number++)
        {
            var world = new GeneratedWorld(GeneratedWorld.RandomBytes(unchecked(seed + number)), RequestsPerWorld);
            if (PolicySet.Parse(world.Policies) is not { IsValid: true, Value: var written } || CedarJson.ParseEntities(world.Entities) is not { IsValid: true, Value: var entities })
                continue;
            var json = ToTemplates(JsonNode.Parse(written.ToJson())!.AsObject());
            links += json["templateLinks"]!.AsArray().Count;
            var read = oracle.Preparse("preparsePolicySet", "t", json.ToJsonString());
            Assert.That(read["type"]!.GetValue<string>(), Is.EqualTo("success"), $"{read.ToJsonString()}\n{json}");
            var ours = new Authorizer(PolicySet.ParseJson(json.ToJsonString()).OrThrow());
            // Once more through JSON: templates and links must survive it.
            var again = new Authorizer(PolicySet.ParseJson(ours.Policies.ToJson()).OrThrow());
            foreach (var request in world.Requests)
            {
                if (CedarJson.ParseContext(request.Context) is not { IsValid: true, Value: var context })
                    continue;
                var question = new Request(Uid(request.Principal), Uid(request.Action), Uid(request.Resource), context);
                var theirs = DescribeTheirs(oracle.Call("statefulIsAuthorized", $$"""
                    {"principal": {{request.Principal}}, "action": {{request.Action}}, "resource": {{request.Resource}}, "context": {{request.Context}}, "preparsedPolicySetId": "t", "entities": {{world.Entities}}}
                    """));
                Assert.That(Describe(ours.IsAuthorized(question, entities)), Is.EqualTo(theirs), $"{question}\n{json}\n{world.Entities}");
                Assert.That(Describe(again.IsAuthorized(question, entities)), Is.EqualTo(theirs), "after a round trip");
                Assert.That(Describe(new Authorizer(written).IsAuthorized(question, entities)), Is.EqualTo(theirs), "written out");
                asked++;
                if (theirs.StartsWith("allow", StringComparison.Ordinal)) allowed++;
            }
        }

        TestContext.Progress.WriteLine($"{asked} requests, {allowed} allowed, {links} links");
        Assert.That((asked > wanted / 2, links > wanted / RequestsPerWorld, allowed > 0), Is.EqualTo((true, true, true)));
    }

    private static JsonObject ToTemplates(JsonObject set)
    {
        var (policies, templates, links) = (set["staticPolicies"]!.AsObject(), new JsonObject(), new JsonArray());
        foreach (var (id, policy) in policies.ToList())
        {
            var values = new JsonObject();
            foreach (var part in new[] { "principal", "resource" })
                TakeOut(policy![part]!.AsObject(), $"?{part}", values);
            if (values.Count == 0)
                continue;
            policies.Remove(id);
            templates[$"t-{id}"] = policy!.DeepClone();
            links.Add((JsonNode)new JsonObject { ["templateId"] = $"t-{id}", ["newId"] = id, ["values"] = values });
        }

        return new JsonObject { ["staticPolicies"] = policies.DeepClone(), ["templates"] = templates, ["templateLinks"] = links };
    }

    private static void TakeOut(JsonObject scope, string slot, JsonObject values)
    {
        var holder = scope["in"] as JsonObject ?? scope;
        if (holder["entity"] is not { } entity)
            return;
        values[slot] = entity.DeepClone();
        holder.Remove("entity");
        holder["slot"] = slot;
    }

    private static string Describe(Response response) => Describe(response.Decision == Decision.Allow ? "allow" : "deny", response.Determining.Select(p => p.Id), response.Errors.Select(e => e.Policy.Id));

    private static string DescribeTheirs(JsonNode answer)
    {
        Assert.That(answer["type"]!.GetValue<string>(), Is.EqualTo("success"), answer.ToJsonString());
        var response = answer["response"]!;
        return Describe(response["decision"]!.GetValue<string>(), response["diagnostics"]!["reason"]!.AsArray().Select(r => r!.GetValue<string>()), response["diagnostics"]!["errors"]!.AsArray().Select(e => e!["policyId"]!.GetValue<string>()));
    }

    private static string Describe(string decision, IEnumerable<string> reasons, IEnumerable<string> errors) =>
        $"{decision} reasons={string.Join(' ', reasons.Order(StringComparer.Ordinal))} errors={string.Join(' ', errors.Order(StringComparer.Ordinal))}";

    private static EntityUid Uid(string json)
    {
        var uid = JsonNode.Parse(json)!;
        return new EntityUid(uid["type"]!.GetValue<string>(), uid["id"]!.GetValue<string>());
    }

    private static int? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
