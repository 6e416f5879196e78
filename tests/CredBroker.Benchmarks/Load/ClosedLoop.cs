using System.Diagnostics;
using System.Globalization;
using CredBroker.Client;

namespace CredBroker.Benchmarks.Load;

/// <summary>
/// Callers that each ask again as soon as they are answered. The runs that count begin when the rate stands still, because a fresh process
/// compiles for a while; what is reported is the median of the runs and their spread.
/// </summary>
internal static class ClosedLoop
{
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ShortestWarmUp = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(90);
    private const double Still = 0.04;

    /// <param name="name">What is done.</param>
    /// <param name="callers">How many at once.</param>
    /// <param name="runs">How often, and how long each.</param>
    /// <param name="begin">Makes a caller: what it does once, and how it is cleared away.</param>
    public static async Task<RunSet> RunAsync(string name, int callers, (int Count, TimeSpan Length) runs, Func<int, Task<Caller>> begin)
    {
        var all = await Task.WhenAll(Enumerable.Range(0, callers).Select(begin));
        var samples = new Samples();
        using var stop = new CancellationTokenSource();
        var working = all.Select(caller => Task.Run(() => WorkAsync(caller, () => Volatile.Read(ref samples), stop.Token))).ToArray();
        await WarmUpAsync(next => Interlocked.Exchange(ref samples, next));
        var done = new List<Samples>();
        for (var run = 0; run < runs.Count; run++)
        {
            Volatile.Write(ref samples, new Samples());
            var started = Stopwatch.GetTimestamp();
            await Task.Delay(runs.Length, TimeProvider.System);
            var measured = Interlocked.Exchange(ref samples, new Samples());
            measured.Elapsed = Stopwatch.GetElapsedTime(started);
            done.Add(measured);
        }

        await stop.CancelAsync();
        await Task.WhenAll(working);
        foreach (var caller in all) await caller.DisposeAsync();
        return new RunSet(name, done);
    }

    private static async Task WarmUpAsync(Func<Samples, Samples> exchange)
    {
        var started = Stopwatch.GetTimestamp();
        for (double last = 0; Stopwatch.GetElapsedTime(started) < LongestWarmUp;)
        {
            await Task.Delay(Slice, TimeProvider.System);
            var rate = exchange(new Samples()).Count / Slice.TotalSeconds;
            if (Stopwatch.GetElapsedTime(started) >= ShortestWarmUp && Math.Abs(rate - last) <= Still * last) break;
            last = rate;
        }

        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the rate stands still after {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
    }

    private static async Task WorkAsync(Caller caller, Func<Samples> samples, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                var measured = await caller.OnceAsync();
                samples().Add(measured ?? Stopwatch.GetElapsedTime(started));
            }
            catch (BrokerException e)
            {
                samples().Fail(e.Reason);
                if (caller.StopAtFailure) return;
            }
        }
    }
}

/// <summary>One that asks.</summary>
/// <param name="OnceAsync">Asks once. Answers how long that took where it is not the whole.</param>
/// <param name="DisposeAsync">Clears away.</param>
/// <param name="StopAtFailure">Whether it gives up when it is refused.</param>
internal sealed record Caller(Func<Task<TimeSpan?>> OnceAsync, Func<ValueTask> DisposeAsync, bool StopAtFailure = true);
