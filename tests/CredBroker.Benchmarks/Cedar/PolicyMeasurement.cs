using System.Diagnostics;
using System.Globalization;
using CredBroker.Cedar;

namespace CredBroker.Benchmarks.Cedar;

/// <summary>How long a decision takes, what it allocates, and what a compiled policy weighs.</summary>
internal static class PolicyMeasurement
{
    private const int PerLap = 200;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    public static void Run(TextWriter output, TimeSpan duration)
    {
        using var official = OfficialMeasurement.Start();
        if (official is null)
            output.WriteLine(CredBroker.Cedar.Tests.Differential.OracleFile.Missing);
        foreach (var workload in new[] { 50, 1_000, 10_000 }.Select(PolicyWorkload.Of))
        {
            output.WriteLine(Measure(workload, duration));
            if (official is not null)
                output.WriteLine(official.Measure(workload, duration));
        }
    }

    private static string Measure(PolicyWorkload workload, TimeSpan duration)
    {
        var entities = CedarJson.ParseEntities(workload.Entities).OrThrow();
        var requests = workload.Requests();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var started = Stopwatch.GetTimestamp();
        var authorizer = new Authorizer(PolicySet.Parse(workload.Policies).OrThrow());
        var compiled = Stopwatch.GetElapsedTime(started);
        var weight = GC.GetTotalMemory(forceFullCollection: true) - before;

        Measure(WarmUp);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Decide(0);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var (median, laps) = Measure(duration);
        return string.Create(CultureInfo.InvariantCulture,
            $"{workload.Count,6} policies: {median:0.00} µs and {allocated / PerLap} bytes a decision ({laps * PerLap} decisions); "
            + $"compiled in {compiled.TotalMilliseconds:0} ms, {weight / workload.Count} bytes a policy");

        (double Median, int Laps) Measure(TimeSpan time) => Laps.Run(time, PerLap, Decide);

        void Decide(int lap)
        {
            for (var i = 0; i < PerLap; i++)
            {
                var request = requests[(lap * PerLap + i) % requests.Count];
                if (authorizer.IsAuthorized(request, entities) is not { Decision: Decision.Allow, Determining.Length: 2 })
                    throw new InvalidOperationException($"{request} was not decided as expected");
            }
        }
    }
}
