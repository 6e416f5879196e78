using CredBroker.Cli.Tests.Fakes;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Cli.Tests.Client;

public sealed class BrokerTaskTests
{
    private FakeBroker _broker = null!;

    [SetUp]
    public async Task Start() => _broker = await FakeBroker.StartAsync();

    [TearDown]
    public async Task Stop() => await _broker.DisposeAsync();

    [Test]
    public async Task A_task_gets_a_credential_and_ends_with_its_outcome()
    {
        using var client = _broker.Client();
        await using (var task = await client.StartTaskAsync("count the books"))
        {
            var lease = await task.IssueAsync("providers/books/roles/reader", new Dictionary<string, string> { ["region"] = "eu" }, TimeSpan.FromMinutes(5));
            Assert.That(lease["token"].Reveal(), Is.EqualTo("s3cret-mark"));
            task.Outcome = Outcome.Succeeded;
        }

        var issue = _broker.State.Requests<IssueLeaseRequest>().Single();
        Assert.That(issue.Ttl.Seconds, Is.EqualTo(300));
        Assert.That(issue.Parameters["region"], Is.EqualTo("eu"));
        Assert.That(_broker.State.Requests<EndTaskRequest>().Single().Outcome, Is.EqualTo(Outcome.Succeeded));
    }

    [Test]
    public async Task A_task_that_is_left_by_an_exception_ends_as_failed()
    {
        using var client = _broker.Client();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await using var task = await client.StartTaskAsync("count the books");
            throw new InvalidOperationException();
        });

        Assert.That(_broker.State.Requests<EndTaskRequest>().Single().Outcome, Is.EqualTo(Outcome.Failed));
    }

    [Test]
    public async Task A_lost_answer_to_issue_is_asked_for_again_with_a_higher_attempt_and_leaves_one_live_lease()
    {
        _broker.State.LoseAnswers["IssueLease"] = 2;
        using var client = _broker.Client();
        await using var task = await client.StartTaskAsync("count the books");

        var lease = await task.IssueAsync("providers/books/roles/reader");

        var asked = _broker.State.Requests<IssueLeaseRequest>().ToArray();
        Assert.That(asked.Select(r => r.Attempt), Is.EqualTo(new[] { 0, 1, 2 }));
        Assert.That(asked.Select(r => r.RequestId).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_broker.State.Leases.Values.Where(l => l.State == Lease.Types.State.Active).Select(l => l.Name), Is.EqualTo(new[] { lease.Name }));
    }

    [Test]
    public async Task Two_requests_for_a_credential_never_share_a_request_id()
    {
        using var client = _broker.Client();
        await using var task = await client.StartTaskAsync("count the books");
        await task.IssueAsync("providers/books/roles/reader");
        await task.IssueAsync("providers/books/roles/reader");

        Assert.That(_broker.State.Requests<IssueLeaseRequest>().Select(r => r.RequestId).Distinct().Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_lost_answer_to_create_gives_the_same_task()
    {
        _broker.State.LoseAnswers["CreateTask"] = 1;
        using var client = _broker.Client();
        await using var task = await client.StartTaskAsync("count the books");

        Assert.That(_broker.State.Tasks, Has.Count.EqualTo(1));
        Assert.That(_broker.State.Requests<CreateTaskRequest>().Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task Gives_up_after_the_last_attempt()
    {
        _broker.State.LoseAnswers["CreateTask"] = 99;
        using var client = _broker.Client(maxAttempts: 2);

        var fault = await Assert.ThrowsAsync<BrokerException>(() => client.StartTaskAsync("count the books"));

        Assert.That(fault!.AnswerLost, Is.True);
        Assert.That(_broker.State.Requests<CreateTaskRequest>().Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_denial_is_one_exception_with_everything_the_broker_said_and_is_not_repeated()
    {
        _broker.State.Refuse["IssueLease"] = FakeState.Fault(
            StatusCode.PermissionDenied, "POLICY_DENIED", "Policy says no.", TimeSpan.FromSeconds(3), ("parameters.region", "not eu"), ("ttl", "too long"));
        using var client = _broker.Client();
        await using var task = await client.StartTaskAsync("count the books");

        var fault = (await Assert.ThrowsAsync<BrokerException>(() => task.IssueAsync("providers/books/roles/reader")))!;

        Assert.That(fault.KnownReason, Is.EqualTo(ErrorReason.PolicyDenied));
        Assert.That(fault.Message, Is.EqualTo("Policy says no."));
        Assert.That(fault.Metadata["decision"], Is.EqualTo("decisions/1"));
        Assert.That(fault.FieldViolations, Is.EqualTo(new[] { new FieldViolation("parameters.region", "not eu"), new FieldViolation("ttl", "too long") }));
        Assert.That(fault.RetryDelay, Is.EqualTo(TimeSpan.FromSeconds(3)));
        Assert.That(_broker.State.Requests<IssueLeaseRequest>().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Heartbeats_are_sent_by_the_clock_until_the_task_ends()
    {
        var time = new FakeTimeProvider();
        using var client = _broker.Client(time);
        var task = await client.StartTaskAsync("count the books", new TaskSettings { HeartbeatInterval = TimeSpan.FromSeconds(10) });
        for (var beats = 1; beats <= 3; beats++) await AdvanceUntilAsync(time, TimeSpan.FromSeconds(10), () => Beats() >= beats);

        await task.DisposeAsync();
        // A beat that was given up on its way may still arrive, but not after what the same connection brings later.
        await client.Tasks.GetTaskAsync(new GetTaskRequest { Name = task.Name });
        var sent = Beats();
        time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(sent, Is.GreaterThanOrEqualTo(3));
        Assert.That(Beats(), Is.EqualTo(sent));
    }

    [Test]
    public async Task A_heartbeat_that_learns_of_the_end_says_so()
    {
        var time = new FakeTimeProvider();
        using var client = _broker.Client(time);
        await using var task = await client.StartTaskAsync("count the books", new TaskSettings { HeartbeatInterval = TimeSpan.FromSeconds(10) });
        _broker.State.Tasks.Values.Single().State = AgentTask.Types.State.Ended;

        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(10), () => task.Ended.IsCancellationRequested);

        Assert.That(task.Ended.IsCancellationRequested, Is.True);
    }

    [Test]
    public async Task A_failed_heartbeat_is_tried_again_sooner()
    {
        var time = new FakeTimeProvider();
        _broker.State.Refuse["Heartbeat"] = FakeState.Fault(StatusCode.Unavailable, "BROKER_UNAVAILABLE", "Later.");
        using var client = _broker.Client(time);
        await using var task = await client.StartTaskAsync("count the books", new TaskSettings { HeartbeatInterval = TimeSpan.FromSeconds(40) });
        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(40), () => Beats() >= 1);

        await AdvanceUntilAsync(time, TimeSpan.FromSeconds(10), () => Beats() >= 2);

        Assert.That(task.Ended.IsCancellationRequested, Is.False);
    }

    private int Beats() => _broker.State.Requests<HeartbeatRequest>().Count();

    // The loop's next pause begins some time after its call was seen, so the clock is moved again until it took notice.
    private static async Task AdvanceUntilAsync(FakeTimeProvider time, TimeSpan step, Func<bool> done)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!done())
        {
            bound.Token.ThrowIfCancellationRequested();
            time.Advance(step);
            for (var i = 0; i < 200 && !done(); i++) await Task.Yield();
        }
    }
}
