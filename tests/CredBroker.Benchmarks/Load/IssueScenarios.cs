using System.Diagnostics;
using CredBroker.Client;
using CredBroker.Client.Tasks;
using CredBroker.Contracts.V1;

namespace CredBroker.Benchmarks.Load;

/// <summary>Credentials issued, and tasks ended, as a caller sees them.</summary>
internal static class IssueScenarios
{
    public static readonly TaskSettings Settings = new() { Ttl = TimeSpan.FromHours(2) };

    /// <summary>Issues for one task each, one after the other; how long each takes. Each by the same token, or by another each time.</summary>
    public static Task<RunSet> IssueAsync(MeasuredBroker broker, int callers, (int, TimeSpan) runs, bool newTokens = false) =>
        ClosedLoop.RunAsync(newTokens ? "issued, each by a new token" : "issued", callers, runs, async number =>
        {
            var client = newTokens ? broker.CallerWithNewTokens(number) : broker.Caller(number);
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
        ClosedLoop.RunAsync("tasks with one lease opened, ended and proven dead", callers, runs, number =>
        {
            var client = broker.Caller(number);
            return Task.FromResult(new Caller(
                async () =>
                {
                    await using var task = await client.StartTaskAsync("measure", Settings);
                    await task.IssueAsync(MeasuredBroker.Role);
                    var started = Stopwatch.GetTimestamp();
                    var ended = await task.EndAsync(Outcome.Succeeded, TimeSpan.FromSeconds(25));
                    return ended.Unproven > 0 ? throw new InvalidOperationException("A lease was not proven dead within 25 s.") : Stopwatch.GetElapsedTime(started);
                },
                () =>
                {
                    client.Dispose();
                    return ValueTask.CompletedTask;
                }));
        });

    /// <summary>Fills one task with leases, as fast as it goes. Answers the task and its caller, whoever disposes of it.</summary>
    public static async Task<(BrokerTask Task, BrokerClient Client)> FillAsync(MeasuredBroker broker, int leases, int at, Func<TimeSpan?>? life = null, int number = 1_000_000)
    {
        var client = broker.Caller(number);
        var task = await client.StartTaskAsync("measure", Settings);
        var left = leases;
        await Task.WhenAll(Enumerable.Range(0, at).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0) await task.IssueAsync(MeasuredBroker.Role, lifetime: life?.Invoke());
        })));
        return (task, client);
    }
}
