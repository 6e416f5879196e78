using CredBroker.Contracts.V1;

namespace CredBroker.Client.Transport;

/// <summary>Repeats calls whose answer was lost, which the caller has made safe to repeat.</summary>
internal sealed class Repeat(TimeProvider time, int maxAttempts)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Calls with the attempt's number, from 0, until there is an answer or the tries are used up.</summary>
    public async Task<T> CallAsync<T>(Func<int, Task<T>> call, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call(attempt).ConfigureAwait(false);
            }
            catch (BrokerException fault) when (attempt + 1 < maxAttempts && MayRepeat(fault) && !cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(Pause(attempt, fault.RetryDelay), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool MayRepeat(BrokerException fault) =>
        fault.AnswerLost || fault.KnownReason is ErrorReason.BrokerUnavailable or ErrorReason.ConcurrentChange or ErrorReason.DeadlineExceeded;

    // What the broker asks for, else doubling with jitter, so that many clients don't come back as one.
    private static TimeSpan Pause(int attempt, TimeSpan? asked)
    {
        if (asked is { } wait && wait > TimeSpan.Zero) return wait < LongestPause ? wait : LongestPause;
        var ceiling = Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, attempt));
        return TimeSpan.FromMilliseconds(ceiling * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}
