using CredBroker.Abstractions;

namespace CredBroker.Core.Issuance;

/// <summary>
/// How many requests for a credential this node decides and records at once. A few more wait, an eighth of them at most of one workload; who comes beyond them is
/// refused before anything is read or decided for it, so that refusing costs next to nothing and what was let in is answered in time. Who waits for a
/// provider is not counted: that is what the provider's slots are for.
/// </summary>
public sealed class Admission(BrokerLimits limits) : IDisposable
{
    private readonly SemaphoreSlim _free = new(limits.IssuesAtOnce);
    private readonly Lock _gate = new();
    private readonly Dictionary<Uid, int> _waitingOf = [];
    private int _waiting;

    /// <summary>How many wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    private int Share => Math.Max(1, limits.IssuesWaiting / 8);

    /// <summary>Enters, perhaps after a wait; null when too many wait already, or too many of this workload.</summary>
    public async ValueTask<Turn?> EnterAsync(Uid workload, CancellationToken cancellationToken)
    {
        if (_free.Wait(0, CancellationToken.None)) return new Turn(_free);
        if (!TryQueue(workload)) return null;
        try
        {
            await _free.WaitAsync(cancellationToken);
            return new Turn(_free);
        }
        finally
        {
            Leave(workload);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    private bool TryQueue(Uid workload)
    {
        lock (_gate)
        {
            var own = _waitingOf.GetValueOrDefault(workload);
            if (_waiting >= limits.IssuesWaiting || own >= Share) return false;
            _waiting++;
            _waitingOf[workload] = own + 1;
            return true;
        }
    }

    private void Leave(Uid workload)
    {
        lock (_gate)
        {
            _waiting--;
            if (--_waitingOf[workload] == 0) _waitingOf.Remove(workload);
        }
    }

    /// <summary>One that was let in.</summary>
    public sealed class Turn : IDisposable
    {
        private SemaphoreSlim? _free;

        internal Turn(SemaphoreSlim free) => _free = free;

        /// <summary>Lets the next one in. Once, however often it is called.</summary>
        public void Dispose() => Interlocked.Exchange(ref _free, null)?.Release();
    }
}
