using CredBroker.AspNetCore.Filters;
using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Server.Tests.Filters;

[TestFixture]
internal sealed class FilterParserTests
{
    private static readonly FilterField[] Fields =
    [
        FilterField.OneOf<Lease.Types.State>("state"), FilterField.Resource("provider", "providers"), FilterField.Time("expire_time"),
        FilterField.Flag("failing"), FilterField.Text("labels.*"),
    ];

    [TestCase("", "")]
    [TestCase("state = REVOKING", "state = REVOKING")]
    [TestCase("state=REVOKING AND provider=\"providers/db\"", "state = REVOKING; provider = providers/db")]
    [TestCase("state=REVOKING provider=providers/db", "state = REVOKING; provider = providers/db")]
    [TestCase("(state = ACTIVE OR state = REVOKING) AND failing = true", "state = ACTIVE|REVOKING; failing = true")]
    [TestCase("failing = true AND state = ACTIVE OR state = REVOKING", "failing = true; state = ACTIVE|REVOKING")]
    [TestCase("expire_time >= \"2026-01-01T00:00:00Z\" AND expire_time < \"2026-01-02T00:00:00Z\"", "expire_time >= 2026-01-01T00:00:00Z; expire_time < 2026-01-02T00:00:00Z")]
    [TestCase("labels.run = \"a \\\"b\\\" ' c\"", "labels.run = a \"b\" ' c")]
    public void Reads(string filter, string expected) => Assert.That(
        string.Join("; ", FilterParser.Parse(filter, Fields).Select(term => $"{term.Field} {term.Operator} {string.Join('|', term.Values)}")), Is.EqualTo(expected));

    [TestCase("nothing = 1")]
    [TestCase("state")]
    [TestCase("state =")]
    [TestCase("state = SLEEPING")]
    [TestCase("state = STATE_UNSPECIFIED")]
    [TestCase("state != ACTIVE")]
    [TestCase("state = ACTIVE OR failing = true")]
    [TestCase("state = ACTIVE AND state = REVOKING")]
    [TestCase("NOT state = ACTIVE")]
    [TestCase("-state = ACTIVE")]
    [TestCase("(state = ACTIVE")]
    [TestCase("((((((((((((((((((state = ACTIVE")]
    [TestCase("state = ACTIVE)")]
    [TestCase("state = ACTIVE AND")]
    [TestCase("provider = \"providers/db")]
    [TestCase("provider = \"db\"")]
    [TestCase("provider = \"providers/' OR 1=1 --\" OR 1=1")]
    [TestCase("expire_time < yesterday")]
    [TestCase("labels. = 1")]
    [TestCase("failing = \"tr\\")]
    public void Refuses(string filter)
    {
        var error = Assert.Throws<RpcException>(() => FilterParser.Parse(filter, Fields))!;

        Assert.That(error.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason, Is.EqualTo("FILTER_INVALID"));
    }
}
