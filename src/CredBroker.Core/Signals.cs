namespace CredBroker.Core;

/// <summary>
/// Wakes whoever decides when to look: set after local commits that made work, so that nothing waits for the next tick. A signal that is already set stays set.
/// </summary>
public sealed class Signals
{
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes once there is work.</summary>
    public Task Wait() => Volatile.Read(ref _set).Task;

    /// <summary>There is work.</summary>
    public void Set() => Volatile.Read(ref _set).TrySetResult();

    /// <summary>
    /// Takes the signal: to be called before looking, so that what comes while looking is not missed. Where there is none, whoever waits goes on waiting:
    /// else each look would wake who starts the next.
    /// </summary>
    public void Take()
    {
        var current = Volatile.Read(ref _set);
        if (current.Task.IsCompleted) Interlocked.CompareExchange(ref _set, new(TaskCreationOptions.RunContinuationsAsynchronously), current);
    }
}
