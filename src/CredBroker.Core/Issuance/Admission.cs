namespace CredBroker.Core.Issuance;

/// <summary>
/// How many requests for a credential this node decides and records at once. A few more wait; who comes beyond them is refused before anything
/// is read or decided for it, so that refusing costs next to nothing and what was let in is answered in time. Who waits for a provider is not counted: that is
/// what the provider's slots are for.
/// </summary>
public sealed class Admission(BrokerLimits limits) : IDisposable
{
    private readonly SemaphoreSlim _free = new(limits.IssuesAtOnce);
    private int _waiting;

    /// <summary>How many wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Enters, perhaps after a wait; null when too many wait already.</summary>
    public async ValueTask<Turn?> EnterAsync(CancellationToken cancellationToken)
    {
        if (_free.Wait(0, CancellationToken.None)) return new Turn(_free);
        try
        {
            if (Interlocked.Increment(ref _waiting) > limits.IssuesWaiting) return null;
            await _free.WaitAsync(cancellationToken);
            return new Turn(_free);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    /// <summary>One that was let in.</summary>
    public sealed class Turn : IDisposable
    {
        private SemaphoreSlim? _free;

        internal Turn(SemaphoreSlim free) => _free = free;

        /// <summary>Lets the next one in. Once, however often it is called.</summary>
        public void Dispose() => Interlocked.Exchange(ref _free, null)?.Release();
    }
}
