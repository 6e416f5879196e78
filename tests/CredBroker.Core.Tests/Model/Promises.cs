using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using Microsoft.Data.Sqlite;
using static CredBroker.Core.Leases.LeaseState;

namespace CredBroker.Core.Tests.Model;

/// <summary>
/// The promises, said once more and in other words than the engine's: from the rows of the database, the target, and what was committed in which order. Held
/// against every step.
/// </summary>
internal sealed class Promises(World world, string database) : IDisposable
{
    private readonly SqliteConnection _connection = Open(database);
    private readonly Dictionary<Uid, long> _claims = [];
    private readonly HashSet<Uid> _delivered = [];
    private BrokenPromiseException? _broken;
    private Sight? _before;
    private (long Database, int Target) _held;

    /// <summary>Whether the policies permit anything now.</summary>
    public bool Permitted { get; private set; } = true;

    /// <summary>What happened, by its name: a history in which nothing happens proves nothing.</summary>
    public Dictionary<string, int> Happened { get; } = [];

    /// <summary>The database as it is.</summary>
    public Sight Look() => Sight.Read(_connection, world.Time.GetUtcNow());

    /// <summary>Before a transaction.</summary>
    public void Before(string operation, object?[] args) =>
        _before = operation is nameof(ILeaseStore.ReserveAsync) or nameof(ILeaseStore.ApplyAsync) or nameof(ILeaseStore.ClaimDueAsync) or nameof(Tasks.ITaskStore.CreateAsync) ? Look() : null;

    /// <summary>After its commit.</summary>
    public void After(string operation, object?[] args, object? answer)
    {
        switch (answer)
        {
            case ReserveOutcome.Reserved { Lease: var lease }:
                Note("reserved");
                Require(Permitted, "every grant is a decision: what was reserved is permitted by the policies of that moment");
                Require(_before!.TaskRuns(lease.TaskPath), "nothing is reserved for a task that has ended");
                Require(!lease.Gates.All.Any(gate => _before.SuspensionOf(gate.Uid) is { } state && (state.Suspended || state.Generation > gate.Suspension)), "nothing is reserved for what is suspended");
                break;
            case Tasks.CreateTaskOutcome.Created { Repeated: false }:
                Require(Permitted, "every grant is a decision: the task is permitted by the policies of that moment");
                break;
            case ApplyOutcome.Applied applied:
                Applied((LeaseChange)args[0]!, applied);
                break;
            case ApplyOutcome.Fenced:
                Note("fenced");
                break;
            case IReadOnlyList<Lease> claimed when operation == nameof(ILeaseStore.ClaimDueAsync):
                foreach (var lease in claimed) Claimed(lease);
                break;
            case RegistryOutcome.Changed { Entry: { Kind: ResourceKind.PolicySet } entry }:
                Permitted = !entry.SpecJson.Contains("forbid", StringComparison.Ordinal);
                break;
        }

        if (operation is nameof(Tasks.ITaskStore.EndAsync) or nameof(Suspensions.ISuspensionStore.SuspendAsync)) DeadInEffect();
    }

    /// <summary>A call leaves a node.</summary>
    public void Sending(string operation, string name, DateTimeOffset possibleUntil)
    {
        var lease = Look().Leases.SingleOrDefault(row => row.Name == name);
        Require(lease is not null, $"no orphan: the intent is durable before the provider is called to {operation}");
        if (lease is null) return;
        if (operation == "revoke")
        {
            // What nobody has received may be undone at once.
            Require(!_delivered.Contains(lease.Id) || Look().DeadInEffect(lease), $"nothing that lives is revoked: {world.Short(name)}");
            return;
        }

        Require(lease.PossibleDeathAt >= possibleUntil, $"the longest life that a call to {operation} can give is durable before it");
        if (operation != "issue") return;
        Require(world.Target.Asked.Add(name), "an issuing call is made once");
        Require(world.Time.GetUtcNow() < lease.IssueDeadline, "no issuing call starts after its deadline");
    }

    /// <summary>Whatever happened: after every step.</summary>
    /// <exception cref="BrokenPromiseException">A promise did not hold.</exception>
    public void Hold()
    {
        HoldNow();
        if (_broken is not null) throw _broken;
    }

    /// <summary>Some time after the last fault, when every node has looked: what is dead in effect is on its way to be proven so.</summary>
    public void AllIsMoving()
    {
        var sight = Look();
        // What an end or a suspension killed is moved at once. What only ran out waits for its claim, and so for a provider that pauses.
        foreach (var lease in sight.Leases)
            Require(lease.State != Active || (!sight.DeadByDeed(lease) && world.Time.GetUtcNow() <= lease.ExpiresAt + World.Bound), $"never late: {world.Short(lease.Name)} is dead in effect, and nobody revokes it");
        foreach (var lease in sight.Leases)
            Require(lease.State != Pending || world.Time.GetUtcNow() <= lease.IssueDeadline + World.Bound, $"never late: whoever issued {world.Short(lease.Name)} is gone, and nobody looks after it");
        Hold();
    }

    private void HoldNow()
    {
        var held = (Sight.Version(_connection), world.Target.Version);
        if (held == _held) return;
        _held = held;
        var sight = Look();
        var leases = sight.Leases.ToDictionary(row => row.Name);
        foreach (var credential in world.Target.Alive)
        {
            var known = leases.TryGetValue(credential.Name, out var lease);
            Require(known, $"no orphan: {credential.Name} is known");
            if (!known) continue;
            Require(lease!.State is Pending or Active or Revoking, $"dead means proven dead: {world.Short(credential.Name)} is {lease.State}, and alive");
            if (credential.ExpiresOnly) Require(credential.ExpiresAt <= lease.PossibleDeathAt, "nothing lives longer than is known");
        }

        foreach (var (key, count) in sight.Charges())
            Require(sight.Counters.GetValueOrDefault(key) == count, $"what is not proven dead counts: {key} is {sight.Counters.GetValueOrDefault(key)}, not {count}");
        foreach (var task in sight.Tasks.Values.Where(task => task.ReceiptClosed))
            Require(sight.Leases.All(lease => lease.TaskId != task.Id || !lease.Unproven), "a receipt is closed when everything of its task is proven dead");
    }

    /// <summary>At the end, when nothing fails any more, and every task has ended or holds nothing any more.</summary>
    public void AllIsOver()
    {
        var sight = Look();
        Require(!world.Target.Alive.Any(), "everything is dead");
        foreach (var lease in sight.Leases) Require(!lease.Unproven, $"never lost: {world.Short(lease.Name)} is {lease.State}, due in {(lease.DueAt - world.Time.GetUtcNow())?.TotalSeconds} s");
        foreach (var task in sight.Tasks.Values)
            Require(task.ReceiptClosed || (task.EndedAt is null && task.Deadline > world.Time.GetUtcNow()), "every receipt is closed, unless its task goes on");
        Require(Sight.Undecided(_connection) == 0, "every grant is a decision: it is in the audit trail");
        Require(sight.FanOuts == 0, "nothing waits to be moved");
        Hold();
    }

    /// <summary>A caller has received the credential.</summary>
    public void Delivered(Uid lease)
    {
        Note("delivered");
        _delivered.Add(lease);
    }

    public void Note(string what) => Happened[what] = Happened.GetValueOrDefault(what) + 1;

    public void Dispose() => _connection.Dispose();

    private void Claimed(Lease lease)
    {
        Note("claimed");
        var before = _before!.Leases.Single(row => row.Id == lease.Id);
        // Its due time is also how long whoever holds it may take, and how long a pause lasts.
        Require(before.DueAt <= world.Time.GetUtcNow(), $"only what is due is claimed: {world.Short(before.Name)} was {before.State}, due in {(before.DueAt - world.Time.GetUtcNow())?.TotalSeconds} s");
        Require(before.State != Active || _before.DeadInEffect(before), $"nothing that lives is revoked: {world.Short(before.Name)} was claimed");
        Require(before.State != Pending || before.IssueDeadline <= world.Time.GetUtcNow() || _before.DeadByDeed(before), $"nothing that may still be issued is revoked: {world.Short(before.Name)} was claimed");
        _claims[lease.Id] = lease.Fence;
    }

    private void Applied(LeaseChange change, ApplyOutcome.Applied applied)
    {
        var before = _before!.Leases.Single(row => row.Id == change.LeaseId);
        if (change.Fence is { } fence)
        {
            Require(before.Fence == fence, "only who holds the latest claim settles");
            Require(!_claims.TryGetValue(change.LeaseId, out var claimed) || claimed <= fence, "a claim that was taken over settles nothing");
        }

        if (!applied.Changed) return;
        var after = applied.After.Lease;
        Note(change.Event.GetType().Name);
        if (change.Event is LeaseEvent.RenewalIntended) Require(Permitted, "every grant is a decision: what is renewed is permitted by the policies of that moment");
        if (before.State == Pending && after.State == Active) Require(!_before.DeadInEffect(before), "dead at once: what is dead in effect is not activated");
        if (change.Event is LeaseEvent.RenewalIntended || (change.Event is LeaseEvent.Renewed && after.ExpiresAt > before.ExpiresAt))
            Require(!_before.DeadInEffect(before), "dead at once: what is dead in effect is not renewed");
        if (after.State is Revoked or Expired && !after.Asserted) Note(after.State.ToString());
        if (change.Event is LeaseEvent.Issued && before.State != Pending) Note("late answer");
    }

    // What the broker answers about a lease from the commit on that killed it.
    private void DeadInEffect()
    {
        var sight = Look();
        var live = world.Pump.Outside(() => world.StoreOf<ILeaseStore>().ListAsync(new LeaseQuery { Live = true }, new PageRequest(1000, null), CancellationToken.None)).Items;
        foreach (var view in live) Require(!sight.DeadInEffect(sight.Leases.Single(row => row.Id == view.Lease.Id)), "dead at once: the broker says so from that commit on");
    }

    // What is thrown inside a call, the engine takes for the call's own failure: it is kept, and thrown where no engine can catch it.
    private void Require(bool holds, string what)
    {
        if (!holds) _broken ??= new BrokenPromiseException($"{what}\n{world.Story}");
    }

    private static SqliteConnection Open(string database)
    {
        var connection = new SqliteConnection($"Data Source={database};Pooling=False;Mode=ReadWrite");
        connection.Open();
        return connection;
    }
}

/// <summary>A promise did not hold.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
