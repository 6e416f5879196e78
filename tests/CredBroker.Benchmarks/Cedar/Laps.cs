using System.Diagnostics;

namespace CredBroker.Benchmarks.Cedar;

/// <summary>The median of many short laps: what else runs on the machine disturbs few of them.</summary>
internal static class Laps
{
    /// <summary>Microseconds for each of the operations of a lap, and how many laps there were.</summary>
    public static (double Median, int Laps) Run(TimeSpan duration, int operationsPerLap, Action<int> lap)
    {
        var laps = new List<double>();
        var started = Stopwatch.GetTimestamp();
        while (laps.Count == 0 || Stopwatch.GetElapsedTime(started) < duration)
        {
            var lapStarted = Stopwatch.GetTimestamp();
            lap(laps.Count);
            laps.Add(Stopwatch.GetElapsedTime(lapStarted).TotalMicroseconds / operationsPerLap);
        }
        laps.Sort();
        return (laps[laps.Count / 2], laps.Count);
    }
}
