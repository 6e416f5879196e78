using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

internal sealed class OracleTests
{
    [Test]
    public void Answers()
    {
        using var oracle = OracleModule.Start();
        var answer = oracle.Call("isAuthorized", """
            {"principal": {"type": "U", "id": "é"}, "action": {"type": "Action", "id": "a"}, "resource": {"type": "U", "id": "b"}, "context": {"n": 9223372036854775807},
             "policies": {"staticPolicies": "permit(principal == U::\"é\", action, resource) when { context.n == 9223372036854775807 };"}, "entities": []}
            """);
        Assert.That(JsonNode.DeepEquals(answer["response"], JsonNode.Parse("""{"decision": "allow", "diagnostics": {"reason": ["policy0"], "errors": []}}""")), answer.ToJsonString());
    }
}
