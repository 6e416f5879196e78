using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Issuance;

/// <summary>
/// Waits for the turn to write a group's document. What this node gives back is told at once; what another node gives back is seen at the next look.
/// </summary>
public sealed partial class GroupTurns(ILeaseGroups groups, Signals signals, ILogger<GroupTurns> logger, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);
    private TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes the group within a time; null when that was not enough.</summary>
    public async Task<long?> TakeAsync(Uid group, TimeSpan holdFor, TimeSpan within)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            // Taken before looking, so that what is given back meanwhile is not missed.
            var given = Volatile.Read(ref _given).Task;
            var hold = await groups.HoldAsync(group, holdFor, CancellationToken.None);
            if (hold.Fence is { } fence) return fence;
            var left = within - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return null;
            var pause = Instants.Min(Instants.Min(hold.FreeAt - time.GetUtcNow(), LongestPause), left);
            await Task.WhenAny(given, Task.Delay(pause > TimeSpan.Zero ? pause : LongestPause, time));
        }
    }

    /// <summary>Gives it back. False when it had been lost.</summary>
    public async Task<bool> GiveBackAsync(Uid group, long fence, TimeSpan after)
    {
        try
        {
            return await groups.ReleaseAsync(group, fence, after, CancellationToken.None);
        }
        catch (Exception e)
        {
            // It runs out by itself.
            LogNotGivenBack(logger, group, e);
            return true;
        }
        finally
        {
            if (after == TimeSpan.Zero) Interlocked.Exchange(ref _given, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            // Whoever looks learns when the group is free.
            signals.Set();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The claim on the group {Group} could not be given back, and runs out")]
    private static partial void LogNotGivenBack(ILogger logger, Uid group, Exception error);
}
