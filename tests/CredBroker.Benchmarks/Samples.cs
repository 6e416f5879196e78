using System.Collections.Concurrent;
using System.Globalization;

namespace CredBroker.Benchmarks;

/// <summary>What was measured: a duration for each operation that succeeded within the measured time.</summary>
internal sealed class Samples
{
    private readonly ConcurrentQueue<double> _milliseconds = new();
    private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);

    public int Count => _milliseconds.Count;

    public int Failures => _failures.Values.Sum();

    /// <summary>How often it failed, by reason.</summary>
    public IReadOnlyDictionary<string, int> FailuresBy => _failures;

    public TimeSpan Elapsed { get; set; }

    public double Rate => Count / Elapsed.TotalSeconds;

    public void Add(TimeSpan duration) => _milliseconds.Enqueue(duration.TotalMilliseconds);

    public void Fail(string reason) => _failures.AddOrUpdate(reason, 1, static (_, count) => count + 1);

    /// <summary>Below which a share of the durations lies, in milliseconds.</summary>
    public double At(double share)
    {
        var ordered = _milliseconds.Order().ToArray();
        return ordered.Length == 0 ? double.NaN : ordered[Math.Min(ordered.Length - 1, (int)(ordered.Length * share))];
    }

    public string Summary(string operation) => Count == 0
        ? $"{operation}: nothing succeeded, {Failures} failed"
        : string.Create(CultureInfo.InvariantCulture, $"{operation}: {Count} in {Elapsed.TotalSeconds:0.0} s = {Rate:0}/s; p50 {At(0.5):0.0} ms, p99 {At(0.99):0.0} ms, max {At(1):0.0} ms; {Failures} failed");
}

/// <summary>Several runs of the same.</summary>
internal sealed record RunSet(string Name, IReadOnlyList<Samples> Runs)
{
    /// <summary>The run in the middle, by rate.</summary>
    public Samples Median => Runs.OrderBy(run => run.Rate).ElementAt(Runs.Count / 2);

    public int Failures => Runs.Sum(run => run.Failures);

    public string Summary()
    {
        var failed = string.Join(", ", Runs.SelectMany(run => run.FailuresBy).GroupBy(pair => pair.Key).Select(group => $"{group.Sum(pair => pair.Value)} {group.Key}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Name}: {Median.Rate:0}/s ({Runs.Min(run => run.Rate):0} to {Runs.Max(run => run.Rate):0} in {Runs.Count} runs); p50 {Median.At(0.5):0.0} ms, p99 {Median.At(0.99):0.0} ms, max {Median.At(1):0.0} ms{(failed.Length > 0 ? "; failed: " + failed : "")}");
    }
}
