namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>One whole change, which runs in a batch with others and is answered after their commit. It may run more than once before that.</summary>
internal abstract class Intention(Urgency urgency, LockSet locks, CancellationToken cancellationToken)
{
    /// <summary>What it is written before and after.</summary>
    public Urgency Urgency { get; } = urgency;

    /// <summary>Since when it waits: a timestamp.</summary>
    public long Since { get; set; }

    /// <summary>What it must hold before it reads.</summary>
    public LockSet Locks { get; } = locks;

    /// <summary>Nobody waits any more. What has begun is finished nevertheless.</summary>
    public bool Abandoned => cancellationToken.IsCancellationRequested;

    /// <summary>What it failed with, if it did: then nothing of it is in the transaction.</summary>
    public Exception? Error { get; set; }

    public abstract Task RunAsync(WriteSession session);

    /// <summary>Answers what the last run made, or failed with.</summary>
    public abstract void Answer();

    public abstract void Fail(Exception error);

    public abstract void Cancel();

    protected CancellationToken Token => cancellationToken;
}

/// <summary>One whole change with its answer.</summary>
internal sealed class Intention<T>(Urgency urgency, LockSet locks, Func<WriteSession, Task<T>> work, CancellationToken cancellationToken) : Intention(urgency, locks, cancellationToken)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _made;

    public Task<T> Answered => _answer.Task;

    public override async Task RunAsync(WriteSession session) => _made = await work(session);

    public override void Answer()
    {
        if (Error is not null) _answer.TrySetException(Error);
        else _answer.TrySetResult(_made!);
    }

    public override void Fail(Exception error) => _answer.TrySetException(error);

    public override void Cancel() => _answer.TrySetCanceled(Token);
}
