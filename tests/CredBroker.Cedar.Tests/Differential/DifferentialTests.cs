using System.Diagnostics;
using System.Globalization;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>
/// Generated schemas, policies, entities and requests, given to this library and to the official implementation. A short run with a seed of its own each time;
/// a long one with <c>CREDBROKER_TEST_CEDAR_REQUESTS=1000000</c>; one that is to be repeated with <c>CREDBROKER_TEST_CEDAR_SEED</c>.
/// </summary>
internal sealed class DifferentialTests
{
    // The same in every run, so that only a change of ours fails it; other seeds are for long runs.
    private const int FixedSeed = 70_000_000;

    private const int RequestsPerWorld = 100;
    private const int ShortRun = 4_000;
    private const int MaxDifferences = 5;

    // What is left in an instance adds up.
    private const int CallsPerInstance = 40_000;

    [Test]
    public void Generated_policies_mean_what_they_mean_to_the_official_implementation()
    {
        var wanted = Setting("CREDBROKER_TEST_CEDAR_REQUESTS") ?? ShortRun;
        var seed = Setting("CREDBROKER_TEST_CEDAR_SEED") ?? FixedSeed;
        TestContext.Progress.WriteLine($"CREDBROKER_TEST_CEDAR_SEED={seed}, {wanted} requests");
        var found = new List<string>();
        var agreements = new Dictionary<string, int>();
        var started = Stopwatch.GetTimestamp();
        var oracle = OracleModule.Start();
        try
        {
            for (var number = 0; number * RequestsPerWorld < wanted && found.Count < MaxDifferences; number++)
            {
                if (oracle.Calls > CallsPerInstance)
                {
                    oracle.Dispose();
                    oracle = OracleModule.Start();
                }
                var bytes = GeneratedWorld.RandomBytes(unchecked(seed + number));
                var comparison = Run(oracle, bytes);
                foreach (var (what, count) in comparison.Agreements)
                    agreements[what] = agreements.GetValueOrDefault(what) + count;
                if (comparison.Differences.Count > 0)
                    found.Add(Describe(oracle, bytes));
            }
        }
        finally
        {
            oracle.Dispose();
        }
        TestContext.Progress.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalSeconds:0} s: {string.Join(", ", agreements.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Value} {a.Key}"))}");
        Assert.That(found, Is.Empty, $"seed {seed}\n{string.Join("\n\n", found)}");
    }

    private static Comparison Run(Oracle oracle, byte[] bytes)
    {
        var comparison = new Comparison(oracle);
        comparison.Compare(new GeneratedWorld(bytes, RequestsPerWorld));
        return comparison;
    }

    // The kind of difference must stay the same, or shrinking would wander from one to the next.
    private static string Describe(Oracle oracle, byte[] bytes)
    {
        static string Kind(Comparison comparison) => comparison.Differences is [var first, ..] ? first[..first.IndexOf(':', StringComparison.Ordinal)] : "";
        var kind = Kind(Run(oracle, bytes));
        var smallest = Choices.Shrink(bytes, candidate => Kind(Run(oracle, candidate)) == kind, attempts: 1_500);
        var world = new GeneratedWorld(smallest, RequestsPerWorld);
        return $"{Run(oracle, smallest).Differences[0]}\n{world.Schema}\n{world.Policies}\n{world.Entities}";
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
