using CredBroker.Client.Tasks;
using CredBroker.Client.Transport;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.Client;

/// <summary>The calls of an agent that need care when an answer is lost.</summary>
public sealed partial class BrokerClient
{
    /// <summary>Opens a task and leaves it to the caller: no heartbeats, no end. A lost answer is asked for again, and gives the same task.</summary>
    /// <param name="task">What it is for, and its settings.</param>
    /// <param name="requestId">The same id gives the same task, also in another process; a new one without it.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<AgentTask> CreateTaskAsync(AgentTask task, string? requestId = null, CancellationToken cancellationToken = default)
    {
        var request = new CreateTaskRequest { RequestId = requestId ?? NewRequestId(), Task = task };
        return Repeat.CallAsync(_ => Tasks.CreateTaskAsync(request, cancellationToken: cancellationToken).ResponseAsync, cancellationToken);
    }

    /// <summary>
    /// Asks for a credential of a task. A lost answer is asked for again with a higher attempt, which makes the broker revoke what it
    /// may have issued the first time: there are never two.
    /// </summary>
    /// <param name="task"><c>tasks/{task}</c>.</param>
    /// <param name="role"><c>providers/{provider}/roles/{role}</c>.</param>
    /// <param name="parameters">Values of the role's parameters.</param>
    /// <param name="lifetime">How long it should live; the longest that is allowed without it.</param>
    /// <param name="destination">Where it is going to be used, in the caller's own words: policy may look at it, and trusts it only where it says so.</param>
    /// <param name="cancellationToken">Stops waiting. What may have been issued then dies with the task.</param>
    /// <exception cref="BrokerException">Policy denied it, or it couldn't be made.</exception>
    public async Task<IssuedLease> IssueAsync(
        string task, string role, IReadOnlyDictionary<string, string>? parameters = null, TimeSpan? lifetime = null, string? destination = null,
        CancellationToken cancellationToken = default)
    {
        var requestId = NewRequestId();
        var answer = await Repeat.CallAsync(
            attempt =>
            {
                var request = new IssueLeaseRequest { Parent = task, Role = role, RequestId = requestId, Attempt = attempt, Ttl = Optional(lifetime), Declared = ToDeclared(destination) };
                if (parameters is not null) request.Parameters.Add(parameters.ToDictionary());
                return Leases.IssueLeaseAsync(request, cancellationToken: cancellationToken).ResponseAsync;
            },
            cancellationToken).ConfigureAwait(false);
        return new(answer.Lease, SecretValue.Of(answer.Credential), answer.ExpireTime.ToDateTimeOffset());
    }

    /// <summary>Lengthens a credential's life, by a new decision. Fields that change with it are replaced in what is returned.</summary>
    public async Task<IssuedLease> RenewAsync(IssuedLease lease, TimeSpan? lifetime = null, string? destination = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lease);
        var answer = await RenewAsync(lease.Name, lifetime, destination, cancellationToken).ConfigureAwait(false);
        return new(answer.Lease, SecretValue.Of(answer.Credential, lease.Credential), answer.ExpireTime.ToDateTimeOffset());
    }

    /// <summary>Lengthens a credential's life, by a new decision. The answer has only the fields that change with it.</summary>
    public Task<RenewLeaseResponse> RenewAsync(string lease, TimeSpan? lifetime = null, string? destination = null, CancellationToken cancellationToken = default)
    {
        var request = new RenewLeaseRequest { Name = lease, Ttl = Optional(lifetime), Declared = ToDeclared(destination) };
        return Repeat.CallAsync(_ => Leases.RenewLeaseAsync(request, cancellationToken: cancellationToken).ResponseAsync, cancellationToken);
    }

    /// <summary>Ends one credential. Doing it twice changes nothing.</summary>
    /// <param name="lease"><c>tasks/{task}/leases/{lease}</c>.</param>
    /// <param name="waitUntilRevoked">How long to wait for proof that it's dead; without it the answer comes at once.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<Lease> RevokeAsync(string lease, TimeSpan? waitUntilRevoked = null, CancellationToken cancellationToken = default) => Repeat.CallAsync(
        _ => WaitAsync(
            waitUntilRevoked,
            (wait, deadline) => Leases.RevokeLeaseAsync(new() { Name = lease, WaitUntilRevoked = wait }, deadline: deadline, cancellationToken: cancellationToken)),
        cancellationToken);

    /// <summary>Ends a task and all below it. Doing it twice changes nothing.</summary>
    /// <param name="task"><c>tasks/{task}</c>.</param>
    /// <param name="outcome">How it went.</param>
    /// <param name="waitUntilRevoked">How long to wait for proof that everything is dead; without it the answer comes at once.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<EndTaskResponse> EndTaskAsync(
        string task, Outcome outcome, TimeSpan? waitUntilRevoked = null, CancellationToken cancellationToken = default) => Repeat.CallAsync(
        _ => WaitAsync(
            waitUntilRevoked,
            (wait, deadline) => Tasks.EndTaskAsync(
                new() { Name = task, Outcome = outcome, WaitUntilRevoked = wait }, deadline: deadline, cancellationToken: cancellationToken)),
        cancellationToken);

    /// <summary>Suspends a target: all that it holds is dead at once, and it gets nothing more. A lost answer is asked for again, and gives the same suspension.</summary>
    /// <param name="suspension">What to suspend, and why.</param>
    /// <param name="mostLeases">The most leases that may die by it: of an identity source this has to be said.</param>
    /// <param name="requestId">The same id gives the same suspension, also in another process; a new one without it.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<Suspension> SuspendAsync(Suspension suspension, long? mostLeases = null, string? requestId = null, CancellationToken cancellationToken = default)
    {
        var request = new CreateSuspensionRequest { RequestId = requestId ?? NewRequestId(), Suspension = suspension };
        if (mostLeases is { } most) request.MostLeases = most;
        return Repeat.CallAsync(_ => Suspensions.CreateSuspensionAsync(request, cancellationToken: cancellationToken).ResponseAsync, cancellationToken);
    }

    private static async Task<T> WaitAsync<T>(TimeSpan? limit, Func<bool, DateTime?, AsyncUnaryCall<T>> call)
    {
        if (limit is not { } wait) return await call(false, null).ResponseAsync.ConfigureAwait(false);
        try
        {
            return await call(true, Deadlines.In(wait)).ResponseAsync.ConfigureAwait(false);
        }
        catch (BrokerException fault) when (fault.Code == StatusCode.DeadlineExceeded)
        {
            // The answer and the deadline raced. Asking again without waiting changes nothing, and says what isn't proven dead yet.
            return await call(false, null).ResponseAsync.ConfigureAwait(false);
        }
    }

    private static Declared? ToDeclared(string? destination) => string.IsNullOrEmpty(destination) ? null : new Declared { Destination = destination };

    private static Duration? Optional(TimeSpan? span) => span is { } value ? Duration.FromTimeSpan(value) : null;
}
