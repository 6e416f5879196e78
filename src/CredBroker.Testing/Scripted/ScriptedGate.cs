namespace CredBroker.Testing.Scripted;

/// <summary>A place at which a scripted call waits until the test lets it go.</summary>
public sealed class ScriptedGate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a call has come to the gate.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Lets the waiting call go, and every later one.</summary>
    public void Open() => _opened.TrySetResult();

    internal Task PassAsync(bool ignoreCancellation, CancellationToken cancellationToken)
    {
        _reached.TrySetResult();
        return ignoreCancellation ? _opened.Task : _opened.Task.WaitAsync(cancellationToken);
    }
}
