using System.Diagnostics;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;

namespace CredBroker.Benchmarks.Load;

/// <summary>What is measured, as a caller sees it.</summary>
internal static class Scenarios
{
    private static readonly TaskSettings Settings = new() { Ttl = TimeSpan.FromMinutes(30) };

    /// <summary>Issues for one task each, one after the other; how long each takes.</summary>
    public static Task<RunSet> IssueAsync(MeasuredBroker broker, int callers, (int, TimeSpan) runs) =>
        ClosedLoop.RunAsync("leases issued", callers, runs, async number =>
        {
            var client = broker.Caller(number);
            var task = await client.StartTaskAsync("measure", Settings);
            return new Caller(
                async () =>
                {
                    await task.IssueAsync(MeasuredBroker.Role);
                    return null;
                },
                async () =>
                {
                    await task.DisposeAsync();
                    client.Dispose();
                });
        });

    /// <summary>Opens a task with one lease and ends it; how long from asking for the end until the answer that everything is proven dead.</summary>
    public static Task<RunSet> TimeToDeadAsync(MeasuredBroker broker, int callers, (int, TimeSpan) runs) =>
        ClosedLoop.RunAsync("tasks ended and proven dead", callers, runs, number =>
        {
            var client = broker.Caller(number);
            return Task.FromResult(new Caller(
                async () =>
                {
                    await using var task = await client.StartTaskAsync("measure", Settings);
                    await task.IssueAsync(MeasuredBroker.Role);
                    var started = Stopwatch.GetTimestamp();
                    var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(20));
                    return ended.Unproven > 0 ? TimeSpan.MaxValue : Stopwatch.GetElapsedTime(started);
                },
                () =>
                {
                    client.Dispose();
                    return ValueTask.CompletedTask;
                }));
        });
}
