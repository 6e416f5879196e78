using Quartz;

namespace CredBroker.Quartz;

/// <summary>Each work has one job and at most one trigger that waits; a new one only ever brings the next look forward.</summary>
internal static class Looks
{
    public static JobKey JobOf(Work work) => new(work.Name);

    public static async Task ScheduleAsync(IScheduler scheduler, Work work, DateTimeOffset at, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var latest = now + work.LongestPause;
        var trigger = TriggerBuilder.Create(time)
            .WithIdentity(work.Name)
            .ForJob(JobOf(work))
            .StartAt(at < now ? now : at > latest ? latest : at)
            .Build();
        try
        {
            await scheduler.ScheduleTrigger(trigger, TriggerConflict.KeepEarlier, cancellationToken);
        }
        catch (SchedulerException) when (scheduler.Status is SchedulerStatus.Shutdown or SchedulerStatus.ShuttingDown)
        {
            return; // The process ends: there is no next look.
        }
    }
}
