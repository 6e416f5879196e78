namespace CredBroker.Core;

/// <summary>
/// How long to wait for work, counted from before it begins: what it does until its first pause counts too, and a clock that moves meanwhile
/// moves the wait with it.
/// </summary>
internal sealed class Patience(TimeSpan bound, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource _end = new(bound > TimeSpan.Zero ? bound : TimeSpan.Zero, time);

    /// <summary>The work's result. The work goes on when the wait is over.</summary>
    /// <exception cref="TimeoutException">The bound passed first.</exception>
    public async Task<T> WaitAsync<T>(Task<T> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, cancellationToken);
        try
        {
            return await work.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested && !work.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        catch (OperationCanceledException) when (work.IsCompleted)
        {
            return await work;
        }
    }

    public void Dispose() => _end.Dispose();
}
