using Microsoft.Extensions.Logging;
using Quartz;

namespace CredBroker.Quartz;

/// <summary>
/// Looks, and says when to look next. Quartz keeps two looks at the same work apart; it decides when, and never what. The next look is scheduled
/// whatever this one came to, for a loop that stops is the one fault that nobody would see.
/// </summary>
[DisallowConcurrentExecution]
internal sealed partial class LookJob(IEnumerable<Work> works, TimeProvider time, ILogger<LookJob> logger) : IJob
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var work = works.Single(work => work.Name == context.JobDetail.Key.Name);
        var next = await LookAsync(work, cancellationToken);
        if (!cancellationToken.IsCancellationRequested) await Looks.ScheduleAsync(context.Scheduler, work, next, time, cancellationToken);
    }

    private async Task<DateTimeOffset> LookAsync(Work work, CancellationToken cancellationToken)
    {
        try
        {
            return await work.LookAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return DateTimeOffset.MaxValue;
        }
        catch (Exception e)
        {
            LogFailure(logger, work.Name, e);
            return time.GetUtcNow() + PauseAfterFailure;
        }
    }

    [LoggerMessage(EventId = 1401, Level = LogLevel.Error, Message = "Looking for {Work} failed; it is tried again")]
    private static partial void LogFailure(ILogger logger, string work, Exception exception);
}
