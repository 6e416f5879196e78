using Microsoft.Extensions.Hosting;
using Quartz;

namespace CredBroker.Quartz;

/// <summary>Starts the first look at everything, and brings the next one forward when there is work before its time.</summary>
internal sealed class SignalWatch(ISchedulerFactory schedulers, IEnumerable<Work> works, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var scheduler = await schedulers.GetScheduler(stoppingToken);
        foreach (var work in works)
        {
            await scheduler.AddJob(JobBuilder.Create<LookJob>().WithIdentity(Looks.JobOf(work)).StoreDurably().Build(), AddJobOptions.Replacing, stoppingToken);
            await Looks.ScheduleAsync(scheduler, work, time.GetUtcNow(), time, stoppingToken);
        }

        await Task.WhenAll(works.Where(work => work.Signalled is not null).Select(work => WatchAsync(scheduler, work, stoppingToken)));
    }

    private async Task WatchAsync(IScheduler scheduler, Work work, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await work.Signalled!().WaitAsync(stoppingToken);
            // Taken before it is passed on: what comes from here on is a signal of its own.
            work.Take?.Invoke();
            await Looks.ScheduleAsync(scheduler, work, time.GetUtcNow(), time, stoppingToken);
        }
    }
}
