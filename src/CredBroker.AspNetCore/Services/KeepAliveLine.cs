using CredBroker.AspNetCore.Mapping;
using CredBroker.Contracts.V1;
using CredBroker.Core.Tasks;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Signal = CredBroker.Contracts.V1.KeepTaskAliveResponse.Types.Signal;

namespace CredBroker.AspNetCore.Services;

/// <summary>
/// Holds the line that keeps a task alive. When it breaks, the signs of life stop, and the task ends after its grace unless somebody takes the line up again.
/// It ends at its token's <c>exp</c>, so that nobody holds a task alive on a token that has died.
/// </summary>
internal sealed class KeepAliveLine(HeldLines lines, IHostApplicationLifetime host, Random random, TimeProvider time)
{
    // Whoever held a line here comes back somewhere else: not all in the same moment.
    private static readonly TimeSpan LongestJitter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(30);

    public async Task HoldAsync(string name, IServerStreamWriter<KeepTaskAliveResponse> stream, ServerCallContext context)
    {
        var caller = context.Caller();
        using var line = (await lines.HoldAsync(caller, Calls.UidIn(name, 1), context.CancellationToken)).OrThrow(context, name);
        using var expiry = new CancellationTokenSource(LifeOf(caller.Identity.ExpiresAt), time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping, expiry.Token);
        var answer = new KeepTaskAliveResponse { Signal = Signal.Alive };
        while (answer.Signal == Signal.Alive)
        {
            switch (await NextAsync(line, over.Token))
            {
                case LineNews.Alive { Until: var until }:
                    answer = new KeepTaskAliveResponse { Signal = Signal.Alive, AliveUntil = until.ToProto() };
                    break;
                case LineNews.Ended:
                    answer = new KeepTaskAliveResponse { Signal = Signal.TaskEnded };
                    break;
                case LineNews.Refused { Error: var error }:
                    throw Calls.Refusal(error, context, name);
                default:
                    if (host.ApplicationStopping.IsCancellationRequested) await Task.Delay(LongestJitter * random.NextDouble(), time, context.CancellationToken);
                    context.CancellationToken.ThrowIfCancellationRequested();
                    answer = new KeepTaskAliveResponse { Signal = Signal.Reconnect, AliveUntil = answer.AliveUntil };
                    break;
            }

            await stream.WriteAsync(answer, context.CancellationToken);
        }
    }

    /// <summary>The next news; null when the token has expired, the server stops or the caller is gone.</summary>
    private static async Task<LineNews?> NextAsync(HeldLine line, CancellationToken over)
    {
        try
        {
            return await line.NextAsync(over);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return null;
        }
    }

    private TimeSpan LifeOf(DateTimeOffset expiresAt)
    {
        var life = expiresAt - time.GetUtcNow();
        return life < TimeSpan.Zero ? TimeSpan.Zero : life > LongestTimer ? LongestTimer : life;
    }
}
