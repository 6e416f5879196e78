using CredBroker.AspNetCore.Mapping;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Tasks;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Signal = CredBroker.Contracts.V1.KeepTaskAliveResponse.Types.Signal;

namespace CredBroker.AspNetCore.Services;

/// <summary>
/// Holds the line that keeps a task alive: as long as it is held, it sends the task's signs of life. When it breaks, they stop, and the task ends after
/// its grace unless somebody takes the line up again. It ends at its token's <c>exp</c>, so that nobody holds a task alive on a token that has died.
/// </summary>
internal sealed class KeepAliveLine(TaskService tasks, IHostApplicationLifetime host, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    public async Task HoldAsync(string name, IServerStreamWriter<KeepTaskAliveResponse> stream, ServerCallContext context)
    {
        var caller = context.Caller();
        var id = Calls.UidIn(name, 1);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        var first = true;
        while (true)
        {
            var sign = await tasks.HeartbeatAsync(caller, id, context.CancellationToken);
            if (!first && sign is Result<DateTimeOffset>.Refused { Error.Reason: Reasons.TaskEnded or Reasons.ResourceNotFound })
            {
                await stream.WriteAsync(new KeepTaskAliveResponse { Signal = Signal.TaskEnded }, context.CancellationToken);
                return;
            }

            var aliveUntil = sign.OrThrow(context, name);
            var now = time.GetUtcNow();
            var over = host.ApplicationStopping.IsCancellationRequested || caller.Identity.ExpiresAt <= now;
            await stream.WriteAsync(new KeepTaskAliveResponse { Signal = over ? Signal.Reconnect : Signal.Alive, AliveUntil = aliveUntil.ToProto() }, context.CancellationToken);
            if (over) return;
            first = false;
            await PauseAsync(Shortest((aliveUntil - now) / 3, caller.Identity.ExpiresAt - now), ending.Token);
            context.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(pause, time, cancellationToken);
        }
        catch (OperationCanceledException) when (host.ApplicationStopping.IsCancellationRequested)
        {
            // The next round tells the caller to take the line up elsewhere.
        }
    }

    private static TimeSpan Shortest(TimeSpan interval, TimeSpan life)
    {
        var pause = TimeSpan.FromTicks(Math.Min(Math.Min(interval.Ticks, life.Ticks), LongestPause.Ticks));
        return pause > TimeSpan.FromMilliseconds(100) ? pause : TimeSpan.FromMilliseconds(100);
    }
}
