using System.Diagnostics;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;

namespace CredBroker.Benchmarks;

/// <summary>What is measured, as a caller sees it.</summary>
internal static class Measurements
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TaskSettings Settings = new() { Ttl = TimeSpan.FromMinutes(30) };

    /// <summary>Issues for one task each, one after the other; how long each takes.</summary>
    public static Task<Samples> IssueAsync(MeasuredBroker broker, int callers, TimeSpan duration) =>
        RunAsync(broker, callers, duration, new Samples("leases issued"), async (client, samples, running) =>
        {
            var task = await client.StartTaskAsync("measure", Settings);
            while (running() is { } counts)
            {
                var started = Stopwatch.GetTimestamp();
                await task.IssueAsync(MeasuredBroker.Role);
                if (counts) samples.Add(Stopwatch.GetElapsedTime(started));
            }

            await task.EndAsync(Outcome.Succeeded);
            await task.DisposeAsync();
        });

    /// <summary>Opens a task with one lease and ends it; how long from asking for the end until the answer that everything is proven dead.</summary>
    public static Task<Samples> TimeToDeadAsync(MeasuredBroker broker, int callers, TimeSpan duration) =>
        RunAsync(broker, callers, duration, new Samples("tasks ended and proven dead"), async (client, samples, running) =>
        {
            while (running() is { } counts)
            {
                await using var task = await client.StartTaskAsync("measure", Settings);
                await task.IssueAsync(MeasuredBroker.Role);
                var started = Stopwatch.GetTimestamp();
                var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(20));
                if (ended.Unproven > 0) samples.Fail();
                else if (counts) samples.Add(Stopwatch.GetElapsedTime(started));
            }
        });

    /// <param name="broker">What is measured.</param>
    /// <param name="callers">How many at once.</param>
    /// <param name="duration">How long, after the warm-up.</param>
    /// <param name="samples">What they come to.</param>
    /// <param name="work">One caller; it asks each time whether to go on (null: no), and whether it counts.</param>
    private static async Task<Samples> RunAsync(
        MeasuredBroker broker, int callers, TimeSpan duration, Samples samples, Func<BrokerClient, Samples, Func<bool?>, Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        bool? Running()
        {
            var elapsed = Stopwatch.GetElapsedTime(start);
            return elapsed < WarmUp ? false : elapsed < WarmUp + duration ? true : null;
        }

        await Task.WhenAll(Enumerable.Range(0, callers).Select(async number =>
        {
            using var client = broker.Caller(number);
            try
            {
                await work(client, samples, Running);
            }
            catch (BrokerException e)
            {
                samples.Fail();
                Console.Error.WriteLine($"caller {number}: {e.Reason} {e.Message}");
            }
        }));
        samples.Elapsed = duration;
        return samples;
    }
}
