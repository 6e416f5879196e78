using CredBroker.Cli.Hosting;
using CredBroker.Cli.Tests.Fakes;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Commands;

public sealed class ExitCodeTests : CommandTestBase
{
    [TestCase(StatusCode.InvalidArgument, "FIELDS_INVALID", 2)]
    [TestCase(StatusCode.NotFound, "RESOURCE_NOT_FOUND", 3)]
    [TestCase(StatusCode.PermissionDenied, "POLICY_DENIED", 4)]
    [TestCase(StatusCode.Unauthenticated, "TOKEN_REJECTED", 4)]
    [TestCase(StatusCode.AlreadyExists, "ALREADY_EXISTS", 5)]
    [TestCase(StatusCode.Aborted, "ETAG_MISMATCH", 5)]
    [TestCase(StatusCode.FailedPrecondition, "HAS_LIVE_LEASES", 5)]
    [TestCase(StatusCode.ResourceExhausted, "QUOTA_EXCEEDED", 6)]
    [TestCase(StatusCode.Unavailable, "BROKER_UNAVAILABLE", 6)]
    [TestCase(StatusCode.Internal, "INTERNAL", 1)]
    public async Task A_refusal_has_its_own_code(StatusCode code, string reason, int exitCode)
    {
        Broker.State.Refuse["ListTasks"] = FakeState.Fault(code, reason, "No.");

        Assert.That(await ErrorAsync(exitCode, "tasks", "list"), Does.StartWith($"error: No. ({reason})\n"));
    }

    [Test]
    public async Task Everything_that_the_broker_said_is_shown_escaped()
    {
        Broker.State.Refuse["ListTasks"] = FakeState.Fault(StatusCode.InvalidArgument, "FIELDS_INVALID", "Bad\u001b[2J.", TimeSpan.FromSeconds(2.5), ("filter", "reads\r\u202eoddly"));

        Assert.That(await ErrorAsync(2, "tasks", "list"), Is.EqualTo(Lines(
            @"error: Bad\u001b[2J. (FIELDS_INVALID)", @"  filter: reads\r\u202eoddly", "  decision: decisions/1", "  try again in 2.5 seconds")));
    }

    [Test]
    public async Task A_broker_that_is_not_there_is_unavailable()
    {
        Cli.Environment["CREDBROKER_ADDRESS"] = "http://127.0.0.1:1";

        Assert.That(await ErrorAsync(6, "tasks", "list"), Does.Contain("can't be reached"));
    }

    [TestCase("tasks", "lst")]
    [TestCase("tasks", "end", "x")]
    [TestCase("tasks", "end", "x", "--outcome", "fine")]
    [TestCase("tasks", "create", "--what", "x", "--label", "no-value")]
    [TestCase("tasks", "create", "--what", "x", "--label", "a=1", "--label", "a=2")]
    [TestCase("tasks", "create", "--what", "x", "--ttl", "soon")]
    [TestCase("tasks", "list", "--limit", "0")]
    [TestCase("tasks", "list", "-o", "xml")]
    [TestCase("roles", "get", "reader")]
    [TestCase("providers", "get", "../../x")]
    [TestCase("leases", "issue", "t", "books/reader")]
    [TestCase("leases", "issue", "t", "books/reader", "--stdout", "--out-file", "x")]
    [TestCase("leases", "issue", "t", "books/reader", "--stdout", "--prefix", "a;b")]
    [TestCase("suspensions", "create", "providers/books", "--reason", "x", "--until", "later")]
    [TestCase("apply", "-f", "/no/such/folder")]
    public async Task A_wrong_command_line_is_a_usage_error_and_asks_the_broker_nothing(params string[] args)
    {
        Assert.That(await ErrorAsync(2, args), Does.StartWith("error: "));
        Assert.That(Broker.State.Calls, Is.Empty);
    }

    [Test]
    public async Task A_token_on_the_command_line_is_refused_and_not_repeated()
    {
        foreach (var args in new[] { new[] { "--token", "s3cret-mark", "tasks", "list" }, ["tasks", "list", "--token=s3cret-mark"] })
        {
            var result = await Cli.RunAsync(args);

            Assert.That(result.Code, Is.EqualTo(2));
            Assert.That(result.Out + result.Error, Does.Not.Contain("s3cret-mark"));
            Assert.That(result.Error, Does.Contain("never given on a command line"));
        }
    }

    [Test]
    public async Task At_signs_name_no_files()
    {
        Cli.Write("response", "tasks\nlist\n");

        Assert.That(await ErrorAsync(2, "@" + Path.Combine(Cli.Home, "response")), Does.Contain("Unrecognized"));
    }

    [Test]
    public void Every_code_has_one_meaning() => Assert.That(ExitCodes.All.Select(pair => pair.Code), Is.Unique.And.Ordered);
}
