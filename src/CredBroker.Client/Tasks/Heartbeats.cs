using CredBroker.Contracts.V1;
using Grpc.Core;

namespace CredBroker.Client.Tasks;

/// <summary>Sends a task's heartbeats until it is stopped or learns that the task has ended.</summary>
internal sealed class Heartbeats
{
    private readonly BrokerClient _client;
    private readonly string _task;
    private readonly TimeSpan _interval;
    private readonly CancellationTokenSource _ended;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public Heartbeats(BrokerClient client, string task, TimeSpan interval, CancellationTokenSource ended)
    {
        _client = client;
        _task = task;
        _interval = interval;
        _ended = ended;
        // Read before the task starts: the loop outlives the source.
        var stopped = _stop.Token;
        _loop = Task.Run(() => BeatAsync(stopped), CancellationToken.None);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private async Task BeatAsync(CancellationToken stopped)
    {
        // The grace period is three intervals: after a failure there is room for many tries at a quarter.
        var pause = _interval;
        while (await PauseAsync(pause, stopped).ConfigureAwait(false))
        {
            try
            {
                await _client.Tasks.HeartbeatAsync(new() { Name = _task }, cancellationToken: stopped).ResponseAsync.ConfigureAwait(false);
                pause = _interval;
            }
            catch (BrokerException fault) when (IsEnd(fault))
            {
                await _ended.CancelAsync().ConfigureAwait(false);
                return;
            }
            catch (Exception fault) when (fault is BrokerException or OperationCanceledException)
            {
                pause = _interval / 4;
            }
        }
    }

    private static bool IsEnd(BrokerException fault) =>
        fault.KnownReason is ErrorReason.TaskEnded or ErrorReason.NoHeartbeatExpected or ErrorReason.ResourceNotFound || fault.Code == StatusCode.NotFound;

    private async Task<bool> PauseAsync(TimeSpan pause, CancellationToken stopped)
    {
        try
        {
            await Task.Delay(pause, _client.Options.Time, stopped).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
