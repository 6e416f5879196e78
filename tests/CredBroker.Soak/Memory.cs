using System.Globalization;

namespace CredBroker.Soak;

/// <summary>What a process holds in memory (resident, in MiB), over time.</summary>
internal sealed class Memory
{
    // The first part of a run fills caches, pools and the collector's budget.
    private const double WarmUp = 0.25;
    private const double Tolerated = 1.15;
    private const double ToleratedMiB = 24;
    private readonly List<double> _samples = [];

    /// <summary>The latest sample.</summary>
    public double Latest => _samples.Count == 0 ? 0 : _samples[^1];

    /// <summary>Takes a sample.</summary>
    public void Take(int process)
    {
        var line = File.ReadLines($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        _samples.Add(double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024);
    }

    /// <summary>Whether it grew: the last quarter's median against that of the quarter after the first.</summary>
    public (double Early, double Late, bool Grew) Verdict()
    {
        var quarter = Math.Max(1, (int)(_samples.Count * WarmUp));
        var (early, late) = (Median(_samples.Skip(quarter).Take(quarter)), Median(_samples.TakeLast(quarter)));
        return (early, late, late > early * Tolerated && late > early + ToleratedMiB);
    }

    private static double Median(IEnumerable<double> samples)
    {
        var ordered = samples.Order().ToList();
        return ordered.Count == 0 ? 0 : ordered[ordered.Count / 2];
    }
}
