using CredBroker.Abstractions;

namespace CredBroker.Testing.Conformance;

/// <summary>Remembers the handle, as the broker's store does, and at one of the records says stop or is where the broker dies.</summary>
/// <param name="at">At which record, from 1 on; 0 for none.</param>
/// <param name="dies">The broker's process dies there: the call is never answered by it. Otherwise the journal says stop.</param>
internal sealed class TestJournal(int at = 0, bool dies = false) : IIssueJournal
{
    private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _afterDeath = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The last handle that was made durable.</summary>
    public Handle? Handle { get; private set; }

    public int Records { get; private set; }

    /// <summary>Completes when the broker has died.</summary>
    public Task Died => _died.Task;

    public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken)
    {
        Handle = handle;
        if (++Records != at) return Task.FromResult(at == 0 || Records < at);
        if (!dies) return Task.FromResult(false);
        _died.SetResult();
        return _afterDeath.Task;
    }

    /// <summary>Lets go of a call whose process is dead by now, so that it ends: it was told to stop.</summary>
    public void Release() => _afterDeath.TrySetResult(false);
}
