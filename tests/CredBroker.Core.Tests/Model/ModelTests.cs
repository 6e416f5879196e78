using System.Globalization;
using CsCheck;

namespace CredBroker.Core.Tests.Model;

/// <summary>
/// The promises under random faults and interleavings. <c>CREDBROKER_MODEL_HISTORIES</c> says how many histories are lived through, instead of a few; a failure prints its
/// seed, and <c>CsCheck_Seed</c> repeats it.
/// </summary>
[NonParallelizable]
public sealed class ModelTests
{
    private const string Switch = "CREDBROKER_MODEL_HISTORIES";
    private const int InEveryRun = 16;
    private static readonly Gen<uint[]> Histories = Gen.UInt.Array[150, 300];

    [Test]
    public void The_promises_hold_whatever_fails_and_whenever()
    {
        var histories = int.TryParse(Environment.GetEnvironmentVariable(Switch), CultureInfo.InvariantCulture, out var asked) ? asked : InEveryRun;
        Histories.Sample(history => World.Live(history), iter: histories, threads: 1, print: Print);
    }

    [Test]
    public void What_the_promises_are_about_happens_in_the_histories()
    {
        var happened = new Dictionary<string, int>();
        foreach (var history in Fixed(8))
        {
            foreach (var (what, count) in World.Live(history).Happened) happened[what] = happened.GetValueOrDefault(what) + count;
        }

        TestContext.Out.WriteLine(string.Join(", ", happened.OrderBy(one => one.Key).Select(one => $"{one.Key} {one.Value}")));
        string[] wanted = ["reserved", "delivered", "Revoked", "claimed", "killed", "late answer", "late effect", "renewed", "task ended", "suspended", "policies changed"];
        Assert.That(wanted.Where(what => !happened.ContainsKey(what)), Is.Empty);
    }

    [Test]
    public void The_same_history_is_the_same_story()
    {
        var history = Fixed(1).Single();
        var once = World.Live(history).Story;
        var again = World.Live(history).Story;
        Assert.That(again, Is.EqualTo(once));
    }

    // Written out, a failing history is its own test.
    private static string Print(uint[] history) => $"[{string.Join(", ", history)}]";

    private static IEnumerable<uint[]> Fixed(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var draw = new Draw((uint)(1000 + i));
            yield return [.. Enumerable.Range(0, 260).Select(_ => (uint)draw.Next(int.MaxValue))];
        }
    }
}
