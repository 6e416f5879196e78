using CredBroker.Contracts.V1;

namespace CredBroker.Client.Tasks;

/// <summary>
/// A running task. Everything that is issued by it dies when it is disposed, or ended by whomever.
/// <code>
/// await using var task = await client.StartTaskAsync("summarise the week's invoices");
/// var login = await task.IssueAsync("providers/books/roles/reader");
/// …
/// task.Outcome = Outcome.Succeeded;
/// </code>
/// </summary>
public sealed class BrokerTask : IAsyncDisposable
{
    private readonly BrokerClient _client;
    private readonly Heartbeats? _heartbeats;
    private readonly CancellationTokenSource _ended = new();
    private bool _endAnswered;

    internal BrokerTask(BrokerClient client, AgentTask task)
    {
        _client = client;
        Task = task;
        Ended = _ended.Token;
        if (task.HeartbeatInterval is { } interval && task.State != AgentTask.Types.State.Ended)
            _heartbeats = new Heartbeats(client, task.Name, interval.ToTimeSpan(), _ended);
    }

    /// <summary>The task as the broker last answered it.</summary>
    public AgentTask Task { get; private set; }

    /// <summary>Its name, <c>tasks/{task}</c>.</summary>
    public string Name => Task.Name;

    /// <summary>How it went: told to the broker when it is disposed. Until you set it, <see cref="Outcome.Failed"/>, which is what an exception leaves behind.</summary>
    public Outcome Outcome { get; set; } = Outcome.Failed;

    /// <summary>Cancelled when a heartbeat learns that the task has ended: nothing that it holds works any more.</summary>
    public CancellationToken Ended { get; }

    /// <summary>
    /// Asks for a credential. A lost answer is asked for again, which makes the broker revoke what it may have issued the first
    /// time: there are never two.
    /// </summary>
    /// <param name="role"><c>providers/{provider}/roles/{role}</c>.</param>
    /// <param name="parameters">Values of the role's parameters.</param>
    /// <param name="lifetime">How long it should live; the longest that is allowed without it.</param>
    /// <param name="destination">Where it is going to be used, in the caller's own words: policy may look at it, and trusts it only where it says so.</param>
    /// <param name="cancellationToken">Stops waiting. What may have been issued then dies with the task.</param>
    /// <exception cref="BrokerException">Policy denied it, or it couldn't be made.</exception>
    public Task<IssuedLease> IssueAsync(
        string role, IReadOnlyDictionary<string, string>? parameters = null, TimeSpan? lifetime = null, string? destination = null, CancellationToken cancellationToken = default) =>
        _client.IssueAsync(Name, role, parameters, lifetime, destination, cancellationToken);

    /// <summary>Lengthens a credential's life, by a new decision. Fields that change with it are replaced in what is returned.</summary>
    public Task<IssuedLease> RenewAsync(IssuedLease lease, TimeSpan? lifetime = null, string? destination = null, CancellationToken cancellationToken = default) =>
        _client.RenewAsync(lease, lifetime, destination, cancellationToken);

    /// <summary>Ends one credential before the task ends.</summary>
    public Task<Lease> RevokeAsync(IssuedLease lease, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return _client.RevokeAsync(lease.Name, cancellationToken: cancellationToken);
    }

    /// <summary>Opens a task below this one: it gets nothing that this one couldn't, and ends with it.</summary>
    public Task<BrokerTask> StartChildAsync(Intent intent, TaskSettings? settings = null, CancellationToken cancellationToken = default) =>
        _client.StartTaskAsync(intent, (settings ?? new()) with { Parent = Name }, cancellationToken);

    /// <summary>Ends the task: everything that it holds is dead at the broker at once, and is then revoked at its targets.</summary>
    /// <param name="outcome">How it went.</param>
    /// <param name="waitUntilRevoked">How long to wait for proof that everything is dead; without it the answer comes at once.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<EndTaskResponse> EndAsync(Outcome outcome, TimeSpan? waitUntilRevoked = null, CancellationToken cancellationToken = default)
    {
        if (_heartbeats is not null) await _heartbeats.StopAsync().ConfigureAwait(false);
        var answer = await _client.EndTaskAsync(Name, outcome, waitUntilRevoked, cancellationToken).ConfigureAwait(false);
        _endAnswered = true;
        Task = answer.Task;
        Outcome = outcome;
        await _ended.CancelAsync().ConfigureAwait(false);
        return answer;
    }

    /// <summary>Ends the task with <see cref="Outcome"/>, unless it was ended already.</summary>
    /// <exception cref="BrokerException">The broker didn't confirm the end. The task then ends by its lost heartbeat or its deadline.</exception>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_endAnswered) await EndAsync(Outcome).ConfigureAwait(false);
        }
        finally
        {
            if (_heartbeats is not null) await _heartbeats.StopAsync().ConfigureAwait(false);
            _ended.Dispose();
        }
    }
}
