using System.Collections.Concurrent;
using System.Globalization;

namespace CredBroker.Benchmarks;

/// <summary>What was measured: a duration for each operation that succeeded within the measured time.</summary>
internal sealed class Samples(string operation)
{
    private readonly ConcurrentBag<double> _milliseconds = [];
    private int _failures;

    public int Failures => _failures;

    public TimeSpan Elapsed { get; set; }

    public void Add(TimeSpan duration) => _milliseconds.Add(duration.TotalMilliseconds);

    public void Fail() => Interlocked.Increment(ref _failures);

    public string Summary()
    {
        var ordered = _milliseconds.Order().ToArray();
        if (ordered.Length == 0) return $"{operation}: nothing succeeded, {Failures} failed";
        return string.Create(CultureInfo.InvariantCulture,
            $"{operation}: {ordered.Length} in {Elapsed.TotalSeconds:0.0} s = {ordered.Length / Elapsed.TotalSeconds:0}/s; p50 {At(ordered, 0.5):0.0} ms, p99 {At(ordered, 0.99):0.0} ms, max {ordered[^1]:0.0} ms; {Failures} failed");
    }

    private static double At(double[] ordered, double share) => ordered[Math.Min(ordered.Length - 1, (int)(ordered.Length * share))];
}
